"""The error table, row by row, against a server that breaks as it is told."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from autoglm import errors
from autoglm.client import Clock, RetryPolicy, Timeouts
from tests.autoglm.client.faulty_server import FAULTS, FaultyServer, outcome, random_plan

pytestmark = pytest.mark.usefixtures("clean_environment")

Connect = Callable[..., Any]
IMPATIENT = Timeouts(read=1.0)  # what a stall costs a test; a busy machine answers within it
VERY_IMPATIENT = Timeouts(read=0.2)  # where nothing but silence is to be met
RETRIED = [name for name, fault in FAULTS.items() if fault.retried != "never"]
CALLS = 1200
CONCURRENCY = 32


def first(fault: str) -> Callable[[str, int], str | None]:
    return lambda _, attempt: fault if attempt == 1 else None


def always(fault: str) -> Callable[[str, int], str | None]:
    return lambda *_: fault


@pytest.mark.parametrize("fault", RETRIED)
def test_a_passing_fault_is_tried_again_and_the_work_done_once(connect: Connect, fault: str) -> None:
    """The caller sees the answer, whatever happened on the way; also where the first attempt did its work unheard."""
    with FaultyServer(first(fault)) as server:
        answer = connect(base_url=server.base_url, timeout=IMPATIENT).predict("t", "x")
        assert answer.predictions[0].label == "label of x"
        assert (server.attempts("x"), server.executed["x"]) == (2, 1)


@pytest.mark.parametrize("fault", [name for name in FAULTS if FAULTS[name].error])
def test_a_lasting_fault_ends_in_its_error_after_the_attempts_of_the_table(connect: Connect, fault: str) -> None:
    """Three attempts where the table allows it, one where it does not, and the documented class in the end."""
    with FaultyServer(always(fault)) as server:
        timeout = VERY_IMPATIENT if fault == "stall" else IMPATIENT
        with pytest.raises(errors.AutoGLMError) as caught:
            connect(base_url=server.base_url, timeout=timeout).predict("t", "x")
        assert type(caught.value) is FAULTS[fault].error
        assert server.attempts("x") == (1 if FAULTS[fault].retried == "never" else 3)


@pytest.mark.parametrize(("fault", "attempts"), [("500", 1), ("stall", 1), ("503", 3), ("reset", 3)])
def test_a_chat_is_not_repeated_where_the_server_may_have_worked(connect: Connect, fault: str, attempts: int) -> None:
    """It costs tokens and answers differently each time: a 500 and a silence are left to the caller."""
    with FaultyServer(always(fault)) as server:
        with pytest.raises(FAULTS[fault].error or AssertionError):
            connect(base_url=server.base_url, timeout=VERY_IMPATIENT if fault == "stall" else IMPATIENT).chat("x")
        assert server.attempts("x") == attempts


def test_a_body_that_drips_is_an_answer(connect: Connect) -> None:
    """Slow is not broken, as long as no silence and not the whole is too long."""
    with FaultyServer(always("drip")) as server:
        assert connect(base_url=server.base_url).chat("x").text == "answer to x"


def test_a_stream_is_tried_again_only_before_its_first_token(connect: Connect) -> None:
    """What was handed on cannot be taken back: a second beginning would be another answer."""
    with FaultyServer(first("503")) as server:
        with connect(base_url=server.base_url).chat("x", stream=True) as chunks:
            assert [chunk.text for chunk in chunks] == ["first of x ", "second of x "]
        assert server.attempts("x") == 2
    with FaultyServer(first("truncated")) as server:
        stream = connect(base_url=server.base_url).chat("x", stream=True)
        assert next(stream).text == "first of x "
        with pytest.raises(errors.APIConnectionError):
            list(stream)
        assert server.attempts("x") == 1


def test_all_attempts_of_a_call_bear_one_idempotency_key(connect: Connect) -> None:
    """By it the server knows a repetition; the next call is another piece of work."""
    with FaultyServer(first("502")) as server:
        client = connect(base_url=server.base_url)
        client.predict("t", "x")
        client.predict("t", "y")
        keys = [request.key for request in server.requests]
    assert (keys[0], keys[2]) == (keys[1], keys[3])
    assert keys[0] != keys[2]


def test_nothing_at_the_address_is_tried_again(connect: Connect, clock: Any, server: Any) -> None:
    """A server that restarts refuses connections for a moment."""
    server.server_close()
    with pytest.raises(errors.APIConnectionError, match="nothing answers there"):
        connect(base_url=server.base_url).health()
    assert len(clock.waits) == 2


@pytest.mark.parametrize(("fault", "least", "most"), [("429 seconds", 1, 1.5), ("503", 2, 2.5), ("429 date", 1, 3.5)])
def test_the_wait_is_what_the_server_asked_for_and_a_jitter(
    connect: Connect, clock: Any, fault: str, least: float, most: float
) -> None:
    """In seconds or as a date; the jitter keeps clients that were refused together from coming back together."""
    with FaultyServer(first(fault)) as server:
        connect(base_url=server.base_url).predict("t", "x")
    [wait] = clock.waits
    assert least <= wait < most


@pytest.mark.parametrize("settings", [{}, {"timeout": Timeouts(total=30)}, {"retry": RetryPolicy(max_time_s=30)}])
def test_a_wait_beyond_the_time_left_is_not_begun(connect: Connect, clock: Any, settings: dict[str, Any]) -> None:
    """The caller learns at once what waiting would not change, and when to come back."""
    asked = 31 if settings else 61
    refused = httpx.Response(429, json={"error": {"message": "later"}}, headers={"retry-after": str(asked)})
    with pytest.raises(errors.RateLimitError) as caught:
        connect(lambda _: refused, **settings).health()
    assert caught.value.retry_after == asked
    assert clock.waits == []


def test_a_call_ends_with_its_total_time_however_slowly_it_drips(connect: Connect) -> None:
    """Each byte keeps the silence short; only the total sees how long it takes."""
    ticks = itertools.count()
    clock = Clock(now=lambda: float(next(ticks)))

    class Drip(httpx.SyncByteStream, httpx.AsyncByteStream):
        closed = False

        def __iter__(self) -> Any:
            return itertools.repeat(b" ")

        async def __aiter__(self) -> Any:
            for piece in itertools.repeat(b" "):
                yield piece

        def close(self) -> None:
            Drip.closed = True

        async def aclose(self) -> None:
            Drip.closed = True

    client = connect(lambda _: httpx.Response(200, stream=Drip()), timeout=Timeouts(total=20), clock=clock)
    with pytest.raises(errors.APITimeoutError, match="longer than 20 s"):
        client.health()
    assert Drip.closed


def test_each_attempt_has_only_the_time_that_is_left(connect: Connect, clock: Any) -> None:
    """Three attempts of the full read time-out would be three times the total; the server is told what is left."""
    limits, deadlines = [], []

    def network(request: httpx.Request) -> httpx.Response:
        limits.append(request.extensions["timeout"]["read"])
        deadlines.append(request.headers["x-request-timeout-s"])
        return httpx.Response(503, json={"error": {"message": "no"}}, headers={"retry-after": "4"})

    policy = RetryPolicy(base_s=0)
    with pytest.raises(errors.UnavailableError):
        connect(network, timeout=Timeouts(read=7, total=10), retry=policy).health()
    assert limits == [7, 6, 2]
    assert deadlines == ["10.000", "6.000", "2.000"]


def test_the_backoff_doubles_to_its_cap_with_full_jitter() -> None:
    """From nothing to the whole: the drawn part of base * 2^(n - 1), never more than the cap."""
    error = errors.UpstreamError("no")
    for drawn in (0.0, 0.5, 1.0):
        policy = RetryPolicy(max_attempts=9, base_s=0.5, cap_s=3, uniform=partial(float, drawn))
        waits = [policy.wait_s(attempt, error, left_s=100) for attempt in range(1, 6)]
        assert waits == [drawn * most for most in (0.5, 1, 2, 3, 3)]
    assert policy.wait_s(9, error, left_s=100) is None


@pytest.mark.parametrize("wrong", [{"max_attempts": 0}, {"max_time_s": -1}, {"base_s": float("nan")}, {"cap_s": -1}])
def test_a_policy_that_cannot_be_followed_is_refused(wrong: dict[str, Any]) -> None:
    """The message names the number."""
    with pytest.raises(errors.ConfigError, match=f"retry.{next(iter(wrong))}"):
        RetryPolicy(**wrong)


def test_of_very_many_calls_each_ends_in_its_answer_or_its_error(swarm: Callable[..., Any]) -> None:
    """A fifth of all attempts fails in every way there is: no call is lost, mixed up or done twice."""
    plan = random_plan(seed=7, share=0.2)
    names = [str(number) for number in range(CALLS)]
    with FaultyServer(plan) as server:
        ends = swarm(names, CONCURRENCY, base_url=server.base_url, timeout=Timeouts(read=5.0))
    assert ends == [outcome(plan, name, 3) or f"label of {name}" for name in names]
    assert max(server.executed.values()) == 1
    answered = {name for name, end in zip(names, ends, strict=True) if isinstance(end, str)}
    assert answered <= set(server.executed)
    assert len(answered) < CALLS
