"""A job that is killed and run again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cluster.jobs.checkpoint import read_checkpoint

JOB = Path(__file__).with_name("killed_job.py")
ROWS = 1500


def run_job(source: Path, output: Path, last: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(JOB), str(source), str(output), str(last)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def finished(source: Path, output: Path) -> Any:
    job = run_job(source, output)
    assert job.returncode == 0, job.stderr
    return json.loads(job.stdout)


def results(output: Path) -> dict[str, bytes]:
    """Every file of the output's folder, by its name."""
    return {path.name: path.read_bytes() for path in output.parent.iterdir()}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows, one in 50 of which the model refuses and one in 70 of which is no JSON."""
    path = tmp_path_factory.mktemp("input") / "in.jsonl"
    lines = [json.dumps({"input": f"{i} refuse" if i % 50 == 7 else f"{i} film"}) for i in range(ROWS)]
    path.write_text("".join("{\n" if i % 70 == 9 else line + "\n" for i, line in enumerate(lines)))
    return path


@pytest.fixture(scope="module")
def undisturbed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, bytes]]:
    """The steps and the results of a run that nobody kills."""
    output = tmp_path_factory.mktemp("undisturbed") / "out.jsonl"
    return finished(source, output)["steps"], results(output)


def test_every_row_has_one_line_in_order(undisturbed: tuple[int, dict[str, bytes]]) -> None:
    """The two files hold each row once, sorted, the prediction being that of the row's own input."""
    _, files = undisturbed
    assert sorted(files) == ["out.jsonl", "out.jsonl.errors.jsonl"]
    good, bad = ([json.loads(line) for line in files[name].splitlines()] for name in sorted(files))
    assert [row["prediction"]["label"] for row in good] == [f"{row['line'] - 1} film"[::-1] for row in good]
    assert [row["line"] for row in bad] == [i + 1 for i in range(ROWS) if i % 70 == 9 or i % 50 == 7]
    assert sorted([row["line"] for row in good + bad]) == list(range(1, ROWS + 1))
    assert {row["reason"].split(":")[0] for row in bad} == {"not JSON", "input"}


# From the front: before the first commit, and amid the rows. From the end: the last commit's fsyncs, its rename, and
# the two renames that publish.
@pytest.mark.parametrize("step", [10, 70, 100, -6, -4, -3, -2, -1])
def test_a_killed_job_resumes_to_the_same_bytes(
    source: Path, undisturbed: tuple[int, dict[str, bytes]], tmp_path: Path, step: int
) -> None:
    """Nothing is lost, repeated or left behind, and what was committed is not predicted again."""
    steps, expected = undisturbed
    output = tmp_path / "out.jsonl"
    assert run_job(source, output, last=step if step > 0 else steps + 1 + step).returncode == -signal.SIGKILL
    checkpoint = read_checkpoint(tmp_path / "out.jsonl.checkpoint")
    assert (checkpoint is None) == (step == 10)
    resumed = finished(source, output)
    assert results(output) == expected
    done = checkpoint.rows if checkpoint else 0
    assert [int(text.split()[0]) >= done for text in resumed["first"]] == [True] * (done < ROWS)
