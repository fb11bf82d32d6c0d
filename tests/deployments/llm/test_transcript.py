"""What the caller is sent of the engine's stream, and what is known of each event beside it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from autoglm.errors import NotFoundError, UpstreamError
from deployments.llm.transcript import failure, passed_on, transcribed
from deployments.stream import Event, Opening
from tests.deployments.llm.fake_engine import EOS, PROMPT, FakeEngine

COUNTED = {"stream_options": {"include_usage": True}}


async def events(engine: FakeEngine, method: str = "chat", *, shown: bool = False, **request: Any) -> list[Event]:
    return [event async for event in transcribed(engine.lines(method, request), shows_token_ids=shown)]


def chunks(event: Event) -> list[Any]:
    lines = event.data.decode().removesuffix("\n\n").split("\n\n")
    return [line if line.endswith("[DONE]") else orjson.loads(line.removeprefix("data: ")) for line in lines]


@pytest.mark.parametrize("method", ["chat", "completions"])
async def test_token_ids_are_beside_the_events_and_not_in_them(method: str) -> None:
    """The engine is asked for them on the router's behalf; the caller's chunks are as if nobody had asked."""
    answer = await events(FakeEngine("né"), method)
    assert [token for event in answer for token in event.token_ids] == [*"né".encode(), EOS]
    assert sum(event.characters for event in answer) == 2
    assert b"token_ids" not in b"".join(event.data for event in answer)


@pytest.mark.parametrize("method", ["chat", "completions"])
async def test_a_caller_who_asked_for_token_ids_gets_them(method: str) -> None:
    """All of them, also of chunks that have no text yet, and those of the prompt."""
    answer = await events(FakeEngine("né"), method, shown=True)
    choices = [choice for event in answer for chunk in chunks(event)[:1] for choice in chunk["choices"]]
    assert [token for choice in choices for token in choice.get("token_ids", ())] == [*"né".encode(), EOS]
    assert str(PROMPT).replace(" ", "").encode() in answer[0].data


@pytest.mark.parametrize("method", ["chat", "completions"])
async def test_only_the_first_event_opens_the_answer(method: str) -> None:
    """It tells another replica the prompt, and what all chunks have in common."""
    first, *others = await events(FakeEngine("hi"), method)
    assert first.opening == Opening("cmpl-1", 17, PROMPT)
    assert {event.opening for event in others} == {None}


async def test_the_end_of_an_answer_is_one_event() -> None:
    """Broken before it, the end is still to be told; after it nothing is."""
    *_, last = await events(FakeEngine("hi"), **COUNTED)
    finish, usage, done = chunks(last)
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert usage["usage"]["completion_tokens"] == 3
    assert done == "data: [DONE]"
    assert list(last.token_ids) == [EOS]


async def test_a_chunk_that_says_nothing_is_not_sent() -> None:
    """Its token goes with the next event: vLLM would not have written it either, had nobody asked for tokens."""
    _, text, _ = await events(FakeEngine("é"))
    assert (list(text.token_ids), text.characters) == ([*"é".encode()], 1)


@pytest.mark.parametrize("read", [passed_on, lambda lines: transcribed(lines, shows_token_ids=False)])
async def test_an_engine_that_dies_is_an_error_and_not_an_event(read: Any) -> None:
    """So that the router can go on elsewhere; vLLM itself ends such a stream as if it were whole."""
    engine = FakeEngine("hello", fails_at=3)
    answer = read(engine.lines("completions", {}))
    assert [(await anext(answer)).data for _ in range(2)]
    with pytest.raises(UpstreamError, match="the engine died"):
        await anext(answer)
    assert engine.is_closed


async def test_what_nobody_can_continue_passes_as_it_is() -> None:
    """Byte for byte as the engine wrote it, and without an opening."""
    lines = [line async for line in FakeEngine("hi").lines("chat", {})]
    assert [event async for event in passed_on(FakeEngine("hi").lines("chat", {}))] == [
        Event(line.encode()) for line in lines
    ]


def test_the_engines_refusals_keep_their_status() -> None:
    """A replica that failed is 502, whatever the engine calls it; what the caller did wrong stays what it is."""
    assert isinstance(failure({"code": 500, "message": "m"}), UpstreamError)
    refused = failure({"code": 404, "message": "m", "param": "model"})
    assert (type(refused), refused.param) == (NotFoundError, "model")
