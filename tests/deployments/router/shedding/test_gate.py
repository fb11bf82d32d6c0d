"""The gate: who enters, who waits and in what order, who is refused, and that no place is lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from autoglm.errors import BadRequestError, DeadlineExceededError, UnavailableError
from deployments.router.shedding import Gate, LoadSheddingConfig, Priority, PriorityStatus, Slot
from tests.deployments.router.shedding.virtual_time import simulate

INTERACTIVE, BATCH = Priority.INTERACTIVE, Priority.BATCH


class Bench:
    """A gate of a fixed limit, and requests that stay inside until the test lets them go."""

    def __init__(self, limit: int = 1, **config: object) -> None:
        loop = asyncio.get_running_loop()
        settings = {"policy": "fixed", "initial_limit": limit, "min_limit": 1, "max_limit": limit} | config
        self.gate = Gate("chat", LoadSheddingConfig.model_validate(settings), clock=loop.time)
        self.inside: list[str] = []
        self._leaving: dict[str, asyncio.Event] = {}

    async def send(
        self, name: str, priority: Priority = INTERACTIVE, timeout_s: float | None = None
    ) -> asyncio.Task[None]:
        self._leaving[name] = asyncio.Event()
        task = asyncio.create_task(self._visit(name, priority, timeout_s))
        await settled()
        return task

    def release(self, name: str) -> None:
        self._leaving[name].set()

    async def leave(self, name: str) -> None:
        self.release(name)
        await settled()

    async def _visit(self, name: str, priority: Priority, timeout_s: float | None) -> None:
        with await self.gate.enter(priority, timeout_s):
            self.inside.append(name)
            try:
                await self._leaving[name].wait()
            finally:
                self.inside.remove(name)


async def settled() -> None:
    """Let everything that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """A test of waits that nobody waits for."""

    def simulated() -> None:
        simulate(test())

    simulated.__doc__ = test.__doc__
    return simulated


def at_once(coroutine: Coroutine[Any, Any, Slot]) -> Slot:
    """The slot of a request that waits for nothing: its coroutine ends with the first step."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        slot: Slot = done.value
        return slot
    coroutine.close()
    raise AssertionError("it waits")


def test_with_room_there_is_nothing_to_wait_for() -> None:
    """No task, no future, not even an event loop: the common case costs next to nothing."""
    gate = Gate("chat")
    with at_once(gate.enter()), at_once(gate.enter(BATCH)):
        assert gate.status().in_flight == 2
    assert gate.status().in_flight == 0


@in_virtual_time
async def test_who_waits_enters_in_order_and_interactive_before_batch() -> None:
    """Also before a batch request that has waited longer."""
    bench = Bench()
    names = {"first": INTERACTIVE, "b1": BATCH, "b2": BATCH, "i1": INTERACTIVE, "i2": INTERACTIVE}
    for name, priority in names.items():
        await bench.send(name, priority)
    order = []
    while bench.inside:
        order += bench.inside
        await bench.leave(order[-1])
    assert order == ["first", "i1", "i2", "b1", "b2"]


@in_virtual_time
async def test_beside_interactive_traffic_batch_fills_its_share_and_alone_all() -> None:
    """It is beside it for some seconds after the last one, too; then nothing is kept free for nobody."""
    bench = Bench(limit=4, max_wait_s=120)
    await bench.send("i")
    for name in ("b1", "b2", "b3", "b4", "b5"):
        await bench.send(name, BATCH)
    assert bench.inside == ["i", "b1"]
    await bench.leave("i")
    assert bench.inside == ["b1", "b2"]
    await asyncio.sleep(60)
    await bench.send("b6", BATCH)
    assert bench.inside == ["b1", "b2"]  # nobody overtakes who waits, though there is room now
    await bench.leave("b1")
    assert bench.inside == ["b2", "b3", "b4", "b5"]
    await bench.leave("b2")
    for name in list(bench.inside):
        await bench.leave(name)


@in_virtual_time
async def test_one_batch_request_enters_however_many_interactive_ones_are_there() -> None:
    """It is served slowly, and not never."""
    bench = Bench(limit=4)
    for name in ("i1", "i2", "i3"):
        await bench.send(name)
    await bench.send("b1", BATCH)
    await bench.send("b2", BATCH)
    assert bench.inside == ["i1", "i2", "i3", "b1"]
    for name in ("i1", "i2", "i3", "b1", "b2"):
        await bench.leave(name)


@in_virtual_time
async def test_a_full_queue_refuses_its_own_priority_with_a_time_to_come_back() -> None:
    """Batch that floods its queue takes no place from who waits for an answer."""
    bench = Bench(max_waiting=1)
    await bench.send("first")
    await bench.send("b1", BATCH)
    refused = await bench.send("b2", BATCH)
    with pytest.raises(UnavailableError, match=r"chat is overloaded, 1 batch requests wait already") as caught:
        await refused
    assert (caught.value.retry_after or 0) >= 1
    await bench.send("i")
    await bench.leave("first")
    assert bench.inside == ["i"]
    assert bench.gate.status().batch == PriorityStatus(in_flight=0, waiting=1, admitted=0, refused=1)
    assert bench.gate.status().interactive == PriorityStatus(in_flight=1, waiting=0, admitted=2, refused=0)
    await bench.leave("i")
    await bench.leave("b1")


@in_virtual_time
async def test_who_has_waited_as_long_as_it_may_is_refused_and_leaves_the_queue() -> None:
    """The next place goes to one that can still use it."""
    bench = Bench(max_wait_s=5)
    await bench.send("first")
    late = await bench.send("late")
    await asyncio.sleep(4)
    await bench.send("last")
    with pytest.raises(UnavailableError, match=r"no place came free within 5\.0 s"):
        await late
    await bench.leave("first")
    assert bench.inside == ["last"]
    await bench.leave("last")


async def paced(bench: Bench) -> None:
    """Requests of ten seconds each, of which two wait: so that the gate knows its latency and its pace."""
    for name in ("a", "b", "c"):
        await bench.send(name)
    for name in ("a", "b"):
        await asyncio.sleep(10)
        await bench.leave(name)
    await bench.send("d")


@in_virtual_time
async def test_who_cannot_be_served_in_time_is_refused_at_once() -> None:
    """It may try elsewhere while there is time, instead of being told when there is none."""
    bench = Bench()
    await paced(bench)
    now = asyncio.get_running_loop().time()
    hasty = await bench.send("hasty", timeout_s=29)
    with pytest.raises(UnavailableError, match=r"it may wait for 9\.0 s, and the queue takes about 10\.0 s") as caught:
        await hasty
    assert caught.value.retry_after == pytest.approx(10)
    assert asyncio.get_running_loop().time() == pytest.approx(now)
    patient = await bench.send("patient", timeout_s=31)
    assert not patient.done()
    for name in ("c", "d", "patient"):
        await bench.leave(name)


@in_virtual_time
async def test_a_deadline_leaves_time_for_the_work() -> None:
    """Nobody is admitted with less left than the work takes: the answer would be for nobody."""
    bench = Bench()
    await paced(bench)
    await asyncio.sleep(10)
    await bench.leave("c")
    sent = asyncio.get_running_loop().time()
    waits = await bench.send("waits", timeout_s=25)
    with pytest.raises(UnavailableError, match="no place came free"):
        await waits
    assert asyncio.get_running_loop().time() - sent == pytest.approx(25 - 2 * 10)
    await bench.leave("d")


@in_virtual_time
async def test_a_burst_of_a_thousand_waits_and_is_refused_by_nobody() -> None:
    """The defaults bound a queue, they do not replace it."""
    bench = Bench(**LoadSheddingConfig().model_dump() | {"limit": 64})
    tasks = [await bench.send(str(number)) for number in range(1000)]
    for number in range(1000):
        await bench.leave(str(number))
    await asyncio.gather(*tasks)


@in_virtual_time
async def test_a_place_handed_to_one_who_has_just_gone_goes_to_the_next() -> None:
    """Nobody waits for a place that is free."""
    bench = Bench()
    await bench.send("first")
    handed = await bench.send("handed")
    await bench.send("next")
    bench.release("first")
    while "first" in bench.inside:  # noqa: ASYNC110 - one step at a time, so that `handed` has not gone on yet
        await asyncio.sleep(0)
    handed.cancel()
    await settled()
    assert bench.inside == ["next"]
    await bench.leave("next")
    assert bench.gate.status().in_flight == 0


@in_virtual_time
async def test_a_caller_who_goes_as_a_place_comes_free_is_passed_over() -> None:
    """It is cancelled, and its task has not gone on yet to leave the queue."""
    gate = Bench().gate
    slot = await gate.enter()
    gone, waits = asyncio.create_task(gate.enter()), asyncio.create_task(gate.enter())
    await settled()
    gone.cancel()
    slot.__exit__(None, None, None)
    with await waits:
        assert gate.status().in_flight == 1
    assert gone.cancelled()


@in_virtual_time
async def test_a_place_that_comes_at_the_last_moment_is_taken() -> None:
    """The end of the wait, in the same turn of the loop, finds it admitted already."""
    gate = Bench(max_wait_s=5).gate
    slot = await gate.enter()
    asyncio.get_running_loop().call_later(5 - 1e-10, slot.__exit__, None, None, None)
    with await gate.enter():
        assert gate.status().interactive.waiting == 0
    assert gate.status().in_flight == 0


@in_virtual_time
async def test_no_place_is_lost_whatever_callers_do() -> None:
    """Random visits, cancellations and time-outs: never above the limit, and in the end all is free and nobody waits.

    Nobody is left waiting beside a free place either: the run would hang, which the virtual time tells.
    """
    chance = random.Random(3)
    gate = Bench(limit=3, max_wait_s=2, max_waiting=20).gate

    async def visit() -> None:
        timeout_s = chance.choice([None, 0.5, 4.0])
        with await gate.enter(chance.choice(list(Priority)), timeout_s):
            assert gate.status().in_flight <= 3
            await asyncio.sleep(chance.expovariate(10))

    tasks = []
    for _ in range(3000):
        tasks.append(asyncio.create_task(visit()))
        await asyncio.sleep(chance.choice([0, 0, 0.05]))
        if chance.random() < 0.5:
            chance.choice(tasks[-20:]).cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(result) for result in results} == {type(None), UnavailableError, asyncio.CancelledError}
    status = gate.status()
    assert status.interactive.in_flight == status.batch.in_flight == 0
    assert status.interactive.waiting == status.batch.waiting == 0


@pytest.mark.parametrize(
    ("error", "latency_s"),
    [
        (None, 2.0),
        (BadRequestError("wrong"), 0.0),
        (asyncio.CancelledError(), 0.0),
        (DeadlineExceededError("late"), 0.0),
    ],
)
def test_only_an_answer_is_a_latency(error: BaseException | None, latency_s: float) -> None:
    """How fast a bad request fails, or a caller goes away, says nothing of the target."""
    now = [0.0]
    gate = Gate("chat", clock=lambda: now[0])
    slot = at_once(gate.enter())
    now[0] = 2.0
    slot.__exit__(type(error) if error else None, error, None)
    assert gate.status().latency_s == latency_s


def test_a_stream_gives_its_time_to_the_first_token() -> None:
    """It is a latency of the target also where the caller goes before the end; the length is the caller's wish."""
    gate = Gate("chat", clock=lambda: 0.0)
    slot = at_once(gate.enter())
    slot.sample(0.25)
    slot.__exit__(GeneratorExit, GeneratorExit(), None)
    assert gate.status().latency_s == 0.25


def test_timeouts_inside_lower_the_limit() -> None:
    """The deadline's error and asyncio's own."""
    now = [0.0]
    gate = Gate("chat", clock=lambda: now[0])
    for error in (DeadlineExceededError, TimeoutError):
        before = gate.status().limit
        for _ in range(40):
            slot = at_once(gate.enter())
            now[0] += 1.0
            slot.__exit__(error, error("late"), None)
        assert gate.status().limit < before
