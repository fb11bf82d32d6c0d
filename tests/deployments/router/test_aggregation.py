"""Aggregation: when a call is sent, what it carries, and whom its outcome reaches."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from autoglm.errors import APIStatusError, UnavailableError, UnprocessableEntityError, UpstreamError
from deployments.router.aggregation import Aggregator, Inputs, Outcome


class Replica:
    """A target whose calls are answered when the test says so."""

    def __init__(self) -> None:
        self.calls: list[list[Inputs]] = []
        self.called = asyncio.Semaphore(0)
        self._answers: list[asyncio.Future[list[Outcome]]] = []

    async def __call__(self, requests: list[Inputs]) -> list[Outcome]:
        self.calls.append(requests)
        self.called.release()
        self._answers.append(asyncio.get_running_loop().create_future())
        return await self._answers[-1]

    def answer(self, call: int, *outcomes: Outcome) -> None:
        self._answers[call].set_result(list(outcomes or map(echo, self.calls[call])))

    def fail(self, call: int, fault: BaseException) -> None:
        self._answers[call].set_exception(fault)


def echo(inputs: Inputs) -> dict[str, Any]:
    return {"outputs": inputs}


async def settled() -> None:
    """Let everything that can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


class Bench:
    """An aggregator over a replica, with the requests that were submitted to it."""

    def __init__(
        self, *, max_batch_size: int = 4, slots: int = 1, max_waiting_inputs: int = 100, linger_s: float = 0.003
    ) -> None:
        self.replica = Replica()
        self._aggregator = Aggregator(
            self.replica,
            max_batch_size=max_batch_size,
            slots=slots,
            max_waiting_inputs=max_waiting_inputs,
            linger_s=linger_s,
        )

    async def submit(self, *requests: Inputs) -> list[asyncio.Task[dict[str, Any]]]:
        tasks = [asyncio.create_task(self._aggregator.submit(inputs)) for inputs in requests]
        await settled()
        return tasks


async def test_a_lone_request_is_sent_at_once_and_what_waits_goes_in_one_call_in_order() -> None:
    """The point of it all: no window to wait for, and one call for everyone who came meanwhile."""
    bench = Bench()
    lone, *others = await bench.submit(["a"], ["b"], ["c", "d"])
    assert bench.replica.calls == [[["a"]]]
    bench.replica.answer(0)
    await settled()
    assert bench.replica.calls[1:] == [[["b"], ["c", "d"]]]
    bench.replica.answer(1)
    assert await asyncio.gather(lone, *others) == [echo(["a"]), echo(["b"]), echo(["c", "d"])]


async def test_a_call_carries_at_most_a_batch_but_never_splits_a_request() -> None:
    """A request larger than a batch still goes, alone; nobody overtakes to fill a gap."""
    bench = Bench(max_batch_size=4)
    await bench.submit(["first"], ["a", "b", "c"], ["d", "e"], ["f"], list("ghijk"))
    for call in range(4):
        bench.replica.answer(call)
        await settled()
    assert bench.replica.calls[1:] == [[["a", "b", "c"]], [["d", "e"], ["f"]], [list("ghijk")]]


async def test_no_more_calls_are_under_way_than_there_are_slots() -> None:
    """A slot is taken by each call and given back when it ends, whichever way it ends."""
    bench = Bench(max_batch_size=1, slots=2)
    tasks = await bench.submit(["a"], ["b"], ["c"], ["d"])
    assert len(bench.replica.calls) == 2
    bench.replica.fail(1, UpstreamError("died"))
    await settled()
    assert bench.replica.calls[2:] == [[["c"]]]
    bench.replica.answer(0)
    await settled()
    assert bench.replica.calls[3:] == [[["d"]]]
    bench.replica.answer(2)
    bench.replica.answer(3)
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_an_error_of_one_request_does_not_touch_those_that_shared_its_call() -> None:
    """One caller's bad input is that caller's alone."""
    bench = Bench()
    _, good, bad = await bench.submit(["first"], ["good"], ["bad"])
    bench.replica.answer(0)
    await settled()
    bench.replica.answer(1, echo(["good"]), UnprocessableEntityError("unusable", param="inputs[0]"))
    assert await good == echo(["good"])
    with pytest.raises(UnprocessableEntityError, match="unusable"):
        await bad


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (UnavailableError("full", retry_after=1.0), UnavailableError),
        (ValueError("odd"), UpstreamError),
        (asyncio.CancelledError(), UpstreamError),
    ],
)
async def test_a_failed_call_fails_its_requests_and_no_others(
    fault: BaseException, raised: type[APIStatusError]
) -> None:
    """Nobody waits for ever for a call that broke, and those behind it are served."""
    bench = Bench(max_batch_size=2)
    first, *failed, last = await bench.submit(["first"], ["a"], ["b"], ["last"])
    bench.replica.answer(0)
    await settled()
    bench.replica.fail(1, fault)
    await settled()
    bench.replica.answer(2)
    for task in failed:
        with pytest.raises(raised):
            await task
    assert [await first, await last] == [echo(["first"]), echo(["last"])]


async def test_a_replica_that_answers_too_few_is_a_fault_of_its_own() -> None:
    """A request without an outcome gets an error instead of silence."""
    bench = Bench()
    _, answered, forgotten = await bench.submit(["first"], ["a"], ["b"])
    bench.replica.answer(0)
    await settled()
    bench.replica.answer(1, echo(["a"]))
    assert await answered == echo(["a"])
    with pytest.raises(UpstreamError):
        await forgotten


async def test_an_unexpected_fault_is_logged_and_not_told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the router itself did wrong is for its log."""
    monkeypatch.setattr(logging.getLogger("ray.serve"), "propagate", True)
    bench = Bench()
    (lone,) = await bench.submit(["a"])
    bench.replica.fail(0, KeyError("secret"))
    with pytest.raises(UpstreamError, match=r"failed: KeyError$"):
        await lone
    assert "KeyError: 'secret'" in caplog.text


async def test_the_inputs_of_a_caller_who_has_gone_are_not_sent() -> None:
    """A model computes nothing for nobody, and the place in the queue is free again."""
    bench = Bench(max_waiting_inputs=2)
    _, gone, stays = await bench.submit(["first"], ["gone"], ["stays"])
    gone.cancel()
    bench.replica.answer(0)
    await settled()
    assert bench.replica.calls[1:] == [[["stays"]]]
    await bench.submit(["c", "d"])
    bench.replica.answer(1)
    assert await stays == echo(["stays"])
    await settled()
    assert bench.replica.calls[2:] == [[["c", "d"]]]
    bench.replica.answer(2)


async def test_a_full_queue_refuses_and_has_room_again_once_it_is_sent() -> None:
    """Overload is told at once, with a time to come back, instead of growing a queue."""
    bench = Bench(max_waiting_inputs=2)
    _, waiting, refused = await bench.submit(["first"], ["a", "b"], ["c"])
    with pytest.raises(UnavailableError) as caught:
        await refused
    assert caught.value.retry_after
    bench.replica.answer(0)
    await settled()
    (welcome,) = await bench.submit(["c"])
    bench.replica.answer(1)
    await settled()
    bench.replica.answer(2)
    assert [await waiting, await welcome] == [echo(["a", "b"]), echo(["c"])]


async def test_while_a_call_is_under_way_a_full_one_leaves_and_a_part_waits() -> None:
    """A free slot is not taken for one input more: it waits for company, and a full call waits for nothing."""
    bench = Bench(max_batch_size=2, slots=3, linger_s=3600)
    await bench.submit([1], [2], [3], [4])
    assert bench.replica.calls == [[[1]], [[2], [3]]]


async def test_what_waits_leaves_together_when_it_has_lingered() -> None:
    """The wait for company ends after `linger_s`, whether the call under way has returned or not."""
    bench = Bench(slots=2, linger_s=0.001)
    await bench.submit([1], [2], [3])
    async with asyncio.timeout(10):
        await bench.replica.called.acquire()
        await bench.replica.called.acquire()
    assert bench.replica.calls == [[[1]], [[2], [3]]]
