"""What is computed together, and who hears of a fault."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from deployments.predictor import scheduler
from deployments.predictor.scheduler import Scheduler


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


async def started(scheduler: Scheduler, *groups: list[int]) -> list[asyncio.Task[list[int]]]:
    """A task for each group, handed in one after the other."""
    tasks = []
    for group in groups:
        tasks.append(asyncio.create_task(scheduler.compute(group, [1] * len(group))))
        await asyncio.sleep(0)
    return tasks


async def test_what_waits_while_the_model_is_busy_is_computed_together(model: Model) -> None:
    """The first goes at once; those that came meanwhile share the next pass, and each gets its own outputs."""
    one = Scheduler(model.predict, pass_inputs=8, pass_tokens=None)
    tasks = await started(one, [1], [2, 3], [4])
    model.go.set()
    assert await asyncio.gather(*tasks) == [[2], [4, 6], [8]]
    assert model.passes == [[1], [2, 3, 4]]


async def test_passes_are_bounded_by_inputs_and_by_tokens(model: Model) -> None:
    """With a limit of tokens there is a pass for each core, and none holds more than the limit."""
    model.go.set()
    by_inputs = Scheduler(model.predict, pass_inputs=2, pass_tokens=None)
    await by_inputs.compute([1, 2, 3], [1, 1, 1])
    by_tokens = Scheduler(model.predict, pass_inputs=8, pass_tokens=10)
    assert await by_tokens.compute([4, 5, 6, 7], [4, 6, 1, 30]) == [8, 10, 12, 14]
    assert model.passes[:2] == [[1, 2], [3]]
    assert sorted(model.passes[2:]) == [[4, 5], [6], [7]]


async def test_a_fault_is_heard_by_its_own_pass_alone(model: Model) -> None:
    """The pass after a failed one is computed as if nothing had been."""
    one = Scheduler(model.predict, pass_inputs=1, pass_tokens=None)
    tasks = await started(one, [13], [1])
    model.go.set()
    with pytest.raises(ValueError, match="13"):
        await tasks[0]
    assert await tasks[1] == [2]


async def test_what_nobody_waits_for_is_not_computed(model: Model) -> None:
    """A caller that has gone takes its inputs along."""
    one = Scheduler(model.predict, pass_inputs=8, pass_tokens=None)
    tasks = await started(one, [1], [2], [3])
    tasks[1].cancel()
    await asyncio.sleep(0)
    model.go.set()
    assert await tasks[0] == [2]
    assert await tasks[2] == [6]
    assert model.passes == [[1], [3]]
