"""What waits to be told of calls."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from autoglm.errors import UnavailableError
from deployments.tools.call_log import BATCH, CallEntry, CallLog

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def entry(tool: str) -> CallEntry:
    return CallEntry(NOW, "key:key_1", "acme", tool, "k", "", "{}", "ok", 0.1)


class Control:
    """Takes what it is sent, unless it is away."""

    def __init__(self) -> None:
        self.tools: list[str] = []
        self.batches: list[int] = []
        self.lost = 0
        self.is_away = False

    async def __call__(self, entries: Sequence[CallEntry], lost: int) -> None:
        if self.is_away:
            raise UnavailableError("away")
        self.tools += [one.tool for one in entries]
        self.batches.append(len(entries))
        self.lost += lost


async def test_what_was_not_taken_is_told_again_in_order_and_in_batches() -> None:
    """The control plane comes and goes."""
    control = Control()
    log = CallLog(control)
    tools = [f"t{number}" for number in range(BATCH + 1)]
    for tool in tools:
        log(entry(tool))
    control.is_away = True
    with pytest.raises(UnavailableError):
        await log.tell()
    control.is_away = False
    await log.tell()
    await log.tell()
    assert (control.tools, control.batches, control.lost) == (tools, [BATCH, 1], 0)


async def test_of_too_many_the_oldest_are_lost_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    """Memory is bounded, and nobody can make an entry go unnoticed by making many."""
    caplog.set_level(logging.ERROR)
    control = Control()
    log = CallLog(control, capacity=2)
    for tool in "abcde":
        log(entry(tool))
    await log.tell()
    assert (control.tools, control.lost) == (["d", "e"], 3)
    assert "3 calls of tools are in no audit" in caplog.text
    log(entry("f"))
    await log.tell()
    assert (control.tools[-1], control.lost) == ("f", 3)


async def test_what_comes_while_it_is_told_is_told_next() -> None:
    """Also where there is no room beside what is on its way; that is told, and not lost."""
    control = Control()

    async def send(entries: Sequence[CallEntry], lost: int) -> None:
        if not control.tools:
            for tool in "cd":
                log(entry(tool))
        await control(entries, lost)

    log = CallLog(send, capacity=2)
    for tool in "ab":
        log(entry(tool))
    await log.tell()
    assert (control.tools, control.lost) == (["a", "b", "c", "d"], 0)
