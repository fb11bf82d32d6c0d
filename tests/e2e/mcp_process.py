"""A real MCP server as a process of its own, over its standard streams or over HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx

from serve_app.environment import free_ports
from tests.e2e.registry import LOOPBACK
from tests.e2e.running_cluster import ROOT

PROGRAM = str(ROOT / "tests/deployments/tools/sources/mcp_server.py")
START_S = 60


class McpProcess(Protocol):
    """How it is declared, killed, and brought back."""

    entry: dict[str, Any]

    def kill(self, pid: int) -> None:
        """End it at once; `pid` is the number that the server itself has told."""

    def bring_back(self) -> None:
        """Start it again, where that is not its host's to do."""


class Stdio:
    """Started by the tool host."""

    def __init__(self) -> None:
        self.entry = {"mcp": {"command": [sys.executable, PROGRAM]}}

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    def bring_back(self) -> None:
        """The tool host does."""


class Http:
    """Started by the test, always at the same port."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/mcp"
        self._command = [sys.executable, PROGRAM, str(port)]
        self._process: subprocess.Popen[bytes] | None = None
        self.entry = {"mcp": {"url": self._url, **LOOPBACK}}

    def kill(self, pid: int) -> None:
        if self._process is not None:
            assert self._process.pid == pid
        self.end()

    def bring_back(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=ROOT)
        end = time.monotonic() + START_S
        while not self._answers():
            assert time.monotonic() < end, f"no MCP server within {START_S} s"
            time.sleep(0.1)

    def end(self) -> None:
        """Kill it and wait for its end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            return httpx.get(self._url, timeout=5, trust_env=False).status_code > 0
        except httpx.TransportError:
            return False


@contextmanager
def mcp_process(kind: str) -> Iterator[McpProcess]:
    """A server of the kind, there until the block is left."""
    if kind == "stdio":
        yield Stdio()
        return
    [port] = free_ports(1)
    server = Http(port)
    try:
        server.bring_back()
        yield server
    finally:
        server.end()


def content(path: Path) -> str:
    """What is in a file; nothing where it is not there yet."""
    return path.read_text() if path.exists() else ""
