"""What answers instead of a target that cannot, and how its caller knows."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from autoglm.contract import ChatRequest
from autoglm.errors import BadRequestError, UpstreamError
from deployments.router import Call, Router
from deployments.router.cache import CacheDirectives
from deployments.router.deadline import Deadline
from tests.fake_replica import FakeReplica

DIED = UpstreamError("the replica died")
DONE = b"data: [DONE]\n\n"
FRESH = CacheDirectives(no_cache=True)


def answer(text: str) -> dict[str, Any]:
    return {"choices": [{"message": {"content": text}}]}


def asked(**fields: Any) -> ChatRequest:
    turns = [{"role": "user", "content": "hi"}]
    return ChatRequest.model_validate({"model": "chat", "messages": turns, "temperature": 0, **fields})


def route(name: str, version: str = "v1", **policy: Any) -> dict[str, Any]:
    return {
        "name": name,
        "task": "text-generation",
        "model": "m",
        "version": version,
        "app": f"{name}-{version}",
        "deployment": "llm",
        "policy": {"retries": {"max_attempts": 1}, **policy},
    }


class Cluster:
    """Two versions of `chat` and a model `small`, each a replica of its own."""

    def __init__(self) -> None:
        self.replicas = {
            "chat-v1": FakeReplica(answer=DIED, events=[DIED]),
            "chat-v2": FakeReplica(answer=answer("of v2"), events=[b"data: {}\n\n", DONE]),
            "small-v1": FakeReplica(answer=answer("of small"), events=[b"data: {}\n\n", DONE]),
        }
        self.router = Router(connect=lambda deployment, app, balancing: self.replicas[app])

    async def with_fallbacks(self, *fallbacks: Any, **policy: Any) -> Router:
        routes = [route("chat", fallbacks=list(fallbacks), **policy), route("chat", "v2"), route("small")]
        await self.router.reconfigure({"routes": routes})
        return self.router


@pytest.mark.parametrize(
    ("fallback", "text", "model", "version", "mark"),
    [
        ("small", "of small", "small", "v1", "small"),
        ({"version": "v2"}, "of v2", "chat", "v2", "chat:v2"),
        ({"answer": "Try again later."}, "Try again later.", "chat", "v1", "fixed"),
    ],
)
async def test_a_fallback_answers_and_says_so(fallback: Any, text: str, model: str, version: str, mark: str) -> None:
    """The mark goes to the response's headers; who answered is named as it is."""
    router = await Cluster().with_fallbacks(fallback)
    given = await router.generate(asked(), Call())
    assert orjson.loads(given.body)["choices"][0]["message"]["content"] == text
    assert (given.meta["model"], given.meta["version"], given.meta["fallback"]) == (model, version, mark)


async def test_the_engine_of_a_fallback_is_called_by_its_own_name() -> None:
    """vLLM refuses a request for a model that it does not serve."""
    cluster = Cluster()
    router = await cluster.with_fallbacks("small")
    await router.generate(asked(), Call())
    [(_, request)] = cluster.replicas["small-v1"].calls
    assert request["model"] == "small"


async def test_fallbacks_are_tried_in_their_order() -> None:
    """One that cannot answer either gives way to the next."""
    cluster = Cluster()
    cluster.replicas["small-v1"] = FakeReplica(answer=DIED)
    router = await cluster.with_fallbacks("small", {"version": "v2"}, {"answer": "never"})
    assert (await router.generate(asked(), Call())).meta["fallback"] == "chat:v2"


async def test_a_strict_request_has_no_fallback() -> None:
    """Who asks for this model gets it or the error."""
    router = await Cluster().with_fallbacks("small")
    with pytest.raises(UpstreamError):
        await router.generate(asked(), Call(is_strict=True))


async def test_a_fallback_that_the_caller_may_not_use_is_left_out() -> None:
    """A key for one model is not led to another by an outage."""
    cluster = Cluster()
    router = await cluster.with_fallbacks("small")
    with pytest.raises(UpstreamError):
        await router.generate(asked(), Call(may_use=lambda name: name == "chat"))
    assert cluster.replicas["small-v1"].calls == []


async def test_the_callers_own_fault_is_not_degraded() -> None:
    """A refused request would be refused by every model."""
    cluster = Cluster()
    cluster.replicas["chat-v1"] = FakeReplica(answer=BadRequestError("temperature: too hot"))
    router = await cluster.with_fallbacks("small")
    with pytest.raises(BadRequestError):
        await router.generate(asked(), Call())


async def test_an_old_answer_stands_in_where_one_is_kept() -> None:
    """It is an answer to the same request; another request finds none, nor does one that wants none kept."""
    cluster = Cluster()
    cluster.replicas["chat-v1"] = FakeReplica(answer=answer("of before"))
    router = await cluster.with_fallbacks({"cached_s": 3600})
    await router.generate(asked(), Call())
    cluster.replicas["chat-v1"]._answer = DIED
    given = await router.generate(asked(), Call(directives=FRESH))
    assert orjson.loads(given.body)["choices"][0]["message"]["content"] == "of before"
    assert given.meta["fallback"] == "cached"
    for request, call in ((asked(max_tokens=7), Call()), (asked(), Call(directives=CacheDirectives(no_store=True)))):
        with pytest.raises(UpstreamError):
            await router.generate(request, call)


async def test_a_degraded_answer_is_not_kept() -> None:
    """When the target is back, the next request is its own."""
    cluster = Cluster()
    router = await cluster.with_fallbacks("small")
    await router.generate(asked(), Call())
    cluster.replicas["chat-v1"]._answer = answer("of v1")
    given = await router.generate(asked(), Call())
    assert (given.state, given.meta["model"]) == ("miss", "chat")
    assert "fallback" not in given.meta


@pytest.mark.parametrize(("fallback", "events"), [("small", 2), ({"answer": "Later."}, 2)])
async def test_a_stream_that_does_not_begin_falls_back_too(fallback: Any, events: int) -> None:
    """Its caller gets a whole stream of the fallback, `[DONE]` included."""
    router = await Cluster().with_fallbacks(fallback)
    given = await router.generate_stream(asked(stream=True), Call())
    told = [event async for event in given.body]
    assert len(told) == events
    assert told[-1] == DONE
    assert given.meta["fallback"] in ("small", "fixed")


@pytest.mark.parametrize("temperature", [0, 1])
async def test_a_target_that_is_too_late_is_stood_in_for(temperature: float) -> None:
    """The caller's time is up and the answer costs none; also where nobody else could share it."""
    cluster = Cluster()
    cluster.replicas["chat-v1"] = FakeReplica(events=[asyncio.Event()])
    router = await cluster.with_fallbacks({"answer": "Later."})
    call = Call(deadline=Deadline(0.01))
    given = await router.generate_stream(asked(stream=True, temperature=temperature), call)
    assert [event async for event in given.body][-1] == DONE
    assert given.meta["fallback"] == "fixed"


async def test_an_open_breaker_leads_to_the_fallback_without_a_call() -> None:
    """A dead target costs nobody time once that is known."""
    cluster = Cluster()
    router = await cluster.with_fallbacks("small", breaker={"minimum_calls": 1})
    for _ in range(3):
        assert (await router.generate(asked(), Call(directives=FRESH))).meta["fallback"] == "small"
    assert len(cluster.replicas["chat-v1"].calls) == 1
