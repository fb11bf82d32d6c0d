"""The journal beside other processes and damaged files."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoglm.errors import ConfigError
from cluster.jobs.checkpoint import Fingerprint
from cluster.jobs.journal import Journal
from cluster.jobs.outcome import Outcome
from cluster.jobs.rows import Position

WORK = Fingerprint(task="t", input_fields=(), input_format=".jsonl", input_sha256="0")


def test_two_jobs_do_not_write_one_output(tmp_path: Path) -> None:
    """The second is refused, and leaves the first one's files alone."""
    output = tmp_path / "out.jsonl"
    with Journal(output, WORK) as journal:
        with pytest.raises(ConfigError, match="another job is writing"), Journal(output, WORK):
            pass
        journal.append([Outcome(1, {"label": "a"})], Position(2, 1))
        journal.finish()
    assert output.read_text() == '{"line":1,"prediction":{"label":"a"}}\n'
    assert list(tmp_path.iterdir()) == [output]


def test_a_partial_file_that_lost_rows_is_refused(tmp_path: Path) -> None:
    """Going on would put a hole into the output."""
    output = tmp_path / "out.jsonl"
    with Journal(output, WORK) as journal:
        journal.append([Outcome(1, {"label": "a"})], Position(2, 1))
    (tmp_path / "out.jsonl.partial").write_bytes(b"{}\n")
    with pytest.raises(ConfigError, match="holds 3 bytes where 38 were written"), Journal(output, WORK):
        pass
    (tmp_path / "out.jsonl.checkpoint").write_text("{}")
    with pytest.raises(ConfigError, match="is no checkpoint; remove it to begin anew"), Journal(output, WORK):
        pass
