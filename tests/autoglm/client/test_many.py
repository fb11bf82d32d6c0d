"""Very many inputs: in order, in bounded memory, with what was done kept where something fails."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import httpx
import pytest

from autoglm import errors
from autoglm.client import AsyncAutoClient

pytestmark = pytest.mark.usefixtures("clean_environment")

Connect = Callable[..., Any]
CONCURRENCY, BATCH = 3, 4


def echo(request: httpx.Request) -> httpx.Response:
    """Each input is its own label."""
    found = [{"label": text, "score": 1} for text in json.loads(request.content)["inputs"]]
    return httpx.Response(200, json={"task": "t", "model": "m", "version": "v", "predictions": found})


def failing(bad: str) -> Callable[[httpx.Request], httpx.Response]:
    """The batch with this input is refused."""

    def answer(request: httpx.Request) -> httpx.Response:
        if bad in json.loads(request.content)["inputs"]:
            return httpx.Response(422, json={"error": {"message": f"inputs: {bad} is bad"}})
        return echo(request)

    return answer


def labels(client: Any, inputs: Any, **options: Any) -> Iterator[str]:
    options = {"concurrency": CONCURRENCY, "batch_size": BATCH, **options}
    return (found.label for found in client.predict_many("t", inputs, **options))


@pytest.mark.parametrize("count", [0, 1, 4, 5, 103])
def test_predictions_come_in_the_order_of_the_inputs(connect: Connect, count: int) -> None:
    """Whole batches, a last one that is not, a single input, none at all; progress counts to the end."""
    told: list[int] = []
    inputs = [str(number) for number in range(count)]
    assert list(labels(connect(echo), iter(inputs), progress=told.append)) == inputs
    assert told == sorted(told)
    assert told[-1:] == ([count] if count else [])


def test_a_slow_first_batch_holds_up_its_followers_and_not_their_work(connect: Connect, server: Any) -> None:
    """Order is kept while later batches overtake the first on the wire."""
    others = threading.Semaphore(0)

    def reply(request: Any) -> None:
        if "0" in request.sent["inputs"]:
            assert all(others.acquire(timeout=30) for _ in range(2))
        found = [{"label": text, "score": 1} for text in request.sent["inputs"]]
        others.release()
        request.answer({"task": "t", "model": "m", "version": "v", "predictions": found})

    server.replies["/v1/predict"] = reply
    inputs = [str(number) for number in range(12)]
    assert list(labels(connect(base_url=server.base_url), inputs)) == inputs


def test_inputs_are_taken_as_they_are_needed(connect: Connect) -> None:
    """An endless source is no trouble: at most twice the concurrency of batches is in memory."""
    taken = itertools.count()
    source = (str(next(taken)) for _ in itertools.repeat(None))
    found = labels(connect(echo), source)
    assert [next(found) for _ in range(10)] == [str(number) for number in range(10)]
    assert next(taken) <= 10 + 2 * CONCURRENCY * BATCH


def test_every_batch_belongs_to_the_callers_trace(connect: Connect) -> None:
    """Also those that are sent by other threads, which have a context of their own."""
    trace: ContextVar[str | None] = ContextVar("trace", default=None)
    sent: list[str] = []

    def network(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["traceparent"])
        return echo(request)

    trace.set("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    list(labels(connect(network, trace=trace.get), [str(number) for number in range(20)]))
    assert sent == [trace.get()] * 5


def test_a_failing_batch_says_what_is_done_and_which_inputs_it_had(connect: Connect) -> None:
    """What was yielded before stays with the caller, who can go on behind it."""
    found = labels(connect(failing("9")), [str(number) for number in range(40)])
    with pytest.raises(errors.BatchError, match=r"inputs 8 to 11 failed, after 8 results: inputs: 9 is bad") as caught:
        list(found)
    assert caught.value.done == 8
    assert list(caught.value.indices) == [8, 9, 10, 11]
    assert isinstance(caught.value.__cause__, errors.UnprocessableEntityError)


def test_what_came_before_a_failing_batch_is_yielded(connect: Connect) -> None:
    """The failure of a later batch takes nothing from the earlier ones, though it may be known first."""
    found = labels(connect(failing("9")), [str(number) for number in range(40)])
    assert [next(found) for _ in range(8)] == [str(number) for number in range(8)]
    with pytest.raises(errors.BatchError):
        next(found)


def test_an_answer_of_another_length_is_an_error(connect: Connect) -> None:
    """Otherwise every later prediction would be another input's."""
    one = {"task": "t", "model": "m", "version": "v", "predictions": [{"label": "a", "score": 1}]}
    with pytest.raises(errors.BatchError, match="got 1 predictions for 2 inputs"):
        list(labels(connect(lambda _: httpx.Response(200, json=one)), ["a", "b"]))


def test_closing_it_sends_nothing_more(connect: Connect) -> None:
    """A caller who has seen enough ends the work."""
    taken = itertools.count()
    found = connect(echo).predict_many("t", (str(next(taken)) for _ in itertools.repeat(None)), batch_size=1)
    next(found)
    found.close()
    before = next(taken)
    assert list(found) == []
    assert next(taken) == before + 1


def test_closing_the_async_iterator_hangs_up_on_what_is_under_way(server: Any) -> None:
    """The server's work is stopped with it."""
    asked, hung_up = threading.Event(), threading.Event()

    def reply(request: Any) -> None:
        if request.sent["inputs"] == ["0"]:
            assert asked.wait(30)
            answer = {"task": "t", "model": "m", "version": "v", "predictions": [{"label": "0", "score": 1}]}
            request.answer(answer)
        else:
            asked.set()
            if not request.rfile.read(1):
                hung_up.set()
            request.cut()

    server.replies["/v1/predict"] = reply

    async def main() -> None:
        async with AsyncAutoClient(base_url=server.base_url) as client:
            found = client.predict_many("t", ["0", "1", "2"], concurrency=2, batch_size=1)
            assert (await anext(found)).label == "0"
            await found.aclose()
            assert await asyncio.to_thread(hung_up.wait, 30)

    asyncio.run(main())


@pytest.mark.parametrize("name", ["concurrency", "batch_size"])
def test_a_number_that_cannot_work_is_refused_at_once(connect: Connect, name: str) -> None:
    """At the call, not when the first prediction is asked for."""
    with pytest.raises(errors.ConfigError, match=f"{name}: got 0"):
        connect(echo).predict_many("t", [], **{name: 0})
