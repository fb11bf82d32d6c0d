"""The job as a whole, against a fake application."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from autoglm.errors import APIStatusError, ConfigError, ModelError, NotFoundError, UnavailableError
from cluster.jobs.checkpoint import Checkpoint
from cluster.jobs.predict import Options, command_line, run
from cluster.jobs.retry import Retry


class Application:
    """Answers each text with its length; raises what `script` holds for a call, and `ever_after` when it is played."""

    def __init__(self, *script: APIStatusError | None, ever_after: APIStatusError | None = None) -> None:
        self.calls: list[list[str]] = []
        self._script = iter(script)
        self._ever_after = ever_after

    async def predict(self, task: str, inputs: list[str]) -> dict[str, Any]:
        self.calls.append(inputs)
        if (fault := next(self._script, self._ever_after)) is not None:
            raise fault
        return {"predictions": [{"label": str(len(text)), "score": 1.0} for text in inputs]}


class Clock:
    """Sleeps that take no time and are kept."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """Six texts in batches of two, one call at a time."""
    source = tmp_path / "in.jsonl"
    source.write_text("".join(f'"{"x" * n}"\n' for n in range(1, 7)))
    return Options("sentiment", source, tmp_path / "out.jsonl", concurrency=1, batch_size=2)


def ignore(state: Checkpoint) -> None:
    """A report that nobody reads."""


def labels(output: Path) -> list[str]:
    return [json.loads(line)["prediction"]["label"] for line in output.read_text().splitlines()]


async def test_a_transient_fault_is_retried_with_full_jitter(options: Options) -> None:
    """The wait doubles, is scaled by the draw, and keeps off for as long as the server asks."""
    clock = Clock()
    application = Application(None, UnavailableError("down"), UnavailableError("down", retry_after=3.0))
    retry = Retry(base_s=1.0, uniform=lambda: 0.5, sleep=clock.sleep)
    state = await run(options, application.predict, ignore, retry)
    assert clock.slept == [0.5, 3.0 + 1.0]
    assert (state.rows, state.bad) == (6, 0)
    assert labels(options.output) == list("123456")


async def test_an_outlasting_fault_stops_the_job_which_then_goes_on(options: Options) -> None:
    """Attempts are bounded; the rows before the fault are kept and not asked for again."""
    clock = Clock()
    broken = Application(None, ever_after=UnavailableError("no healthy target"))
    retry = Retry(attempts=4, sleep=clock.sleep)
    with pytest.raises(ModelError, match=r"stopped after 2 rows: no healthy target; the same command goes on"):
        await run(options, broken.predict, ignore, retry)
    assert len(clock.slept) == 3
    assert not options.output.exists()
    healed = Application()
    await run(options, healed.predict, ignore, retry)
    assert healed.calls == [["xxx", "xxxx"], ["xxxxx", "xxxxxx"]]
    assert labels(options.output) == list("123456")


async def test_the_partial_output_of_other_work_is_refused(options: Options) -> None:
    """Another task, or an input that has changed, would mix two jobs in one file."""
    with pytest.raises(ModelError):
        await run(options, Application(None, ever_after=NotFoundError("gone")).predict, ignore)
    other = Options("image", options.source, options.output)
    with pytest.raises(ConfigError, match=r"begun with task 'sentiment', now it is 'image'; name another output"):
        await run(other, Application().predict, ignore)
    options.source.write_text('"changed"\n')
    with pytest.raises(ConfigError, match="input_sha256"):
        await run(options, Application().predict, ignore)


async def test_an_output_that_exists_is_not_written_over(options: Options) -> None:
    """Neither a finished job's results nor, by a slip, the input itself."""
    content = options.source.read_bytes()
    with pytest.raises(ConfigError, match=r"in\.jsonl exists; remove it, or name another"):
        await run(Options("t", options.source, options.source), Application().predict, ignore)
    assert options.source.read_bytes() == content


def test_the_command_writes_the_output_and_says_where(options: Options) -> None:
    """Without a terminal progress is plain lines; bad rows are named with their file."""
    options.source.write_text('"ab"\n{"inptu": 1, "b": 2}\n')
    arguments = ["--task", "sentiment", str(options.source), str(options.output)]
    result = CliRunner().invoke(command_line(lambda: Application().predict), arguments)
    assert result.exit_code == 0
    assert "0%  0 rows, 0 bad" in result.stdout
    assert f"1 rows predicted: {options.output}\n1 bad rows: {options.output}.errors.jsonl" in result.stdout
    assert labels(options.output) == ["2"]


def test_a_task_that_is_not_served_ends_the_command_at_once(options: Options) -> None:
    """No row is to blame and no retry would help: exit code 1, and nothing that a corrected command would meet."""
    application = Application(ever_after=NotFoundError("task: 'sentimnt' is not declared", param="task"))
    arguments = ["--task", "sentimnt", str(options.source), str(options.output), "--concurrency", "1"]
    result = CliRunner().invoke(command_line(lambda: application.predict), arguments)
    assert result.exit_code == 1
    assert "'sentimnt' is not declared" in result.stderr
    assert len(application.calls) == 1
    assert [path.name for path in options.output.parent.iterdir()] == ["in.jsonl"]
