"""The outcomes of a job on their way to its output, such that a job killed anywhere goes on where it was.

Outcomes are appended in the order of the rows to `OUT.partial` and `OUT.errors.jsonl.partial`. A commit puts both on
disk, then notes their sizes and the place in the input in `OUT.checkpoint`. Whatever was appended after the last
commit is cut off when the job resumes, so the files and the place always fit together.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from autoglm.errors import ConfigError
from cluster.jobs.checkpoint import Checkpoint, Fingerprint, read_checkpoint, write_checkpoint
from cluster.jobs.outcome import Outcome
from cluster.jobs.partial import PartialFile
from cluster.jobs.rows import Position

COMMIT_ROWS = 256  # redone at most after a kill; a commit costs three fsyncs, some 10 ms on a plain disk


def errors_path(output: Path) -> Path:
    """Where the bad rows of an output go."""
    return output.with_name(output.name + ".errors.jsonl")


class Journal:
    """A context manager: entered it holds the state to go on from, left it has committed what was appended."""

    def __init__(self, output: Path, fingerprint: Fingerprint) -> None:
        self._output = PartialFile(output)
        self._errors = PartialFile(errors_path(output))
        self._checkpoint = output.with_name(output.name + ".checkpoint")
        self._fresh = Checkpoint(fingerprint=fingerprint)
        self.state = self._fresh
        self._committed_rows = 0

    def __enter__(self) -> Self:
        """Take up an earlier run's work, or begin.

        Raises:
            ConfigError: the output exists, is being written by another job, or was begun from other work.
        """
        self.state = self._resumed()
        if self.state.complete:  # killed between its last commit and the last rename
            self._committed_rows = self.state.rows
            self._publish()
            return self
        self._refuse_existing()
        try:
            self._open()
        except ConfigError:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.state.rows > self._committed_rows:
                self._commit()
        finally:
            self._close()

    def append(self, outcomes: Sequence[Outcome], end: Position) -> None:
        """Add the outcomes of the next rows, which end at `end` in the input."""
        for outcome in outcomes:
            (self._errors if outcome.bad else self._output).append(outcome.json_line())
        self.state = self.state.model_copy(
            update={
                "position": end,
                "rows": self.state.rows + len(outcomes),
                "bad": self.state.bad + sum(outcome.bad for outcome in outcomes),
                "output_bytes": self._output.size,
                "errors_bytes": self._errors.size,
            }
        )
        if self.state.rows - self._committed_rows >= COMMIT_ROWS:
            self._commit()

    def finish(self) -> None:
        """All rows are in: put the files in their places. There is no errors file where no row was bad."""
        self.state = self.state.model_copy(update={"complete": True})
        self._commit()
        self._publish()
        self._close()

    def _resumed(self) -> Checkpoint:
        found = read_checkpoint(self._checkpoint)
        if found is None:
            return self._fresh
        ours, theirs = self._fresh.fingerprint.model_dump(), found.fingerprint.model_dump()
        for name, value in ours.items():
            if theirs[name] != value:
                raise ConfigError(
                    f"output: {self._output.path} was begun with {name} {theirs[name]!r}, now it is {value!r}; name "
                    f"another output, or remove {self._checkpoint.name} to begin anew"
                )
        return found

    def _open(self) -> None:
        self._output.open()
        self._errors.open()
        # Another job may have finished before the lock was ours; what it published must not be written over.
        self._refuse_existing()
        self.state = self._resumed()
        self._committed_rows = self.state.rows
        self._output.truncate(self.state.output_bytes)
        self._errors.truncate(self.state.errors_bytes)

    def _refuse_existing(self) -> None:
        for path in (self._output.target, self._errors.target):
            if path.exists():
                raise ConfigError(f"output: {path} exists; remove it, or name another output")

    def _commit(self) -> None:
        self._output.sync()
        self._errors.sync()
        write_checkpoint(self._checkpoint, self.state)
        self._committed_rows = self.state.rows

    def _publish(self) -> None:
        if self.state.errors_bytes:
            self._errors.publish()
        else:
            self._errors.discard()
        self._output.publish()
        self._checkpoint.unlink()

    def _close(self) -> None:
        self._output.close()
        self._errors.close()
