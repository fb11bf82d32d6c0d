"""One computation for many: who gets what, and when it ends."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextvars import Context, copy_context

import pytest
from ray.serve import context as serve_context

from autoglm.errors import APIStatusError, DeadlineExceededError, InternalServerError, UnavailableError, UpstreamError
from deployments.router.cache import ANYTHING, Answer, CacheConfig, ResponseCache
from deployments.router.cache.context import detached
from tests.deployments.router.cache.engine import STREAM, Engine, drained, key, settled

MANY = 1_000


async def streams(
    cache: ResponseCache, engine: Engine, count: int = 1
) -> list[asyncio.Task[Answer[AsyncGenerator[bytes]]]]:
    """So many identical streamed requests, as far as they get."""
    tasks = [asyncio.create_task(cache.stream(key(stream=True), ANYTHING, engine.start)) for _ in range(count)]
    await settled()
    return tasks


async def wholes(cache: ResponseCache, engine: Engine, count: int = 1) -> list[asyncio.Task[Answer[bytes]]]:
    """So many identical whole ones."""
    tasks = [asyncio.create_task(cache.whole(key(), ANYTHING, engine.compute)) for _ in range(count)]
    await settled()
    return tasks


async def test_a_thousand_identical_requests_are_one_call() -> None:
    """Those who come first, and those who come while it runs."""
    cache, go = ResponseCache(CacheConfig()), asyncio.Event()
    engine = Engine(go, b"{}")
    tasks = await wholes(cache, engine, MANY // 2) + await wholes(cache, engine, MANY // 2)
    go.set()
    answers = await asyncio.gather(*tasks)
    assert {(answer.body, answer.state) for answer in answers} == {(b"{}", "miss")}
    assert (engine.calls, cache.status().joined, cache.status().flights) == (1, MANY - 1, 0)


async def test_a_thousand_identical_streams_are_one_call_and_each_has_every_event() -> None:
    """Late ones get what came so far, and then the rest as it comes."""
    cache, go = ResponseCache(CacheConfig()), asyncio.Event()
    engine = Engine(STREAM[0], go, *STREAM[1:])
    tasks = await streams(cache, engine, MANY // 2) + await streams(cache, engine, MANY // 2)
    bodies = [(await task).body for task in tasks]
    assert [await anext(body) for body in bodies] == [STREAM[0]] * MANY
    go.set()
    assert await asyncio.gather(*map(drained, bodies)) == [STREAM[1:]] * MANY
    assert engine.calls == 1


async def test_the_first_caller_may_leave_and_the_others_get_the_answer() -> None:
    """A flight belongs to nobody."""
    cache, go = ResponseCache(CacheConfig()), asyncio.Event()
    engine = Engine(go, b"{}")
    first, second = await wholes(cache, engine, 2)
    first.cancel()
    await settled()
    go.set()
    assert (await second).body == b"{}"
    assert engine.cancelled == 0


async def test_the_engine_stops_when_the_last_caller_has_gone_and_the_next_one_starts_anew() -> None:
    """Nobody computes for nobody, and nobody joins what is being cancelled."""
    cache, go = ResponseCache(CacheConfig()), asyncio.Event()
    engine = Engine(STREAM[0], go, *STREAM[1:])
    for task in await streams(cache, engine, 3):
        await (await task).body.aclose()
    again = await cache.stream(key(stream=True), ANYTHING, engine.start)  # before the cancellation was carried out
    assert (engine.calls, engine.cancelled) == (2, 1)
    go.set()
    assert await drained(again.body) == STREAM


@pytest.mark.parametrize("parting", ["closed", "closed before the first event", "dropped", "cancelled"])
async def test_a_stream_that_nobody_reads_any_more_is_stopped(parting: str) -> None:
    """However a response is given up: while it runs, before it began, by its task, or by being forgotten."""
    cache, never = ResponseCache(CacheConfig()), asyncio.Event()
    engine = Engine(STREAM[0], never)
    (task,) = await streams(cache, engine)
    answer = await task
    if parting == "cancelled":
        await anext(answer.body)
        reader = asyncio.create_task(drained(answer.body))
        await settled()
        reader.cancel()
    elif parting == "dropped":
        del answer, task
        gc.collect()
    else:
        if parting == "closed":
            await anext(answer.body)
        await answer.body.aclose()
    await settled()
    assert (engine.cancelled, cache.status().flights) == (1, 0)


async def test_an_error_before_the_first_event_reaches_all_each_as_its_own() -> None:
    """As an error with a status; a shared one would be given one caller's request id by another."""
    cache, go = ResponseCache(CacheConfig()), asyncio.Event()
    engine = Engine(go, UpstreamError("died", retry_after=1.0))
    tasks = await streams(cache, engine, 3)
    go.set()
    errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert [(type(error), str(error), getattr(error, "retry_after", None)) for error in errors] == [
        (UpstreamError, "died", 1.0)
    ] * 3
    assert len(set(map(id, errors))) == 3
    assert cache.status().entries == 0


async def test_an_error_after_the_first_event_comes_behind_what_came() -> None:
    """Also to those who joined late."""
    cache, go = ResponseCache(CacheConfig()), asyncio.Event()
    engine = Engine(*STREAM[:2], go, UpstreamError("died"))
    bodies = [(await task).body for task in await streams(cache, engine, 2)]
    go.set()
    for body in bodies:
        assert [await anext(body), await anext(body)] == STREAM[:2]
        with pytest.raises(UpstreamError, match="died"):
            await anext(body)
    assert cache.status().entries == 0


async def test_a_fault_of_the_program_is_told_without_details() -> None:
    """As everywhere: the log has it."""
    with pytest.raises(InternalServerError, match=r"failed: KeyError$"):
        await ResponseCache(CacheConfig()).whole(key(), ANYTHING, Engine(KeyError("secret")).compute)


async def test_the_starters_deadline_is_not_that_of_those_who_joined() -> None:
    """They ask once more, again in one flight."""
    cache, go = ResponseCache(CacheConfig()), asyncio.Event()
    hasty, patient = Engine(go, DeadlineExceededError("late")), Engine(b"{}")
    (first,) = await wholes(cache, hasty)
    others = await wholes(cache, patient, 5)
    go.set()
    with pytest.raises(DeadlineExceededError):
        await first
    assert {answer.body for answer in await asyncio.gather(*others)} == {b"{}"}
    assert (hasty.calls, patient.calls) == (1, 1)


async def test_past_the_bound_only_what_is_unread_is_held_and_nobody_joins() -> None:
    """A long stream read by someone slow costs what that one has still to read, and is not kept."""
    cache, go = ResponseCache(CacheConfig(max_entry_bytes=2)), asyncio.Event()
    engine = Engine(b"1", b"2", b"3", go, b"4", STREAM[-1])
    fast, slow = [(await task).body for task in await streams(cache, engine, 2)]
    assert [await anext(fast) for _ in range(3)] == [b"1", b"2", b"3"]
    assert await anext(slow) == b"1"
    (late,) = await streams(cache, engine)
    assert engine.calls == 2
    go.set()
    await settled()
    assert await drained(slow) == [b"2", b"3", b"4", STREAM[-1]]
    assert await drained(fast) == [b"4", STREAM[-1]]
    assert await drained((await late).body) == [b"1", b"2", b"3", b"4", STREAM[-1]]
    assert cache.status().entries == 0


async def test_who_waits_while_the_process_ends_is_told() -> None:
    """With an error that invites to try again, not with a hanging connection."""
    cache = ResponseCache(CacheConfig())
    tasks = await wholes(cache, Engine(asyncio.Event()), 2)
    await cache.aclose()
    for error in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(error, UnavailableError)
    assert all(isinstance(task.exception(), APIStatusError) for task in tasks)


def test_a_flight_is_out_of_reach_of_its_starters_cancellation_by_serve() -> None:
    """Serve cancels what a request started, by its internal id, when the client goes; the rest of it stays."""
    mine = serve_context._RequestContext(request_id="seen", _internal_request_id="mine")
    context = copy_context()
    context.run(serve_context._serve_request_context.set, mine)
    request = context.run(detached)[serve_context._serve_request_context]
    assert (request.request_id, request._internal_request_id) == ("seen", "")
    assert Context().run(detached).get(serve_context._serve_request_context) is None
