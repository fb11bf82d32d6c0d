"""The cluster that the end-to-end tests run against."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from autoglm import AutoClient
from benchmarks.servers import descendants

ROOT = Path(__file__).parents[2]
START_S = 300  # the first start prepares the models and compiles every module's bytecode


@dataclass(frozen=True)
class Cluster:
    """A running cluster and where things of it are."""

    url: str
    home: Path
    process: psutil.Process

    @property
    def key(self) -> str:
        """The local key, as a user reads it."""
        return (self.home / "key").read_text().strip()

    def client(self) -> AutoClient:
        """The SDK's client on this cluster."""
        return AutoClient(api_key=self.key, base_url=f"{self.url}/v1")

    def http(self) -> httpx.Client:
        """A plain HTTP client with the key."""
        headers = {"authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=120, trust_env=False)

    def processes(self, title: str) -> list[psutil.Process]:
        """The cluster's processes whose title contains `title`."""
        return descendants(self.process, title)

    def replicas(self, *parts: str) -> dict[str, set[int]]:
        """The processes of deployments (`APPLICATION:DEPLOYMENT`); one that was started again has others."""
        return {part: {process.pid for process in self.processes(f"ServeReplica:{part}")} for part in parts}

    def is_administrated(self) -> bool:
        """Whether the control plane answers."""
        with self.http() as http:
            try:
                return http.get("/admin/v1/keys").status_code == 200
            except httpx.TransportError:
                return False

    def logs(self) -> list[Path]:
        """Everything that the cluster has written to be read: its own output and the logs of Ray and Serve."""
        [gcs] = self.processes("gcs_server")
        folder = next(part.partition("=")[2] for part in gcs.cmdline() if part.startswith("--log_dir="))
        return [self.home / "up.log", *(path for path in Path(folder).rglob("*") if path.is_file())]

    def environment(self) -> dict[str, str]:
        """What a command line needs to find this cluster."""
        return os.environ | {"AUTOGLM_HOME": str(self.home), "AUTOGLM_BASE_URL": f"{self.url}/v1"}


def await_ready(url: str, process: subprocess.Popen[bytes], log: Path, timeout: float = START_S) -> None:
    """Return when every declared model answers; fail with the log when it does not come."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"`serve_app up` ended with {process.returncode}:\n{log.read_text()}")
        try:
            if httpx.get(f"{url}/ready", timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.25)
    pytest.fail(f"not ready within {timeout} s:\n{log.read_text()}")
