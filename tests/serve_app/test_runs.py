"""How a router follows a run that the control plane keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from autoglm.contract.task_run import RunEvent, TaskRun
from autoglm.errors import NotFoundError, RateLimitError
from serve_app.runs import ClusterRuns
from tests.serve_app.http.runs import run_of

RUNNING, DONE = run_of(1, status="running"), run_of(1, answer="391")


class Kept:
    """A ledger in which a run goes on between two looks; each is a state and the events that are new by then."""

    def __init__(self, *looks: tuple[TaskRun, Sequence[RunEvent]]) -> None:
        self._looks = list(looks)
        self._now = looks[0][0]
        self.events: list[RunEvent] = []

    async def events_after(self, run: str, tenant: str, seq: int, limit: int) -> list[RunEvent]:
        if self._looks:
            self._now, news = self._looks.pop(0)
            self.events += news
        return [event for event in self.events if event.seq > seq][:limit]

    async def get(self, run: str, tenant: str) -> TaskRun:
        return self._now


class Absent:
    """A ledger that knows no run."""

    async def get(self, run: str, tenant: str) -> TaskRun:
        raise NotFoundError(f"run: there is no {run}")


class Pauses:
    """A clock that passes at once."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def event(seq: int, **fields: Any) -> RunEvent:
    return RunEvent(seq=seq, type=fields.pop("type", "step_started"), **fields)


def over(store: Any, pauses: Pauses, **options: Any) -> ClusterRuns:
    return ClusterRuns(store, lambda deployment, app: None, sleep=pauses, **options)


async def told(runs: ClusterRuns, after: int = 0) -> list[tuple[int, str]]:
    return [(event.seq, event.type) async for event in runs.follow(DONE.id, "acme", after)]


async def test_a_run_is_followed_to_its_end() -> None:
    """Events as they come, each once, and longer pauses while there are none."""
    end = event(3, type="answer", run=DONE)
    idle: tuple[TaskRun, list[RunEvent]] = (RUNNING, [])
    store = Kept((RUNNING, [event(1)]), idle, idle, (RUNNING, [event(2)]), idle, (DONE, [end]))
    pauses = Pauses()
    assert await told(over(store, pauses)) == [(1, "step_started"), (2, "step_started"), (3, "answer")]
    assert pauses.seconds[0] < pauses.seconds[1] > pauses.seconds[2]


async def test_the_end_is_told_even_where_its_event_was_lost() -> None:
    """The worker died after it told the end; and a run that was heard live has no events at all."""
    assert await told(over(Kept((RUNNING, [event(1)]), (DONE, [])), Pauses())) == [(1, "step_started"), (2, "answer")]
    assert await told(over(Kept((DONE, [])), Pauses())) == [(1, "answer")]


async def test_events_that_come_with_the_end_are_not_lost() -> None:
    """They may be told between the look at the events and the look at the run."""

    class Late(Kept):
        async def get(self, run: str, tenant: str) -> TaskRun:
            self.events += [event(2), event(3, type="answer", run=DONE)]
            return DONE

    runs = over(Late((RUNNING, [event(1)]), (DONE, [])), Pauses())
    assert await told(runs) == [(1, "step_started"), (2, "step_started"), (3, "answer")]


async def test_so_many_follow_and_no_more() -> None:
    """Each asks the control plane again and again; who is gone makes room."""
    runs = over(Kept((RUNNING, [event(1), event(2)])), Pauses(), max_followers=1)
    first = runs.follow(DONE.id, "acme", 0)
    await anext(first)
    with pytest.raises(RateLimitError):
        await told(runs)
    await first.aclose()
    await anext(runs.follow(DONE.id, "acme", 0))


async def test_a_run_that_is_stored_between_two_looks_is_found() -> None:
    """It was not in the store yet when that was asked, and in no planner's memory any more after that."""

    class Stored(Absent):
        looks = 0

        async def get(self, run: str, tenant: str) -> TaskRun:
            self.looks += 1
            return DONE if self.looks == 2 else await super().get(run, tenant)

    class Planners:
        def broadcast(self, *asked: Any) -> Any:
            return self

        async def results_async(self, *, timeout_s: float, return_exceptions: bool) -> list[Any]:
            return [None]

    runs = ClusterRuns(Stored(), lambda deployment, app: Planners())  # type: ignore[arg-type]
    assert await runs.get(DONE.id, "acme") == DONE


async def test_a_run_that_nobody_has_is_none() -> None:
    """Neither kept nor in a planner's memory; one that hangs is not waited for."""

    class Planners:
        def broadcast(self, *asked: Any) -> Any:
            return self

        async def results_async(self, *, timeout_s: float, return_exceptions: bool) -> list[Any]:
            return [None, TimeoutError()]

    runs = ClusterRuns(Absent(), lambda deployment, app: Planners())  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        await runs.get(DONE.id, "acme")
