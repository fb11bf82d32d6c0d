"""Who goes into the next call."""

from __future__ import annotations

import asyncio

from deployments.router.line import CHOICE_CALLS, PATIENCE_S, Waiting, WaitingLine


def waiting(length: int, *, inputs: int = 1, since: float = 0.0) -> Waiting:
    """A request of so many inputs, the longest of which has so many characters."""
    loop = asyncio.get_running_loop()
    return Waiting(["x"] * inputs, loop.create_future(), since=since, deadline=None, length=length)


def line_of(*those: Waiting, max_batch_size: int = 2) -> WaitingLine:
    line = WaitingLine(max_batch_size)
    for one in those:
        line.add(one)
    return line


def taken(line: WaitingLine, now: float = 0.0) -> list[int]:
    return [one.length for one in line.take(now, 2)]


async def test_a_call_takes_the_oldest_and_those_nearest_to_it_in_length() -> None:
    """Neither the shortest nor the longest go first, so nobody is overtaken for ever."""
    line = line_of(*map(waiting, (5, 50, 6, 1, 49)))
    assert [taken(line), taken(line), taken(line)] == [[5, 6], [50, 49], [1]]


async def test_without_lengths_all_go_in_order_of_arrival() -> None:
    """Whoever came first leaves first."""
    those = [waiting(0) for _ in range(5)]
    line = line_of(*those)
    assert [line.take(0.0, 2), line.take(0.0, 2)] == [those[:2], those[2:4]]


async def test_who_has_waited_for_long_goes_before_a_better_length() -> None:
    """The bound on what another's length may cost."""
    line = line_of(*map(waiting, (5, 50)), *(waiting(5, since=1.0) for _ in range(4)))
    assert taken(line, now=PATIENCE_S) == [5, 50]


async def test_only_the_oldest_are_chosen_from() -> None:
    """However long the line is, its choice is short."""
    line = line_of(waiting(5), *(waiting(50) for _ in range(2 * CHOICE_CALLS - 1)), waiting(5))
    assert taken(line) == [5, 50]


async def test_the_size_is_what_still_waits() -> None:
    """It bounds the queue, whoever left it and how."""
    first, gone = waiting(1, inputs=2), waiting(1, inputs=3)
    line = line_of(first, gone, waiting(1, inputs=4))
    line.remove(gone)
    assert (line.size, len(line), gone in line) == (6, 2, False)
    assert line.take(0.0, 2) == [first]
    assert (line.size, line.oldest.inputs) == (4, ["x"] * 4)
