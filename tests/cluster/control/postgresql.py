"""A PostgreSQL of the tests' own, on a socket in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEBIAN = Path("/usr/lib/postgresql")
UNPRIVILEGED = "nobody"  # as root, PostgreSQL refuses to run


def programs() -> Path:
    """The folder with initdb and pg_ctl, the newest version's on Debian."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    versions = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not versions:
        raise FileNotFoundError("no PostgreSQL on this machine, which these tests need: apt-get install postgresql")
    return versions[-1].parent


@contextmanager
def running() -> Iterator[str]:
    """The URL of a running server, without a user's name; `autoglm` may do everything."""
    folder = Path(tempfile.mkdtemp(prefix="autoglm-pg-"))  # short: a socket's path has at most 107 characters
    account: dict[str, Any] = {}
    if os.geteuid() == 0:
        shutil.chown(folder, UNPRIVILEGED)
        account = {"user": UNPRIVILEGED, "group": "nogroup", "extra_groups": []}
    data = ["-D", str(folder / "data")]
    try:
        initdb = ["initdb", *data, "-U", "autoglm", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        run(initdb, folder, account)
        with serving([str(programs() / "postgres"), *data, *settings(folder)], folder, account):
            yield f"postgresql://{{}}@/postgres?host={folder}"
    finally:
        shutil.rmtree(folder)


def settings(folder: Path) -> list[str]:
    """A socket in the folder, no network, no waiting for a disk, no word of statements that fail on purpose."""
    values = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "fsync": "off",
        "log_min_messages": "log",
        "log_checkpoints": "off",
    }
    return [word for name, value in values.items() for word in ("-c", f"{name}={value}")]


@contextmanager
def serving(command: list[str], folder: Path, account: dict[str, Any]) -> Iterator[None]:
    """The server as a child, from the moment it says that it takes connections."""
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, **account) as server:
        assert server.stderr is not None
        said: list[str] = []
        for line in server.stderr:
            said.append(line)
            if "ready to accept connections" in line:
                break
        else:
            raise RuntimeError(f"PostgreSQL did not start: {''.join(said)}")
        try:
            yield
        finally:
            server.send_signal(signal.SIGQUIT)  # at once; nothing of it is needed any more
            server.wait()


def run(command: list[str], folder: Path, account: dict[str, Any]) -> None:
    """Run one of PostgreSQL's programs; its words are in the error if it fails."""
    program = str(programs() / command[0])
    result = subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **account,
    )
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {result.stdout}")
