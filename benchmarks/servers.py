"""Servers started for one measurement and ended after it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).parents[1]
START_S = 300
STOP_S = 90
SETTLE_S = 2


@dataclass(frozen=True)
class Server:
    """A running server, with every process that it started."""

    url: str
    process: psutil.Process

    def pause(self) -> None:
        """Stop its processes where they are, so that it takes nothing from the one that is measured."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on, and wait until it has caught up with what it missed."""
        self._signal(signal.SIGCONT)
        time.sleep(SETTLE_S)

    def _signal(self, number: signal.Signals) -> None:
        for process in (self.process, *self.process.children(recursive=True)):
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                pass


def descendants(process: psutil.Process, title: str) -> list[psutil.Process]:
    """The processes below one whose command line contains `title`."""
    found = []
    for child in process.children(recursive=True):
        try:
            if title in " ".join(child.cmdline()):
                found.append(child)
        except psutil.NoSuchProcess:
            pass  # it ended in the meantime
    return found


@contextmanager
def server(command: list[str], url: str, *ready: str, environment: dict[str, str] | None = None) -> Iterator[Server]:
    """A Python module run as a server, from its first 200 on each path of `ready` until the block is left."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=os.environ | (environment or {}),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        started = Server(url, psutil.Process(process.pid))
        try:
            for path in ready:
                await_ready(process, url + path)
            yield started
        except Exception:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace")[-5000:])
            raise
        finally:
            started.resume()
            process.send_signal(signal.SIGTERM)
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
