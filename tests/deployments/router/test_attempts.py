"""A request's attempts over scripted replicas: what is tried again, where, how often, what a stream's caller gets."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from autoglm.errors import (
    APIStatusError,
    BadRequestError,
    CircuitOpenError,
    DeadlineExceededError,
    UnavailableError,
    UpstreamError,
)
from deployments.breaking import Breaker
from deployments.router.attempts import Attempts
from deployments.router.balancing import BalancingConfig, Pool
from deployments.router.balancing.attempt import ATTEMPT
from deployments.router.call import Call
from deployments.router.deadline import Deadline
from deployments.router.failures import ReplicaLostError
from deployments.router.policy import TargetPolicy
from deployments.router.retries import RetryBudget
from deployments.stream import Event, Opening, Progress

NO_PAUSE = {"backoff_s": 0, "max_backoff_s": 0}
OPENING = Opening("chat-1", 1, (1, 2, 3))
DONE = Event(b"data: [DONE]\n\n")


def attempts(clock: Callable[[], float] = time.monotonic, **policy: Any) -> Attempts:
    """Attempts that never pause."""
    declared = TargetPolicy.model_validate({"retries": NO_PAUSE | policy.pop("retries", {}), **policy})
    breaker = Breaker("chat", "v1", declared.breaker, clock=clock)
    return Attempts("chat", declared, breaker, clock, random.Random(1))


class Replicas:
    """Replicas `r0`, `r1`, …, the first that the attempt does not exclude; what each does is scripted by its place."""

    def __init__(self, *script: Any, pool: Pool | None = None) -> None:
        self._script = list(script)
        self._pool = pool
        self.asked: list[str] = []

    async def send(self) -> Any:
        attempt = ATTEMPT.get()
        assert attempt is not None
        attempt.replica = next(name for name in map("r{}".format, range(9)) if name not in attempt.excluded)
        self.asked.append(attempt.replica)
        if self._pool is not None:
            self._pool.chosen(attempt, attempt.replica)
        outcome = self._script.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return await outcome() if callable(outcome) else outcome


def died() -> UpstreamError:
    return UpstreamError("the replica died")


async def test_a_replica_that_failed_is_not_asked_again() -> None:
    """Each attempt goes to a replica that has not failed this request."""
    replicas = Replicas(died(), UnavailableError("full"), "answer")
    call = Call()
    assert await attempts().whole(call, replicas.send) == "answer"
    assert replicas.asked == ["r0", "r1", "r2"]
    assert call.retried == 2


@pytest.mark.parametrize("error", [BadRequestError("no"), CircuitOpenError("open"), DeadlineExceededError("late")])
async def test_what_another_replica_would_answer_alike_is_not_tried_again(error: APIStatusError) -> None:
    """The caller's own faults, an open breaker and a deadline that has passed cost one attempt."""
    replicas = Replicas(error)
    with pytest.raises(type(error)):
        await attempts().whole(Call(), replicas.send)
    assert len(replicas.asked) == 1


@pytest.mark.parametrize(("fallbacks", "waits"), [([], True), (["small"], False)])
async def test_a_target_with_fallbacks_does_not_wait_for_a_replica_to_start(fallbacks: list[str], waits: bool) -> None:
    """What has scaled to nothing, and nothing in its place, is worth waiting for."""

    async def send() -> bool:
        attempt = ATTEMPT.get()
        assert attempt is not None
        return attempt.may_wait

    assert await attempts(fallbacks=fallbacks).whole(Call(), send) is waits


async def test_a_request_is_tried_as_often_as_configured() -> None:
    """The last attempt's error is what the caller hears."""
    replicas = Replicas(died(), UpstreamError("the last"))
    with pytest.raises(UpstreamError, match="the last"):
        await attempts(retries={"max_attempts": 2}).whole(Call(), replicas.send)


async def test_all_targets_share_a_requests_retries() -> None:
    """What one target used up another does not have: retries do not multiply over hops."""
    call = Call(retries=RetryBudget(1))
    assert await attempts().whole(call, Replicas(died(), "answer").send) == "answer"
    second = Replicas(died(), "never")
    with pytest.raises(UpstreamError):
        await attempts().whole(call, second.send)
    assert second.asked == ["r0"]


async def test_a_targets_pool_bounds_the_retries_of_all_requests() -> None:
    """With the bucket empty a failure is told at once, whatever the request's own budget."""
    tried = attempts(retries={"capacity": 1, "ratio": 0, "min_per_s": 0}, breaker={"minimum_calls": 100})
    assert await tried.whole(Call(), Replicas(died(), "answer").send) == "answer"
    second = Replicas(died(), "never")
    with pytest.raises(UpstreamError):
        await tried.whole(Call(), second.send)
    assert second.asked == ["r0"]


async def test_the_breaker_hears_of_every_attempt_and_ends_them() -> None:
    """After enough failures the next request reaches no replica."""
    tried = attempts(breaker={"minimum_calls": 2}, retries={"max_attempts": 2})
    with pytest.raises(UpstreamError):
        await tried.whole(Call(), Replicas(died(), died()).send)
    unasked = Replicas("never")
    with pytest.raises(CircuitOpenError):
        await tried.whole(Call(), unasked.send)
    assert unasked.asked == []


async def test_one_lost_replica_of_several_does_not_open_the_breaker_and_two_in_a_row_do() -> None:
    """The other replicas are healthy, and what died is sent to them."""
    tried = attempts(breaker={"minimum_calls": 1})
    pool = Pool(BalancingConfig())
    pool.update(["r0", "r1"])
    lost = ReplicaLostError("the replica died")
    for _ in range(8):
        assert await tried.whole(Call(), Replicas(lost, "answer", pool=pool).send) == "answer"
    with pytest.raises(ReplicaLostError):
        await tried.whole(Call(), Replicas(lost, lost, pool=pool).send)
    with pytest.raises(CircuitOpenError):
        await tried.whole(Call(), Replicas("never", pool=pool).send)


async def test_a_breaker_that_opens_meanwhile_does_not_hide_what_happened() -> None:
    """The request reached a replica, so it is a 502; a 503 would say that it did not."""
    replicas = Replicas(died(), "never")
    with pytest.raises(UpstreamError, match="the replica died"):
        await attempts(breaker={"minimum_calls": 1}).whole(Call(), replicas.send)
    assert replicas.asked == ["r0"]


async def test_a_callers_short_deadline_does_not_speak_against_the_target() -> None:
    """Callers in a hurry cannot open the breaker for the others."""
    tried = attempts(breaker={"minimum_calls": 1})
    forever = Replicas(asyncio.Event().wait)
    with pytest.raises(DeadlineExceededError, match=r"0\.01 s"):
        await tried.whole(Call(deadline=Deadline(0.01)), forever.send)
    assert await tried.whole(Call(), Replicas("answer").send) == "answer"


async def test_an_attempt_that_is_given_up_goes_elsewhere() -> None:
    """A replica that hangs is found by its probes; its requests do not wait for the deadline."""

    async def hang() -> None:
        attempt = ATTEMPT.get()
        assert attempt is not None
        attempt.give_up()
        await asyncio.Event().wait()

    replicas = Replicas(hang, "answer")
    assert await attempts().whole(Call(), replicas.send) == "answer"
    assert replicas.asked == ["r0", "r1"]


async def test_a_slow_answer_is_asked_for_twice_and_the_slow_one_cancelled() -> None:
    """Hedging: the second replica's answer counts, and nothing goes on for the first."""
    cancelled = asyncio.Event()

    async def slow() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return "never"

    replicas = Replicas(slow, "answer")
    assert await attempts(hedging={"after_s": 0.001}).whole(Call(), replicas.send) == "answer"
    assert replicas.asked == ["r0", "r1"]
    assert cancelled.is_set()


async def test_a_quick_answer_is_not_hedged() -> None:
    """The second attempt is for slow ones alone."""
    replicas = Replicas("answer")
    assert await attempts(hedging={"after_s": 60}).whole(Call(), replicas.send) == "answer"
    assert replicas.asked == ["r0"]


async def test_a_hedge_is_paid_from_the_pool() -> None:
    """With the bucket empty a slow answer is waited for."""

    async def slow() -> str:
        await asyncio.sleep(0.02)  # longer than a hedge waits
        return "answer"

    tried = attempts(hedging={"after_s": 0.001}, retries={"capacity": 1, "ratio": 0, "min_per_s": 0})
    assert await tried.whole(Call(), Replicas(slow, "hedge").send) == "hedge"
    replicas = Replicas(slow, "never")
    assert await tried.whole(Call(), replicas.send) == "answer"
    assert replicas.asked == ["r0"]


def scripted(*streams: list[Event | BaseException]) -> tuple[Callable[[Progress | None], Any], list[Progress | None]]:
    """A function that begins one stream after the other, and the progress that each was told."""
    told: list[Progress | None] = []
    left = list(streams)

    def begin(progress: Progress | None) -> AsyncGenerator[Event]:
        told.append(
            None if progress is None else Progress(progress.opening, [*progress.token_ids], progress.characters)
        )

        async def events(script: list[Event | BaseException]) -> AsyncGenerator[Event]:
            for event in script:
                if isinstance(event, BaseException):
                    raise event
                yield event

        return events(left.pop(0))

    return begin, told


def token(number: int, opening: Opening | None = None) -> Event:
    return Event(f"data: {number}\n\n".encode(), (number,), 2, opening)


async def test_a_broken_stream_goes_on_where_it_broke_off() -> None:
    """The second replica is told what the caller has; nothing is lost and nothing comes twice."""
    begin, told = scripted([token(7, OPENING), token(8), died()], [token(9), DONE])
    tried = attempts()
    assert [event async for event in tried.stream(Call(), begin)] == [
        token(7).data,
        token(8).data,
        token(9).data,
        DONE.data,
    ]
    assert told == [None, Progress(OPENING, [7, 8], 4)]
    assert tried.tally.continued == 1


async def test_a_stream_that_broke_off_waits_for_a_replica_whatever_else_could_answer() -> None:
    """A fallback cannot go on with another model's answer; before the first event it may have all of it."""
    begin, _ = scripted([died()], [token(7, OPENING), died()], [DONE])
    waited: list[bool] = []

    def noted(progress: Progress | None) -> Any:
        attempt = ATTEMPT.get()
        assert attempt is not None
        waited.append(attempt.may_wait)
        return begin(progress)

    async for _ in attempts(fallbacks=["small"]).stream(Call(), noted):
        pass
    assert waited == [False, False, True]


async def test_a_stream_that_never_began_is_begun_again() -> None:
    """Before the first event there is nothing to continue."""
    begin, told = scripted([died()], [token(7), DONE])
    assert [event async for event in attempts().stream(Call(), begin)] == [token(7).data, DONE.data]
    assert told == [None, None]


async def test_a_stream_that_cannot_be_continued_breaks() -> None:
    """Its replica said so by leaving the opening out; the caller has events that another would not repeat."""
    begin, told = scripted([token(7), died()], [token(7), DONE])
    stream = attempts().stream(Call(), begin)
    assert await anext(stream) == token(7).data
    with pytest.raises(UpstreamError):
        await anext(stream)
    assert told == [None]


async def test_a_stream_that_has_ended_is_not_continued() -> None:
    """The replica may die between `[DONE]` and the end of its call."""
    begin, told = scripted([token(7, OPENING), DONE, died()])
    assert [event async for event in attempts().stream(Call(), begin)] == [token(7).data, DONE.data]
    assert told == [None]


async def test_a_probe_that_streams_has_succeeded_with_its_first_event() -> None:
    """A breaker that waited for the end of a long answer would refuse everyone meanwhile."""
    now = [0.0]
    tried = attempts(lambda: now[0], breaker={"minimum_calls": 1}, retries={"max_attempts": 1})
    with pytest.raises(UpstreamError):
        await tried.whole(Call(), Replicas(died()).send)
    now[0] += 60
    begin, _ = scripted([token(7), token(8), DONE])
    stream = tried.stream(Call(), begin)
    await anext(stream)
    await anext(stream)
    assert await tried.whole(Call(), Replicas("answer").send) == "answer"
    await stream.aclose()
