"""Tools that the tests load by this module's name: a few that behave, and many that do not."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import date

import autoglm
from autoglm.errors import UnprocessableEntityError

GO = threading.Event()  # lets `waits` return
WAITING = threading.Semaphore(0)


@autoglm.tool(idempotent=True)
def day_after(day: date, *, idempotency_key: str) -> dict[str, str]:
    """The next day."""
    return {"day": date.fromordinal(day.toordinal() + 1).isoformat(), "key": idempotency_key}


@autoglm.tool
async def asynchronous() -> int:
    return 1


@autoglm.tool
def waits() -> str:
    WAITING.release()
    GO.wait(30)
    return "done"


@autoglm.tool(timeout_s=0.01)
async def slow() -> None:
    await asyncio.Event().wait()


@autoglm.tool
def refuses() -> None:
    raise UnprocessableEntityError("not this", param="this")


@autoglm.tool
def fails() -> None:
    raise LookupError("nothing there")


@autoglm.tool
def exits() -> None:
    sys.exit(3)


@autoglm.tool
def stops_iterating() -> None:
    raise StopIteration


def unmarked() -> int:
    return 1


@autoglm.tool
def forks() -> int:
    return os.fork()


@autoglm.tool
def starts_a_program() -> int:
    return subprocess.run(["true"], check=False).returncode


@autoglm.tool
def signals_its_host() -> None:
    os.kill(os.getppid(), signal.SIGTERM)


@autoglm.tool(timeout_s=5)
def sleeps_and_ignores_sigterm(name: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(name, "w") as file:
        file.write(str(os.getpid()))
    time.sleep(1000)


def sleeps(name: str) -> None:
    with open(name, "w") as file:
        file.write(str(os.getpid()))
    time.sleep(1000)


@autoglm.tool
def spins_and_ignores_sigxcpu() -> None:
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        pass


@autoglm.tool
def allocates() -> int:
    return len(bytearray(10 * 2**30))


@autoglm.tool
def grows(name: str) -> int:
    """10 GiB by and by, each piece written to, so that the machine must give it; the file says how many MiB it has."""
    pieces = []
    for size in range(64, 10 * 1024, 64):
        pieces.append(b"x" * 64 * 2**20)
        with open(name, "w") as file:
            file.write(str(size))
    return len(pieces)


@autoglm.tool
def writes() -> int:
    with open("large", "wb") as file:
        return file.write(b"x" * 100 * 2**20)


@autoglm.tool
def answers_too_much() -> str:
    return "x" * 100 * 2**20


@autoglm.tool
def prints_and_tells_its_surroundings() -> dict[str, object]:
    print("x" * 2**20)
    files = sorted(os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")[:-1])
    return {"environment": dict(os.environ), "folder": os.getcwd(), "files": files, "entries": os.listdir()}


@autoglm.tool
def dies() -> None:
    os._exit(7)


@autoglm.tool
def leaves_a_thread() -> int:
    threading.Thread(target=time.sleep, args=(1000,)).start()
    return 1
