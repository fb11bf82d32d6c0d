"""What is computed together, and who hears of a fault."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from autoglm.errors import DeadlineExceededError
from deployments.predictor import scheduler
from deployments.predictor.scheduler import Job, Scheduler


class Model:
    """Doubles its inputs; holds every pass until it is let go."""

    def __init__(self) -> None:
        self.passes: list[list[int]] = []
        self.go = threading.Event()

    def predict(self, items: Sequence[int]) -> list[int]:
        self.passes.append(list(items))
        assert self.go.wait(10)
        if 13 in items:
            raise ValueError("13")
        return [2 * item for item in items]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    """A model on a machine of two cores."""
    monkeypatch.setattr(scheduler, "cores", lambda: 2)
    return Model()


def jobs(items: Sequence[int], tokens: Sequence[int] | None = None, deadline: float | None = None) -> list[Job]:
    """A job for each item, of one token each unless told otherwise."""
    loop = asyncio.get_running_loop()
    counts = tokens or [1] * len(items)
    return [Job(item, count, deadline, loop.create_future()) for item, count in zip(items, counts, strict=True)]


async def outputs(those: Sequence[Job]) -> list[int]:
    return await asyncio.gather(*(job.output for job in those))


def added(scheduler: Scheduler, *groups: list[int]) -> list[list[Job]]:
    """The jobs of each group, handed in one after the other."""
    those = [jobs(group) for group in groups]
    for group in those:
        scheduler.add(group)
    return those


async def test_what_waits_while_the_model_is_busy_is_computed_together(model: Model) -> None:
    """The first goes at once; those that came meanwhile share the next pass, and each gets its own outputs."""
    one = Scheduler(model.predict, pass_inputs=8, pass_tokens=None)
    groups = added(one, [1], [2, 3], [4])
    model.go.set()
    assert [await outputs(group) for group in groups] == [[2], [4, 6], [8]]
    assert model.passes == [[1], [2, 3, 4]]


async def test_passes_are_bounded_by_inputs_and_by_tokens(model: Model) -> None:
    """With a limit of tokens there is a pass for each core, and none holds more than the limit."""
    model.go.set()
    by_inputs = Scheduler(model.predict, pass_inputs=2, pass_tokens=None)
    [three] = added(by_inputs, [1, 2, 3])
    await outputs(three)
    by_tokens = Scheduler(model.predict, pass_inputs=8, pass_tokens=10)
    four = jobs([4, 5, 6, 7], tokens=[4, 6, 1, 30])
    by_tokens.add(four)
    assert await outputs(four) == [8, 10, 12, 14]
    assert model.passes[:2] == [[1, 2], [3]]
    assert sorted(model.passes[2:]) == [[4, 5], [6], [7]]


async def test_what_waits_is_shared_by_the_cores_that_are_free(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evenly, on a thread each; an input that is alone has all of them."""
    threads: list[int] = []
    monkeypatch.setattr(scheduler, "use_threads", threads.append)
    model.go.set()
    one = Scheduler(model.predict, pass_inputs=8, pass_tokens=10)
    together = jobs([1, 2, 3], tokens=[2, 2, 4])
    one.add(together)
    await outputs(together)
    assert sorted(model.passes) == [[1, 2], [3]]
    [alone] = added(one, [4])
    await outputs(alone)
    assert threads == [1, 1, 2]


async def test_the_next_pass_does_not_wait_for_the_event_loop(model: Model) -> None:
    """The thread that has computed one takes it, while the loop is busy with something else."""
    computed = threading.Barrier(2, timeout=10)

    def predict(items: Sequence[int]) -> list[int]:
        if items == [2]:
            computed.wait()
        return model.predict(items)

    one = Scheduler(predict, pass_inputs=1, pass_tokens=None)
    groups = added(one, [1], [2])
    model.go.set()
    computed.wait()  # blocks the loop
    assert [await outputs(group) for group in groups] == [[2], [4]]


async def test_a_fault_is_heard_by_its_own_pass_alone(model: Model) -> None:
    """The pass after a failed one is computed as if nothing had been."""
    one = Scheduler(model.predict, pass_inputs=1, pass_tokens=None)
    bad, good = added(one, [13], [1])
    model.go.set()
    with pytest.raises(ValueError, match="13"):
        await outputs(bad)
    assert await outputs(good) == [2]


async def test_a_model_that_gives_too_few_outputs_leaves_nobody_waiting() -> None:
    """Its fault is told, as one that it raised would be."""
    one = Scheduler(lambda items: items[1:], pass_inputs=8, pass_tokens=None)
    _, second = await asyncio.gather(*map(outputs, added(one, [1], [2, 3])), return_exceptions=True)
    assert isinstance(second, ValueError)


async def test_what_nobody_waits_for_is_not_computed(model: Model) -> None:
    """A caller that has gone takes its inputs along."""
    one = Scheduler(model.predict, pass_inputs=8, pass_tokens=None)
    first, gone, last = added(one, [1], [2], [3])
    gone[0].output.cancel()
    model.go.set()
    assert [await outputs(first), await outputs(last)] == [[2], [6]]
    assert model.passes == [[1], [3]]


async def test_what_is_past_its_deadline_when_the_model_is_free_is_not_computed(model: Model) -> None:
    """Nobody waits for it any more, and what is behind it has its place."""
    now = 10.0
    one = Scheduler(model.predict, pass_inputs=8, pass_tokens=None, clock=lambda: now)
    [first] = added(one, [1])
    late, in_time = jobs([2], deadline=11.0), jobs([3], deadline=12.0)
    one.add([*late, *in_time])
    now = 11.0
    model.go.set()
    with pytest.raises(DeadlineExceededError, match="allow more time"):
        await outputs(late)
    assert [await outputs(first), await outputs(in_time)] == [[2], [6]]
    assert model.passes == [[1], [3]]
