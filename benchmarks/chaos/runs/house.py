"""The cluster of the lab: `python -m serve_app up` on a home of its own, killed as a whole and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Protocol

import psutil
import yaml

from benchmarks.chaos.lab import BACK_S, POLL_S, NotBackError, processes, send
from benchmarks.servers import ROOT, await_ready
from serve_app.cluster import adopt_orphans
from serve_app.environment import free_ports

DEAD_S = 5.0  # between two looks at what was killed and is not gone


class House(Protocol):
    """A running cluster whose processes can be told apart."""

    @property
    def url(self) -> str: ...

    @property
    def key(self) -> str: ...

    def processes(self, title: str) -> list[psutil.Process]:
        """Its processes whose command line contains `title`."""
        ...


class OwnHouse:
    """A cluster whose home, with the control plane's database in it, outlives all of its processes.

    Whatever this process has for children is the cluster's, those that its own processes leave behind too.
    """

    def __init__(self, file: dict[str, Any], folder: Path) -> None:
        adopt_orphans()
        self._folder = folder
        self._file = folder / "cluster.yaml"
        self._file.write_text(yaml.safe_dump(file))
        [self._port] = free_ports(1)
        self.url = f"http://127.0.0.1:{self._port}"

    @property
    def key(self) -> str:
        """The local key, which the first start makes."""
        return (self._folder / "key").read_text().strip()

    def start(self) -> None:
        """Start it, and return when it is ready; once more where it does not come, as whoever runs servers does.

        Raises:
            RuntimeError: it does not come the second time either.
        """
        try:
            await_ready(self._started(), f"{self.url}/ready")
        except RuntimeError:
            self.kill()
            await_ready(self._started(), f"{self.url}/ready")

    def _started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "serve_app", "up", str(self._file), "--port", str(self._port)]
        own = {"AUTOGLM_HOME": str(self._folder), "RAY_TMPDIR": str(self._folder)}
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command, cwd=ROOT, env=os.environ | own, stdout=log, stderr=log, start_new_session=True
            )

    def processes(self, title: str) -> list[psutil.Process]:
        """As `House`."""
        return processes(title)

    def kill(self) -> None:
        """Every process by SIGKILL, those too that were being started meanwhile."""
        while alive := psutil.Process().children(recursive=True):
            for process in alive:
                send(process, signal.SIGKILL)
            psutil.wait_procs(alive, timeout=DEAD_S)

    def log(self) -> str:
        """What `serve_app up` has said, over all of its starts."""
        return self._log.read_text(errors="replace")

    @property
    def _log(self) -> Path:
        return self._folder / "up.log"


async def one_of(house: House, title: str) -> psutil.Process:
    """A process of this title, as soon as there is one.

    Raises:
        NotBackError: there is none after BACK_S seconds.
    """
    deadline = time.monotonic() + BACK_S
    while not (found := await asyncio.to_thread(house.processes, title)):
        if time.monotonic() > deadline:
            raise NotBackError(f"{title}: no such process for {BACK_S:g} s")
        await asyncio.sleep(POLL_S)
    return found[0]
