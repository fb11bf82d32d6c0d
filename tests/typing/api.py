"""The public types, checked by mypy and never run."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from datetime import UTC, date, datetime
from typing import assert_type

import numpy as np
import numpy.typing as npt

from autoglm import AsyncAutoClient, AutoClient, AutoTask
from autoglm.client import (
    JWT,
    AsyncChatStream,
    AsyncRunStream,
    Basic,
    ChatStream,
    Hooks,
    RetryPolicy,
    RunStream,
    Timeouts,
)
from autoglm.contract import (
    BreakerHold,
    BreakerList,
    ChatChunk,
    ChatCompletion,
    ChatMessage,
    GrantCard,
    Health,
    KeyCard,
    KeyCreated,
    ModelList,
    Prediction,
    PredictResponse,
    QuotaCard,
    RegistrationCard,
    RouteDecision,
    RunEvent,
    TaskRun,
    ToolCallPage,
    ToolList,
    ToolRegistration,
    ToolResult,
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
        assert_type(client.run("17 * 23?"), TaskRun)
        assert_type(client.run("17 * 23?", tools=["calculate"], max_steps=3, on_event=print), TaskRun)
        with client.run("17 * 23?", stream=True, timeout_s=5) as events:
            assert_type(events, RunStream)
            for event in events:
                assert_type(event, RunEvent)
        assert_type(client.tasks.list(), Generator[TaskRun, None, None])
        assert_type(client.tasks.events("run_…"), RunStream)
        assert_type(client.tasks.wait("run_…", timeout_s=5), TaskRun)
        assert_type(client.tools.list(), ToolList)
        assert_type(client.tools.call("calculate", expression="1"), ToolResult)
        assert_type(client.predict("sentiment", "a film").predictions[0], Prediction)
        assert_type(client.predict_many("sentiment", ["a film"], concurrency=2), Generator[Prediction, None, None])
        assert_type(client.embed(["hi"]), npt.NDArray[np.float32])
        assert_type(client.models(), ModelList)
        assert_type(client.health(), Health)
        assert_type(client.admin.create_key("ci", scopes=["chat"], expires=datetime.now(UTC)), KeyCreated)
        assert_type(client.admin.keys(tenant="acme"), Generator[KeyCard, None, None])
        assert_type(client.admin.set_quota("tenant", "acme", requests_per_day=1, budget=2.5), QuotaCard)
        assert_type(client.admin.breakers(), BreakerList)
        assert_type(client.admin.create_grant("tenant", "acme", "clock", arguments={"zone": "[A-Z]+"}), GrantCard)
        assert_type(client.admin.grants("key"), Generator[GrantCard, None, None])
        assert_type(client.admin.register_tool("clock", {"python": "mytools:now"}), ToolRegistration)
        assert_type(client.admin.tool_calls(limit=10), ToolCallPage)
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
        assert_type(await client.run("17 * 23?", background=True), TaskRun)
        async with await client.run("17 * 23?", stream=True) as events:
            assert_type(events, AsyncRunStream)
            async for event in events:
                assert_type(event, RunEvent)
        assert_type(client.tasks.list(), AsyncGenerator[TaskRun, None])
        assert_type(await client.tasks.events("run_…"), AsyncRunStream)
        assert_type(await client.tasks.approve("run_…", "mail", approved=False), TaskRun)
        assert_type(await client.tools.call("calculate", expression="1"), ToolResult)
        many = client.predict_many("sentiment", ["a film"], progress=print)
        assert_type(many, AsyncGenerator[Prediction, None])
        assert_type(await client.embed("hi"), npt.NDArray[np.float32])
        assert_type(await client.models(), ModelList)
        assert_type(await client.health(), Health)
        assert_type(await client.admin.create_key("ci", scopes="chat"), KeyCreated)
        assert_type(client.admin.users(), AsyncGenerator[UserCard, None])
        assert_type(await client.admin.delete_grant("grant_…"), GrantCard)
        assert_type(client.admin.tools(), AsyncGenerator[ToolRegistration, None])


def settings(hooks: Hooks) -> None:
    AutoClient(profile="work", auth=Basic("ann", "…"), timeout=Timeouts(total=10), hooks=hooks)
    AsyncAutoClient(auth=JWT.from_file("token"), retry=RetryPolicy(max_attempts=1), trace=lambda: None)


def task() -> None:
    declared = AutoTask.from_config({"task": "tabular-classification", "data": {"train": "embedded/iris"}})
    assert_type(declared, AutoTask)
    assert_type(declared.fit(), AutoTask)
    assert_type(declared.evaluate(), Evaluation)
    assert_type(declared.deploy(AutoClient(), "flowers", wait_s=60), RegistrationCard)
