"""A call inside its bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from autoglm.errors import (
    APIStatusError,
    CircuitOpenError,
    DeadlineExceededError,
    NotFoundError,
    PayloadTooLargeError,
    RateLimitError,
    UnavailableError,
    UnprocessableEntityError,
    UpstreamError,
)
from deployments.tools.catalogue import Catalogue
from deployments.tools.gate import WAITING_PER_PLACE
from deployments.tools.host import Host
from tests.deployments.tools.scripted_source import Held, ScriptedSource, Shelf, echo, entry, settled

NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}


class Hosted:
    """A host of one scripted tool, `t`, and its clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.shelf = Shelf()
        self.catalogue = Catalogue(self.shelf, clock=lambda: self.now, drain_s=0)
        self.host = Host(self.catalogue, lambda: self.now)

    async def start(self, source: ScriptedSource, **bounds: Any) -> ScriptedSource:
        self.shelf.sources["tools:t"] = source
        self.catalogue.update([entry("t", **bounds)])
        while not self.catalogue.listing().tools:
            await self.catalogue.changed(self.catalogue.listing().version, 10)
        return source

    async def call(self, arguments: dict[str, Any] | None = None, key: str = "k", timeout_s: float = 10) -> Any:
        return await self.host.call("t", arguments or {}, key, timeout_s)

    def begin(self, key: str = "k", timeout_s: float = 10) -> asyncio.Task[Any]:
        return asyncio.create_task(self.call(key=key, timeout_s=timeout_s))


@pytest.fixture
async def hosted() -> AsyncIterator[Hosted]:
    made = Hosted()
    yield made
    await made.host.aclose()


async def test_a_call_reaches_the_tool_with_its_key(hosted: Hosted) -> None:
    """And its result comes back as it is."""
    source = await hosted.start(ScriptedSource("t", parameters=NUMBER, returns=NUMBER))
    assert await hosted.call({"n": 1}) == {"n": 1}
    assert source.calls == [("t", {"n": 1}, "k")]


class Opening(ScriptedSource):
    """One that takes until the test lets it go."""

    def __init__(self, *names: str) -> None:
        super().__init__(*names)
        self.go = asyncio.Event()

    async def open(self, changed: Callable[[], None]) -> None:
        await self.go.wait()
        await super().open(changed)


async def test_a_tool_whose_entry_is_being_opened_is_waited_for(hosted: Hosted) -> None:
    """In a host that takes the place of one that died: what has effects is called once, and would not be sent again."""
    hosted.shelf.sources["tools:t"] = source = Opening("t")
    hosted.catalogue.update([entry("t")])
    with pytest.raises(UnavailableError, match="being loaded"):
        await hosted.call(timeout_s=0.01)
    call = hosted.begin()
    await settled()
    assert not call.done()
    source.go.set()
    assert await call == {}
    assert source.calls == [("t", {}, "k")]


async def test_an_unknown_tool_is_not_found(hosted: Hosted) -> None:
    """Before anything is asked of anyone."""
    with pytest.raises(NotFoundError):
        await hosted.call()


@pytest.mark.parametrize(
    ("arguments", "error", "param"),
    [
        ({"n": "one"}, UnprocessableEntityError, "n"),
        ({}, UnprocessableEntityError, "n"),
        ({"n": 1, "m": 2}, UnprocessableEntityError, "m"),
        ({"n": float("nan")}, UnprocessableEntityError, "arguments"),
        ({"n": 1, "m": "x" * 100}, PayloadTooLargeError, None),
    ],
)
async def test_arguments_that_do_not_fit_never_reach_the_tool(
    hosted: Hosted, arguments: dict[str, Any], error: type[APIStatusError], param: str | None
) -> None:
    """The error names the field."""
    source = await hosted.start(ScriptedSource("t", parameters=NUMBER), max_argument_bytes=50)
    with pytest.raises(error) as refused:
        await hosted.call(arguments)
    assert refused.value.param == param
    assert not source.calls


@pytest.mark.parametrize(
    ("result", "told"),
    [({"n": "one"}, "schema"), ("x" * 100_000_000, "max_result_bytes, 1000"), ({"n": float("inf")}, "JSON")],
)
async def test_a_result_that_does_not_fit_is_an_upstream_error(hosted: Hosted, result: Any, told: str) -> None:
    """A hundred megabytes among them; the breaker does not blame the tool for what it was asked."""

    async def answer(arguments: dict[str, Any], key: str) -> Any:
        return result

    await hosted.start(ScriptedSource("t", answer=answer, returns=NUMBER), max_result_bytes=1000)
    for number in range(6):
        with pytest.raises(UpstreamError, match=told):
            await hosted.call(key=str(number))


async def test_a_call_of_the_same_key_is_executed_once(hosted: Hosted) -> None:
    """Sent again while it runs, or afterwards; another key is another call."""
    held = Held()
    source = await hosted.start(ScriptedSource("t", answer=held))
    first, second = hosted.begin(), hosted.begin()
    await held.begun.acquire()
    held.go.set()
    assert [await first, await second, await hosted.call()] == ["done"] * 3
    assert len(source.calls) == 1
    await hosted.call(key="another")
    assert len(source.calls) == 2


async def test_a_key_that_comes_with_other_arguments_is_refused(hosted: Hosted) -> None:
    """While the first call runs, and afterwards."""
    held = Held()
    await hosted.start(ScriptedSource("t", answer=held))
    first = hosted.begin()
    await held.begun.acquire()
    with pytest.raises(UnprocessableEntityError, match="idempotency key"):
        await hosted.call({"other": 1})
    held.go.set()
    await first
    with pytest.raises(UnprocessableEntityError, match="idempotency key"):
        await hosted.call({"other": 1})


async def test_a_call_that_failed_is_executed_again(hosted: Hosted) -> None:
    """Its effect is the tool's to know, by the key."""
    answers: list[Any] = [UpstreamError("not now"), "done"]

    async def answer(arguments: dict[str, Any], key: str) -> Any:
        if isinstance(found := answers.pop(0), Exception):
            raise found
        return found

    source = await hosted.start(ScriptedSource("t", answer=answer))
    with pytest.raises(UpstreamError):
        await hosted.call()
    assert await hosted.call() == "done"
    assert [key for _, _, key in source.calls] == ["k", "k"]


async def test_a_call_ends_when_the_last_who_waits_has_gone(hosted: Hosted) -> None:
    """Not before: another may have sent it again."""
    held = Held()
    await hosted.start(ScriptedSource("t", answer=held))
    first = hosted.begin()
    await held.begun.acquire()
    second = hosted.begin()
    await joined(hosted)
    first.cancel()
    await asyncio.wait([first])
    assert not held.ended
    second.cancel()
    await asyncio.wait([second])
    assert held.ended == ["k"]


async def joined(hosted: Hosted) -> None:
    """Until a second call waits for the first one's result."""
    _, offer = hosted.catalogue.find("t")
    while not offer.tally.repeated:  # noqa: ASYNC110 - a count, which no event tells
        await asyncio.sleep(0)


@pytest.mark.parametrize(("bound", "timeout_s"), [(0.01, 10_000.0), (3600.0, 0.01)])
async def test_a_call_that_takes_too_long_is_ended(hosted: Hosted, bound: float, timeout_s: float) -> None:
    """By the entry's time or the caller's, whichever is shorter; five of them open the breaker."""
    held = Held()
    await hosted.start(ScriptedSource("t", answer=held), timeout_s=bound)
    for number in range(5):
        with pytest.raises(DeadlineExceededError):
            await hosted.call(key=str(number), timeout_s=timeout_s)
    assert len(held.ended) == 5
    with pytest.raises(CircuitOpenError):
        await hosted.call(key="5")


async def test_only_so_many_run_and_wait(hosted: Hosted) -> None:
    """The others are told to come again; who waits is served in turn."""
    held = Held()
    source = await hosted.start(ScriptedSource("t", answer=held), max_concurrency=1)
    running = hosted.begin("0")
    await held.begun.acquire()
    waiting = [hosted.begin(str(number + 1)) for number in range(WAITING_PER_PLACE + 1)]
    [refused], rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    with pytest.raises(UnavailableError) as busy:
        await refused
    assert busy.value.retry_after is not None
    assert len(source.calls) == 1
    held.go.set()
    assert await asyncio.gather(running, *rest) == ["done"] * (WAITING_PER_PLACE + 1)


async def test_calls_of_a_minute_are_counted(hosted: Hosted) -> None:
    """In every minute, not by the clock's; a kept reply costs none."""
    await hosted.start(ScriptedSource("t"), calls_per_minute=2)
    await hosted.call(key="1")
    hosted.now += 59
    await hosted.call(key="2")
    await hosted.call(key="2")
    with pytest.raises(RateLimitError) as refused:
        await hosted.call(key="3")
    assert refused.value.retry_after == pytest.approx(1)
    hosted.now += 1
    await hosted.call(key="3")


async def test_a_tool_that_fails_is_left_alone_and_tried_again(hosted: Hosted) -> None:
    """What it refuses is no failure; whatever it raises arrives as an error of the tree."""
    fault: list[Exception] = [UnprocessableEntityError("no", param="n")] * 6 + [KeyError("a bug")] * 5

    async def answer(arguments: dict[str, Any], key: str) -> Any:
        if fault:
            raise fault.pop(0)
        return "done"

    source = await hosted.start(ScriptedSource("t", answer=answer))
    for number, expected in enumerate([UnprocessableEntityError] * 6 + [UpstreamError] * 5):
        with pytest.raises(expected):
            await hosted.call(key=str(number))
    with pytest.raises(CircuitOpenError):
        await hosted.call(key="open")
    assert len(source.calls) == 11
    hosted.now += 1
    assert await hosted.call(key="probe") == "done"


async def test_every_call_is_counted(hosted: Hosted) -> None:
    """Plain numbers, by outcome."""
    await hosted.start(ScriptedSource("t", parameters=NUMBER, answer=echo))
    await hosted.call({"n": 1})
    await hosted.call({"n": 1})
    with pytest.raises(UnprocessableEntityError):
        await hosted.call({"n": "one"}, key="2")
    _, offer = hosted.catalogue.find("t")
    tally = offer.tally
    assert (tally.answered, tally.repeated, tally.running) == (1, 1, 0)
    assert tally.errors == {"unprocessable": 1}


async def test_a_host_that_stops_ends_its_calls(hosted: Hosted) -> None:
    """Who waited is told that nothing came of it."""
    held = Held()
    source = await hosted.start(ScriptedSource("t", answer=held))
    call = hosted.begin()
    await held.begun.acquire()
    await hosted.host.aclose()
    with pytest.raises(UnavailableError):
        await call
    assert held.ended == ["k"]
    assert source.closed.is_set()
