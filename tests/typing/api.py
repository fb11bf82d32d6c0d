"""The public types, checked by mypy and never run."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from datetime import UTC, date, datetime
from typing import assert_type

import numpy as np
import numpy.typing as npt

from autoglm import AsyncAutoClient, AutoClient, AutoTask
from autoglm.client import JWT, AsyncChatStream, Basic, ChatStream, Hooks, RetryPolicy, Timeouts
from autoglm.contract import (
    BreakerHold,
    BreakerList,
    ChatChunk,
    ChatCompletion,
    ChatMessage,
    Health,
    KeyCard,
    KeyCreated,
    ModelList,
    Prediction,
    PredictResponse,
    QuotaCard,
    RegistrationCard,
    RouteDecision,
    UsageReport,
    UserCard,
)
from autoglm.tasks import Evaluation


def sync_client(stream: bool) -> None:
    with AutoClient(api_key="ag-…", base_url="http://127.0.0.1:8000/v1", timeout=30) as client:
        assert_type(client, AutoClient)
        assert_type(client.chat("hi"), ChatCompletion)
        assert_type(client.chat([{"role": "user", "content": "hi"}], temperature=0), ChatCompletion)
        assert_type(client.chat([ChatMessage(role="user", content="hi")], "chat", stream=False), ChatCompletion)
        assert_type(client.chat("hi", stream=stream), ChatCompletion | ChatStream)
        with client.chat("hi", stream=True) as chunks:
            assert_type(chunks, ChatStream)
            for chunk in chunks:
                assert_type(chunk, ChatChunk)
                assert_type(chunk.text, str)
        assert_type(client.predict("sentiment", ["a film"]), PredictResponse)
        assert_type(client.route("hi"), RouteDecision)
        assert_type(client.predict("sentiment", "a film").predictions[0], Prediction)
        assert_type(client.predict_many("sentiment", ["a film"], concurrency=2), Generator[Prediction, None, None])
        assert_type(client.embed(["hi"]), npt.NDArray[np.float32])
        assert_type(client.models(), ModelList)
        assert_type(client.health(), Health)
        assert_type(client.admin.create_key("ci", scopes=["chat"], expires=datetime.now(UTC)), KeyCreated)
        assert_type(client.admin.keys(tenant="acme"), Generator[KeyCard, None, None])
        assert_type(client.admin.set_quota("tenant", "acme", requests_per_day=1, budget=2.5), QuotaCard)
        assert_type(client.admin.breakers(), BreakerList)
        assert_type(client.admin.hold_breaker("chat", "v1", "open"), BreakerHold)
        assert_type(client.admin.usage(by=("key", "day")), UsageReport)
        assert_type(client.admin.usage_csv(since=date(2026, 1, 1)), str)


async def async_client(stream: bool) -> None:
    async with AsyncAutoClient() as client:
        assert_type(client, AsyncAutoClient)
        assert_type(await client.chat("hi"), ChatCompletion)
        assert_type(await client.chat("hi", stream=stream), ChatCompletion | AsyncChatStream)
        async with await client.chat("hi", stream=True) as chunks:
            async for chunk in chunks:
                assert_type(chunk, ChatChunk)
        assert_type(await client.predict("sentiment", ["a film"]), PredictResponse)
        assert_type(await client.route("hi"), RouteDecision)
        many = client.predict_many("sentiment", ["a film"], progress=print)
        assert_type(many, AsyncGenerator[Prediction, None])
        assert_type(await client.embed("hi"), npt.NDArray[np.float32])
        assert_type(await client.models(), ModelList)
        assert_type(await client.health(), Health)
        assert_type(await client.admin.create_key("ci", scopes="chat"), KeyCreated)
        assert_type(client.admin.users(), AsyncGenerator[UserCard, None])


def settings(hooks: Hooks) -> None:
    AutoClient(profile="work", auth=Basic("ann", "…"), timeout=Timeouts(total=10), hooks=hooks)
    AsyncAutoClient(auth=JWT.from_file("token"), retry=RetryPolicy(max_attempts=1), trace=lambda: None)


def task() -> None:
    declared = AutoTask.from_config({"task": "tabular-classification", "data": {"train": "embedded/iris"}})
    assert_type(declared, AutoTask)
    assert_type(declared.fit(), AutoTask)
    assert_type(declared.evaluate(), Evaluation)
    assert_type(declared.deploy(AutoClient(), "flowers", wait_s=60), RegistrationCard)
