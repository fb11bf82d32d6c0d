"""An answer cut after any of its events and continued on another replica is the undisturbed answer."""

from __future__ import annotations

from typing import Any

import pytest

from autoglm.errors import BadRequestError, UpstreamError
from deployments.llm.continuation import Continuation, is_continuable
from deployments.llm.transcript import transcribed
from deployments.stream import Event, Opening, Progress
from tests.answer_events import after, told
from tests.deployments.llm.fake_engine import PROMPT, ByteDetokenizer, FakeEngine

CHAT: dict[str, Any] = {
    "model": "chat",
    "messages": [{"role": "user", "content": "hi"}],
    "stream": True,
    "stream_options": {"include_usage": True},
}
COMPLETION: dict[str, Any] = {"model": "chat", "prompt": "hi", "stream": True}
ANSWERS = ["plain words", "été 你好 😀🎉!", "one, two, three", "ab" * 8]
FORMS: list[dict[str, Any]] = [
    {},
    {"stop": "two"},
    {"stop": "bab", "include_stop_str_in_output": True},
    {"stop": "🎉"},
    {"max_tokens": 9},
    {"return_token_ids": True, "stop": "zzzz"},
]


async def undisturbed(engine: FakeEngine, method: str, request: dict[str, Any]) -> list[Event]:
    shows = bool(request.get("return_token_ids"))
    return [event async for event in transcribed(engine.lines(method, request), shows_token_ids=shows)]


def continuation(method: str, request: dict[str, Any], progress: Progress, limit: int | None = None) -> Continuation:
    text = ByteDetokenizer(request.get("stop", ""), request.get("include_stop_str_in_output", False))
    return Continuation(method, request, progress, text, limit or request.get("max_tokens") or 100)


async def rest(engine: FakeEngine, method: str, request: dict[str, Any], progress: Progress) -> list[Event]:
    parts = continuation(method, request, progress).events(lambda rest: engine.lines("completions", rest))
    return [event async for event in parts]


@pytest.mark.parametrize("group", [1, 3])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize(("method", "request_"), [("chat", CHAT), ("completions", COMPLETION)])
async def test_a_cut_anywhere_loses_and_doubles_nothing(
    method: str, request_: dict[str, Any], answer: str, form: dict[str, Any], group: int
) -> None:
    """All comes once, at cuts in held back text and half characters too, and no chunk comes without text."""
    whole = await undisturbed(FakeEngine(answer, group), method, request_ | form)
    for cut in range(1, len(whole)):
        others = await rest(FakeEngine(answer, group), method, request_ | form, after(whole[:cut]))
        assert told(whole[:cut] + others) == told(whole), f"cut after {cut} of {len(whole)} events"
        assert all(event.characters for event in others[:-1])


async def test_a_continued_answer_may_break_off_again() -> None:
    """Its events say what they bring, as those of the first replica did."""
    whole = await undisturbed(FakeEngine("one, two"), "chat", CHAT)
    second = await rest(FakeEngine("one, two"), "chat", CHAT, after(whole[:3]))
    third = await rest(FakeEngine("one, two"), "chat", CHAT, after(whole[:3] + second[:2]))
    assert told(whole[:3] + second[:2] + third) == told(whole)


async def test_the_engine_is_asked_for_what_is_missing_and_drawn_as_before() -> None:
    """Limits count the tokens that exist; stop strings are looked for in the whole text, so not by the engine."""
    request = CHAT | {"temperature": 0.5, "top_p": 0.9, "seed": 5, "min_tokens": 10, "max_tokens": 20, "stop": "xyz"}
    engine = FakeEngine("hello")
    await rest(engine, "chat", request, Progress(Opening("cmpl-1", 17, PROMPT), [*b"he"], 0))
    assert engine.asked == [
        {
            "model": "chat",
            "prompt": [*PROMPT, *b"he"],
            "temperature": 0.5,
            "top_p": 0.9,
            "seed": 5 ^ 2,
            "min_tokens": 8,
            "max_tokens": 18,
            "return_token_ids": True,
            "stream": True,
        }
    ]


async def test_an_answer_that_has_all_its_tokens_is_only_ended() -> None:
    """The engine is not asked for none; what was held back of the text is sent."""
    engine = FakeEngine("hello")
    request = CHAT | {"max_tokens": 3, "stop": "xyz"}
    told_ = told(await rest(engine, "chat", request, Progress(Opening("cmpl-1", 17, PROMPT), [*b"hel"], 1)))
    assert (told_["text"], told_["ends"], engine.asked) == ("el", [("length", None)], [])
    assert told_["usage"] == [{"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}]


async def test_a_found_stop_string_ends_the_engines_work() -> None:
    """The engine does not know of it and would write on."""
    engine = FakeEngine("one, two, three")
    await rest(engine, "completions", COMPLETION | {"stop": "two"}, Progress(Opening("cmpl-1", 17, PROMPT), [], 0))
    assert engine.is_closed


async def test_an_engine_that_dies_fails_the_continuation_too() -> None:
    """The router may go on with a third replica."""
    with pytest.raises(UpstreamError, match="the engine died"):
        await rest(FakeEngine("hello", fails_at=2), "chat", CHAT, Progress(Opening("cmpl-1", 17, PROMPT), [], 0))


async def test_progress_that_the_tokens_do_not_make_is_refused() -> None:
    """Tokens of another version would continue the text wrongly and in silence."""
    with pytest.raises(BadRequestError, match="got 3, and its 2 tokens make 2"):
        await rest(FakeEngine("hello"), "chat", CHAT, Progress(Opening("cmpl-1", 17, PROMPT), [*b"he"], 3))


@pytest.mark.parametrize(
    "fields",
    [
        {
            "n": 1,
            "presence_penalty": 0.0,
            "logprobs": False,
            "tool_choice": "none",
            "response_format": {"type": "text"},
        },
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}, {"role": "assistant"}]},
        {"temperature": 0.7, "seed": 1, "stop": ["a"], "repetition_penalty": 1.1, "min_tokens": 3, "n": None},
    ],
)
def test_an_answer_of_one_text_is_continuable(fields: dict[str, Any]) -> None:
    """Also where a field says what its absence says."""
    assert is_continuable("chat", CHAT | fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 2},
        {"logprobs": True},
        {"tools": [{"type": "function"}]},
        {"tool_choice": "required"},
        {"response_format": {"type": "json_object"}},
        {"structured_outputs": {"choice": ["a"]}},
        {"presence_penalty": 0.1},
        {"frequency_penalty": -1},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]},
        {"a_field_of_a_newer_engine": 1},
    ],
)
def test_an_answer_with_more_state_than_its_tokens_is_not(fields: dict[str, Any]) -> None:
    """Several choices, a grammar, counts of the answer's own tokens, an image; and what is not known here."""
    assert not is_continuable("chat", CHAT | fields)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"prompt": "a"}, True),
        ({"prompt": [1, 2]}, True),
        ({"prompt": ["a"]}, True),
        ({"prompt": [[1, 2]]}, True),
        ({"prompt": ["a", "b"]}, False),
        ({"prompt": [[1], [2]]}, False),
        ({"logprobs": 0}, False),
        ({"echo": True}, False),
        ({"suffix": "x"}, False),
    ],
)
def test_a_completion_is_continuable_with_one_prompt(fields: dict[str, Any], expected: bool) -> None:
    """`logprobs: 0` asks for the logprob of each token, unlike `false` of a chat."""
    assert is_continuable("completions", COMPLETION | fields) is expected
