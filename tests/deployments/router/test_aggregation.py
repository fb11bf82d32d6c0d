"""Aggregation: when a call is sent, what it carries, and whom its outcome reaches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from autoglm.errors import APIStatusError, UnavailableError, UnprocessableEntityError, UpstreamError
from deployments.router.aggregation import Aggregator, Dispatched, Inputs, Outcome, Request

CALLER: ContextVar[str] = ContextVar("CALLER")


class Replica:
    """A target whose calls are answered when the test says so."""

    def __init__(self) -> None:
        self.calls: list[list[Inputs]] = []
        self.left: list[list[float | None]] = []
        self.callers: list[str | None] = []
        self.cancelled: list[int] = []
        self._answers: list[asyncio.Future[list[Outcome]]] = []

    async def __call__(self, requests: list[Request]) -> list[Outcome]:
        call = len(self.calls)
        self.calls.append([inputs for inputs, _ in requests])
        self.left.append([left for _, left in requests])
        self.callers.append(CALLER.get(None))
        self._answers.append(asyncio.get_running_loop().create_future())
        try:
            return await self._answers[-1]
        except asyncio.CancelledError:
            self.cancelled.append(call)
            raise

    def answer(self, call: int, *outcomes: Outcome) -> None:
        self._answers[call].set_result(list(outcomes or map(echo, self.calls[call])))

    def fail(self, call: int, fault: BaseException) -> None:
        self._answers[call].set_exception(fault)


class FakeClock:
    """The time of an event loop, which passes when the test says so."""

    def __init__(self) -> None:
        self._now = 100.0
        self._timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self._now

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.Handle:
        self._timers.append((when, callback))
        return asyncio.Handle(callback, (), asyncio.get_running_loop())  # as uvloop's, where the time has come

    async def pass_s(self, seconds: float) -> None:
        self._now += seconds
        due = [timer for timer in self._timers if timer[0] <= self._now]
        self._timers = [timer for timer in self._timers if timer[0] > self._now]
        for _, callback in due:
            callback()
        await settled()


def echo(inputs: Inputs) -> dict[str, Any]:
    return {"outputs": inputs}


async def settled() -> None:
    """Let everything that can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


class Bench:
    """An aggregator over a replica, with the requests that were submitted to it."""

    def __init__(
        self, *, max_batch_size: int = 4, slots: int = 1, max_waiting_inputs: int = 100, **options: Any
    ) -> None:
        self.replica = Replica()
        self.clock = FakeClock()
        self.aggregator = Aggregator(
            self.replica,
            max_batch_size=max_batch_size,
            slots=slots,
            max_waiting_inputs=max_waiting_inputs,
            clock=lambda: self.clock,
            **options,
        )

    async def submit(self, *requests: Inputs) -> list[asyncio.Task[dict[str, Any]]]:
        tasks = [asyncio.create_task(self.aggregator.submit(inputs)) for inputs in requests]
        await settled()
        return tasks


async def test_a_lone_request_is_sent_at_once_and_what_waits_goes_in_few_calls_in_order() -> None:
    """The point of it all: no window to wait for, and one call for many who came meanwhile."""
    bench = Bench()
    tasks = await bench.submit(["a"], ["b"], ["c"], ["d", "e"])
    assert bench.replica.calls == [[["a"]]]
    bench.replica.answer(0)
    await settled()
    assert bench.replica.calls[1:] == [[["b"], ["c"]]]
    bench.replica.answer(1)
    await settled()
    bench.replica.answer(2)
    assert await asyncio.gather(*tasks) == [echo(["a"]), echo(["b"]), echo(["c"]), echo(["d", "e"])]


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
    _, good, bad, _ = await bench.submit(["first"], ["good"], ["bad"], ["two", "more"])
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
    _, answered, forgotten, _ = await bench.submit(["first"], ["a"], ["b"], ["two", "more"])
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
    bench = Bench(max_batch_size=2, slots=3)
    await bench.submit([1], [2], [3], [4])
    assert bench.replica.calls == [[[1]], [[2], [3]]]


async def test_what_waits_for_a_busy_model_leaves_together_after_the_longest_wait() -> None:
    """Whether the call under way has returned or not, and no sooner as long as nothing is known of the model."""
    bench = Bench(slots=3, max_wait_s=0.01)
    await bench.submit([1], [2])
    await bench.clock.pass_s(0.009)
    await bench.submit([3])
    assert bench.replica.calls == [[[1]]]
    await bench.clock.pass_s(0.002)
    assert bench.replica.calls == [[[1]], [[2], [3]]]
    await bench.submit([4])
    await bench.clock.pass_s(0.011)
    assert bench.replica.calls[2:] == [[[4]]]


async def known_to_take_4_ms(bench: Bench) -> None:
    """One call, from which the bench knows how long its model takes."""
    await bench.submit(["a call of 4 ms"])
    await bench.clock.pass_s(0.004)
    bench.replica.answer(0)
    await settled()
    bench.replica.calls.clear()


async def test_what_waits_leaves_so_that_it_arrives_as_the_model_becomes_free() -> None:
    """A model that is known to take 4 ms is sent the next call before they are over, not after the longest wait."""
    bench = Bench(slots=2, max_wait_s=0.01)
    await known_to_take_4_ms(bench)
    await bench.submit([1], [2])
    await bench.clock.pass_s(0.0015)
    assert bench.replica.calls == [[[1]]]
    await bench.clock.pass_s(0.0005)
    assert bench.replica.calls == [[[1]], [[2]]]


async def test_less_than_its_share_waits_for_company_and_leaves_as_soon_as_it_came() -> None:
    """Callers who will ask again are under way; with half of all inputs gathered, no more can be expected."""
    bench = Bench(slots=2, max_wait_s=0.01)
    await known_to_take_4_ms(bench)
    await bench.submit([1, 2, 3], [4])
    await bench.clock.pass_s(0.005)
    assert bench.replica.calls == [[[1, 2, 3]]]
    await bench.submit([5, 6])
    assert bench.replica.calls == [[[1, 2, 3]], [[4], [5, 6]]]


async def test_a_timer_for_the_longest_wait_does_not_hold_up_what_is_due_before() -> None:
    """The share was complete after the timer was set, and before the model was about to be free."""
    bench = Bench(slots=2, max_wait_s=0.01)
    await known_to_take_4_ms(bench)
    await bench.submit([1, 2], [3])
    await bench.clock.pass_s(0.001)
    await bench.submit([4])
    assert bench.replica.calls == [[[1, 2]]]
    await bench.clock.pass_s(0.0015)
    assert bench.replica.calls == [[[1, 2]], [[3], [4]]]


async def test_a_request_leaves_at_once_as_long_as_a_replica_is_free() -> None:
    """Two replicas compute two calls at a time, so only the third waits."""
    bench = Bench(slots=8, replicas=2)
    await bench.submit([1], [2], [3])
    assert bench.replica.calls == [[[1]], [[2]]]


async def test_the_replica_is_told_what_is_left_of_each_deadline() -> None:
    """What a request has waited here is gone; one without a deadline has none."""
    bench = Bench(slots=2, max_wait_s=0.5)
    await bench.submit(["first"])
    tasks = [asyncio.create_task(bench.aggregator.submit(["a"], timeout_s=5)), *await bench.submit(["b"])]
    await bench.clock.pass_s(0.5)
    assert bench.replica.calls[1:] == [[["a"], ["b"]]]
    assert bench.replica.left == [[None], [4.5, None]]
    bench.replica.answer(1)
    await asyncio.gather(*tasks)


async def test_a_call_is_cancelled_with_its_last_caller_and_not_before() -> None:
    """One who goes does not take the others' answer away; when all have gone, the replica need not go on."""
    bench = Bench(slots=2, max_wait_s=0.01)
    _, one, other, _ = await bench.submit(["first"], ["a", "b"], ["c"], ["two", "more"])
    await bench.clock.pass_s(0.01)
    one.cancel()
    await settled()
    assert bench.replica.cancelled == []
    other.cancel()
    await settled()
    assert bench.replica.cancelled == [1]
    assert bench.replica.calls[2:] == [[["two", "more"]]]


async def test_each_caller_of_a_failed_call_gets_an_error_of_its_own() -> None:
    """One that is raised in several tasks would grow a traceback with each of them."""
    bench = Bench()
    _, *failed, _ = await bench.submit(["first"], ["a"], ["b"], ["two", "more"])
    bench.replica.answer(0)
    await settled()
    bench.replica.fail(1, UnavailableError("full", retry_after=1.0))
    errors = await asyncio.gather(*failed, return_exceptions=True)
    assert [(str(error), error.retry_after) for error in errors] == [("full", 1.0)] * 2  # type: ignore[union-attr]
    assert errors[0] is not errors[1]


async def test_a_call_runs_in_the_context_of_its_first_request() -> None:
    """Traces and the choice of a replica read it; it must not be that of whoever came by when the call was sent."""
    bench = Bench(slots=2, max_wait_s=0.01)
    for name in ("first", "second", "third"):
        CALLER.set(name)
        await bench.submit([name])
    CALLER.set("the timer's")
    await bench.clock.pass_s(0.01)
    assert bench.replica.callers == ["first", "second"]


async def test_texts_that_wait_are_called_with_their_like() -> None:
    """A batch is padded to its longest text."""
    bench = Bench(max_batch_size=2, by_length=True)
    await bench.submit(["first"], ["oo"], ["oooooooo"], ["ooo"])
    bench.replica.answer(0)
    await settled()
    assert bench.replica.calls[1:] == [[["oo"], ["ooo"]]]


async def test_what_is_no_text_is_sent_on_among_texts() -> None:
    """It is the replica that refuses it, by name."""
    bench = Bench(by_length=True)
    await bench.submit([None, 7, "text"])
    assert bench.replica.calls == [[[None, 7, "text"]]]


async def test_every_call_is_told_with_its_size_its_wait_and_its_share_of_a_batch() -> None:
    """So that metrics show whether aggregation works, and what it costs."""
    told: list[Dispatched] = []
    bench = Bench(max_batch_size=8, slots=2, max_wait_s=0.5, observe=told.append)
    await bench.submit(["first"], ["a", "b"])
    await bench.clock.pass_s(0.25)
    await bench.submit(["c"], ["two", "more"])
    await bench.clock.pass_s(0.25)
    assert told == [Dispatched(1, 0.0, 0.125), Dispatched(3, 0.5, 0.375)]
