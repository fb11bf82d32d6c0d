"""Servers started for one measurement and ended after it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
START_S = 300
STOP_S = 90


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def server(command: list[str], ready: str, environment: dict[str, str] | None = None) -> Iterator[None]:
    """A Python module run as a server, from its first 200 on the URL `ready` until the block is left."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=os.environ | (environment or {}),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            await_ready(process, ready)
            yield
        except Exception:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace")[-5000:])
            raise
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def await_ready(process: subprocess.Popen[bytes], url: str) -> None:
    """Return at the first 200.

    Raises:
        RuntimeError: the process ended, or START_S seconds went by.
    """
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url, timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.25)
    raise RuntimeError(f"{process.args} did not become ready (exit code {process.poll()})")
