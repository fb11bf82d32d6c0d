"""Preparation: once, whole, and whatever happens to the processes that do it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autoglm.errors import ModelError
from autoglm.models.preparation import check_sha256, make_once

# Appends a line for each build, so that a second build shows; then waits to be told to go on.
BUILD = """
import sys
from pathlib import Path
from autoglm.models.preparation import make_once

def build(folder):
    folder.mkdir()
    (folder / "first").write_text("1")
    with open(sys.argv[2], "a") as log:
        log.write("built\\n")
    print("inside", flush=True)
    sys.stdin.readline()
    (folder / "second").write_text("2")

print("started", flush=True)
print(make_once(Path(sys.argv[1]), build), flush=True)
"""


def start(target: Path, log: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, str(target), str(log)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def read_until(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    assert line in iter(process.stdout.readline, "")


def test_two_processes_at_once_build_once(tmp_path: Path) -> None:
    """The second process waits for the first and takes what it made."""
    target, log = tmp_path / "models" / "m", tmp_path / "log"
    with start(target, log) as first:
        read_until(first, "inside\n")
        with start(target, log) as second:
            read_until(second, "started\n")
            outputs = [process.communicate("go\n", timeout=60)[0] for process in (first, second)]
    assert log.read_text() == "built\n"
    assert all(output.splitlines()[-1] == str(target) for output in outputs)
    assert sorted(path.name for path in target.iterdir()) == ["first", "second"]


def test_a_kill_half_way_leaves_nothing_that_looks_ready(tmp_path: Path) -> None:
    """After SIGKILL inside the build the target does not exist; the next build succeeds and clears the remains."""
    target = tmp_path / "models" / "m"
    with start(target, tmp_path / "log") as process:
        read_until(process, "inside\n")
        os.kill(process.pid, signal.SIGKILL)
    assert not target.exists()
    assert list(target.parent.glob("*.partial")) + list(target.parent.glob(".*.partial"))

    make_once(target, lambda folder: folder.mkdir())

    assert target.is_dir()
    assert not list(target.parent.glob(".*.partial"))


def test_a_failed_build_leaves_no_target(tmp_path: Path) -> None:
    """An error inside the build reaches the caller, and the half-made folder is gone."""

    def build(folder: Path) -> None:
        folder.mkdir()
        raise ModelError("broken")

    with pytest.raises(ModelError, match="broken"):
        make_once(tmp_path / "m", build)
    assert [path.name for path in tmp_path.iterdir()] == [".m.lock"]


def test_another_checksum_is_refused(tmp_path: Path) -> None:
    """A file that is not the pinned one is named, with both sums."""
    (tmp_path / "f").write_bytes(b"abc")
    with pytest.raises(ModelError, match=r"f: SHA-256 is ba7816bf\w+, expected 00; reinstall"):
        check_sha256(tmp_path / "f", "00")
