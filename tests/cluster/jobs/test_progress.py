"""Progress in a log."""

from __future__ import annotations

from cluster.jobs.checkpoint import Checkpoint, Fingerprint
from cluster.jobs.progress import LineReport
from cluster.jobs.rows import Position


def test_a_log_gets_a_line_now_and_then() -> None:
    """The first report is written, and then one when ten seconds have passed; the measure is the input's bytes."""
    work = Fingerprint(task="t", input_fields=(), input_format=".csv", input_sha256="0")
    lines: list[str] = []
    seconds = iter([0.0, 9.9, 10.0])
    report = LineReport(lines.append, 2000, lambda: next(seconds))
    for rows in (0, 500, 1000):
        report(Checkpoint(fingerprint=work, position=Position(rows, rows), rows=rows, bad=rows // 500))
    assert lines == ["  0%  0 rows, 0 bad", " 50%  1,000 rows, 2 bad"]
