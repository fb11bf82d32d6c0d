"""The mock engine must be above suspicion, since the fault lab judges the router by what it expects of it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from autoglm.errors import DeadlineExceededError, UpstreamError
from benchmarks.mock_engine import MockLLM, expected
from deployments.stream import Event, Progress

CHAT: dict[str, Any] = {"model": "chat", "messages": [{"role": "user", "content": "hi"}], "stream": True}
COMPLETION: dict[str, Any] = {"model": "chat", "prompt": "Once", "max_tokens": 5, "stream": True}
USAGE = {"stream_options": {"include_usage": True}}
REQUESTS = [("chat", CHAT | USAGE), ("completions", COMPLETION)]


async def replica(**config: Any) -> MockLLM:
    mock = MockLLM()
    await mock.reconfigure({"token_s": 0} | config)
    return mock


async def streamed(method: str, request: dict[str, Any], progress: Progress | None = None) -> list[Event]:
    return [event async for event in (await replica()).stream(method, request, None, progress)]


def chunks(events: list[Event]) -> list[dict[str, Any]]:
    lines = b"".join(event.data for event in events).split(b"\n\n")
    return [orjson.loads(line.removeprefix(b"data: ")) for line in lines if line and line != b"data: [DONE]"]


def text(events: list[Event]) -> str:
    choices = [choice for chunk in chunks(events) for choice in chunk["choices"]]
    return "".join(choice.get("text") or choice.get("delta", {}).get("content") or "" for choice in choices)


@pytest.mark.parametrize(("method", "request_"), REQUESTS)
async def test_an_answer_is_the_expected_one_whole_and_streamed(method: str, request_: dict[str, Any]) -> None:
    """Whatever wrote it, a text can be judged by its request alone."""
    [choice] = (await getattr(await replica(), method)(request_))["choices"]
    whole = choice["message"]["content"] if method == "chat" else choice["text"]
    events = await streamed(method, request_)
    assert whole == text(events) == expected(request_)
    assert events[-1].data.endswith(b"}\n\ndata: [DONE]\n\n")


async def test_other_prompts_have_other_answers() -> None:
    """An answer that went to the wrong request shows."""
    answers = {expected(CHAT | {"messages": [{"role": "user", "content": str(turn)}]}) for turn in range(100)}
    assert len(answers) == 100


@pytest.mark.parametrize(("method", "request_"), REQUESTS)
async def test_a_stream_cut_anywhere_continues_to_the_same_events(method: str, request_: dict[str, Any]) -> None:
    """Another replica's events follow the first one's byte for byte, usage and end included."""
    whole = await streamed(method, request_)
    opening = whole[0].opening
    assert opening is not None
    progress = Progress(opening)
    for cut, event in enumerate(whole[:-1], start=1):
        progress.add(event)
        assert await streamed(method, request_, progress) == whole[cut:]


async def test_it_fails_as_often_as_it_was_told_with_the_same_seed_alike() -> None:
    """A run of the fault lab can be repeated."""

    async def failures() -> list[int]:
        mock = await replica(error_rate=0.3, seed=7)
        failed = []
        for index in range(100):
            try:
                await mock.chat(CHAT)
            except UpstreamError:
                failed.append(index)
        return failed

    assert 20 <= len(await failures()) <= 40
    assert await failures() == await failures()


async def test_a_passed_deadline_ends_an_answer() -> None:
    """As the real engine's replica does it."""
    with pytest.raises(DeadlineExceededError):
        await (await replica(token_s=60)).chat(CHAT, 0)
