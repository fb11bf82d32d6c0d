"""The router over fake replicas: the shapes it answers in, and what it refuses before anything is sent."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import numpy as np
import orjson
import pytest

from autoglm.contract import ChatRequest, EmbeddingRequest, Prediction, PredictRequest
from autoglm.errors import BadRequestError, UnprocessableEntityError, UpstreamError
from deployments.router import Call, Router, RouterConfig
from deployments.router.router import decoded
from tests.fake_replica import FakeReplica

ANSWER = {"choices": [{"message": {"content": "Paris."}}]}
CHAT = ChatRequest.model_validate({"model": "chat", "messages": [{"role": "user", "content": "hi"}], "temperature": 0})
LIMITS = {"max_inputs": 3, "max_text_chars": 20}


def route(name: str, task: str, deployment: str = "predictor", **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "task": task,
        "model": f"embedded/{name}",
        "version": "v1",
        "app": f"model-{name}-v1",
        "deployment": deployment,
        **fields,
    }


CONFIG = {
    "routes": [
        route("chat", "text-generation", "llm", max_model_len=2048),
        route("embed", "embedding"),
        route("sentiment", "text-classification", labels=["bad", "good"]),
        route("iris", "tabular-classification"),
    ],
    "limits": LIMITS,
}


async def router_over(config: dict[str, Any] | None = None, **replicas: FakeReplica) -> Router:
    """A router whose handles are the replicas of the same names."""
    router = Router(connect=lambda deployment, app, balancing: replicas.get(app.split("-")[1], FakeReplica()))
    await router.reconfigure(config or CONFIG)
    return router


def classify(inputs: list[Any]) -> dict[str, Any]:
    return {"outputs": [Prediction(label=f"label of {item}", score=1.0) for item in inputs], "tokens": 7}


def vectors(inputs: list[Any]) -> dict[str, Any]:
    return {"outputs": [np.array([3, 4, 12], np.float32) for _ in inputs], "tokens": 7}


async def test_null_is_as_good_as_absent() -> None:
    """OpenAI takes it in every optional field; the engine does not in its own, so it hears of none."""
    chat = FakeReplica(answer=ANSWER)
    router = await router_over(chat=chat)
    sent = {"model": "chat", "messages": [{"role": "assistant", "content": None}], "length_penalty": None, "seed": 0}
    await router.generate(ChatRequest.model_validate(sent), Call())
    assert chat.calls == [("chat", {"model": "chat", "messages": sent["messages"], "seed": 0})]


async def test_a_task_answers_in_the_order_of_its_inputs() -> None:
    """The documented body of /v1/predict, the same by handle and by contract."""
    router = await router_over(sentiment=FakeReplica(predict=classify))
    answer = await router.classify(PredictRequest(task="sentiment", inputs=["a", "b"]), Call())
    assert (answer.meta["model"], answer.meta["version"], answer.meta["prompt_tokens"]) == ("sentiment", "v1", 7)
    assert orjson.loads(answer.body) == {
        "task": "sentiment",
        "model": "embedded/sentiment",
        "version": "v1",
        "predictions": [
            {"label": "label of a", "score": 1.0, "scores": {}},
            {"label": "label of b", "score": 1.0, "scores": {}},
        ],
        "usage": {"prompt_tokens": 7, "completion_tokens": 0, "total_tokens": 7},
    }
    assert await router.predict("sentiment", ["a", "b"]) == orjson.loads(answer.body)
    assert len((await router.predict("sentiment", "a lone text"))["predictions"]) == 1


async def test_embeddings_are_lists_or_base64_of_the_same_floats() -> None:
    """OpenAI's shape; base64 is little-endian float32."""
    router = await router_over(embed=FakeReplica(predict=vectors))
    plain = decoded(await router.vectors(EmbeddingRequest(model="embed", input=["a", "b"]), Call()))
    assert [item["index"] for item in plain["data"]] == [0, 1]
    assert plain["data"][0]["embedding"] == [3.0, 4.0, 12.0]
    assert (plain["model"], plain["usage"]["prompt_tokens"]) == ("embed", 7)
    packed = decoded(await router.vectors(EmbeddingRequest(model="embed", input="a", encoding_format="base64"), Call()))
    assert np.frombuffer(base64.b64decode(packed["data"][0]["embedding"]), "<f4").tolist() == [3, 4, 12]


async def test_shortened_embeddings_have_length_one_and_cannot_grow() -> None:
    """`dimensions` cuts and renormalises; more than the model has is the caller's mistake."""
    router = await router_over(embed=FakeReplica(predict=vectors))
    body = decoded(await router.vectors(EmbeddingRequest(model="embed", input="a", dimensions=2), Call()))
    assert body["data"][0]["embedding"] == pytest.approx([0.6, 0.8])
    with pytest.raises(UnprocessableEntityError, match="got 4, this model's vectors have 3") as caught:
        await router.vectors(EmbeddingRequest(model="embed", input="a", dimensions=4), Call())
    assert caught.value.param == "dimensions"


async def test_a_python_caller_gets_vectors_as_an_array() -> None:
    """By handle: float32 of shape (n, d), for one text or several."""
    router = await router_over(embed=FakeReplica(predict=vectors))
    array = await router.embed(["a", "b"])
    assert (array.shape, array.dtype) == ((2, 3), np.float32)
    assert (await router.embed("a")).shape == (1, 3)


async def test_a_generation_carries_what_was_sent_and_no_defaults() -> None:
    """Fields that the caller left out are the engine's to fill."""
    chat = FakeReplica(answer=ANSWER)
    router = await router_over(chat=chat)
    assert decoded(await router.generate(CHAT, Call())) == ANSWER
    assert await router.chat("hi", temperature=0, seed=1) == ANSWER
    sent = {"model": "chat", "messages": [{"role": "user", "content": "hi"}], "temperature": 0.0}
    assert chat.calls == [("chat", sent), ("chat", sent | {"seed": 1})]


async def test_a_python_callers_mistake_names_its_field() -> None:
    """By handle there is no HTTP layer that would check the options."""
    router = await router_over()
    with pytest.raises(BadRequestError, match="temperature: Input should be less than or equal to 2") as caught:
        await router.chat("hi", temperature=3)
    assert caught.value.param == "temperature"


async def test_a_stream_gives_every_event_in_order_and_frees_the_engine_at_its_end() -> None:
    """The first event, taken off to see whether the stream starts at all, is not lost."""
    chat = FakeReplica(events=[b"1", b"2", b"3"])
    router = await router_over(chat=chat)
    assert [event async for event in router.stream("hi")] == [b"1", b"2", b"3"]
    assert chat.calls[0][1]["stream"] is True
    assert chat.streams[0].cancelled


async def test_a_stream_that_its_caller_leaves_is_cancelled() -> None:
    """A generation that nobody reads would hold the engine for its whole length."""
    chat = FakeReplica(events=[b"1", b"2", b"3"])
    chance = CHAT.model_copy(update={"temperature": 1.0})  # nobody else can want the same stream
    body = (await (await router_over(chat=chat)).generate_stream(chance, Call())).body
    assert await anext(body) == b"1"
    assert await anext(body) == b"2"
    assert not chat.streams[0].cancelled
    await body.aclose()
    assert chat.streams[0].cancelled


async def test_a_stream_that_fails_before_its_first_event_raises_at_once() -> None:
    """So it gets a status of its own instead of a 200 with a broken body."""
    router = await router_over(chat=FakeReplica(events=[BadRequestError("too long", param="messages")]))
    with pytest.raises(BadRequestError, match="too long"):
        await router.generate_stream(CHAT, Call())


async def test_a_stream_that_breaks_later_ends_with_an_error_of_the_tree() -> None:
    """What came is given, then the fault, translated."""
    router = await router_over(chat=FakeReplica(events=[b"1", ConnectionResetError()]))
    body = (await router.generate_stream(CHAT, Call())).body
    assert await anext(body) == b"1"
    with pytest.raises(UpstreamError):
        await anext(body)


@pytest.mark.parametrize(
    ("inputs", "param", "message"),
    [
        ([], "inputs", "at least 1 item"),
        (["a"] * 4, "inputs", "got 4 inputs, at most 3"),
        (["ok", "x" * 21], "inputs[1]", "got a text of 21 characters, at most 20"),
    ],
)
async def test_too_much_is_refused_before_it_is_sent(inputs: list[str], param: str, message: str) -> None:
    """The error names the input; the replica hears nothing of it."""
    sentiment = FakeReplica(predict=classify)
    router = await router_over(sentiment=sentiment)
    with pytest.raises((BadRequestError, UnprocessableEntityError), match=message) as caught:
        await router.predict("sentiment", inputs)
    assert caught.value.param == param
    assert sentiment.calls == []


@pytest.mark.parametrize(
    ("content", "param"),
    [("x" * 21, "messages[1].content"), ([{"type": "text", "text": "x" * 21}], "messages[1].content[0].text")],
)
async def test_a_long_turn_is_named_by_its_place(content: Any, param: str) -> None:
    """Whether it is a string or a part of one."""
    router = await router_over()
    with pytest.raises(UnprocessableEntityError) as caught:
        await router.chat([{"role": "system", "content": "brief"}, {"role": "user", "content": content}])
    assert caught.value.param == param


async def test_the_length_limit_of_texts_does_not_bind_images() -> None:
    """A base64 image is a long string, and is no text."""
    image = FakeReplica(predict=classify)
    router = await router_over({"routes": [route("image", "image-classification")], "limits": LIMITS}, image=image)
    await router.predict("image", ["x" * 1000])
    assert len(image.calls) == 1


async def test_models_are_listed_in_the_order_of_their_declaration() -> None:
    """With task, version, labels and context length beside OpenAI's fields."""
    cards = (await router_over()).models()["data"]
    assert [card["id"] for card in cards] == ["chat", "embed", "sentiment", "iris"]
    assert cards[2]["labels"] == ["bad", "good"]
    assert [card["max_model_len"] for card in cards] == [2048, None, None, None]
    assert (cards[2]["task"], cards[2]["versions"], cards[2]["object"]) == ("text-classification", ["v1"], "model")


async def test_a_new_configuration_leaves_requests_under_way_alone() -> None:
    """Routes change without a restart; a stream of the old ones runs to its end."""
    router = await router_over(chat=FakeReplica(events=[b"1", b"2"]))
    body = (await router.generate_stream(CHAT, Call())).body
    await router.reconfigure(RouterConfig().model_dump())
    assert router.models()["data"] == []
    assert [event async for event in body] == [b"1", b"2"]


async def test_another_cache_takes_over_without_ending_what_is_under_way() -> None:
    """A stream that the cache before records runs to its end."""
    release = asyncio.Event()
    router = await router_over(chat=FakeReplica(events=[b"1", release, b"2"]))
    body = (await router.generate_stream(CHAT, Call())).body
    assert await anext(body) == b"1"
    await router.reconfigure(CONFIG | {"cache": {"ttl_s": 1}})
    release.set()
    assert [event async for event in body] == [b"2"]


async def test_a_version_that_was_given_another_source_has_other_answers() -> None:
    """Its name says the same, its weights do not."""
    chat = FakeReplica(answer=ANSWER)
    router = await router_over(chat=chat)
    await router.generate(CHAT, Call())
    changed = [route("chat", "text-generation", "llm") | {"model": "embedded/other"}]
    router._connect = lambda deployment, app, balancing: chat
    await router.reconfigure({"routes": changed})
    assert (await router.generate(CHAT, Call())).state == "miss"
