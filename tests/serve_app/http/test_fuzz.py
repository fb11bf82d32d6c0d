"""Whatever a caller sends: no 5xx, and every answer is in the schema."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
import schemathesis

from autoglm.contract import Prediction
from autoglm.contract.task_run import TaskRun
from deployments.access import AccessConfig, Authenticator
from deployments.router import Router
from serve_app.http import build_http
from tests.fake_replica import FakeReplica
from tests.fuzzing import Fuzzing, config, lead_past_not_found, served
from tests.serve_app.http.bank import unlimited
from tests.serve_app.http.runs import EchoTools, ScriptedRuns, run_of

KEY = "ag-of-the-test"
ANSWER = {
    "id": "chat-1",
    "object": "chat.completion",
    "created": 1,
    "model": "chat",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris."}, "text": "Paris."}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}
TASKS = {
    "chat": "text-generation",
    "embed": "embedding",
    "sentiment": "text-classification",
    "prices": "tabular-regression",
}
NAMES = {
    "/v1/chat/completions": {"model": "chat"},
    "/v1/completions": {"model": "chat"},
    "/v1/embeddings": {"model": "embed"},
    "/v1/predict": {"task": "sentiment"},
    "/v1/models/{name}": {"name": "chat"},
    "/v1/tools/{name}": {"name": "echo"},
}
ROUTING = {"routes": [{"name": "small-talk", "examples": ["hi", "how are you?"], "model": "chat"}]}
WITH_BODY = {
    "POST /v1/chat/completions",
    "POST /v1/completions",
    "POST /v1/embeddings",
    "POST /v1/predict",
    "POST /v1/route",
    "POST /v1/tasks",
    "POST /v1/tasks/{run_id}/approve",
    "POST /v1/tools/{name}",
}
OPEN = {"GET /health", "GET /ready"}
LIMITS = {"max_text_chars": 20}  # short enough that chance finds texts beyond it


def classified(inputs: list[Any]) -> dict[str, Any]:
    return {"outputs": [Prediction(label="positive", score=0.9, scores={"positive": 0.9}) for _ in inputs], "tokens": 4}


def regressed(inputs: list[Any]) -> dict[str, Any]:
    return {"outputs": [Prediction(label="2.5", score=0.0, value=2.5) for _ in inputs], "tokens": 4}


def embedded(inputs: list[Any]) -> dict[str, Any]:
    return {"outputs": [np.array([3, 4, 12], np.float32) for _ in inputs], "tokens": 7}


class Ready:
    """Nothing is missing."""

    async def missing(self, routes: Any) -> tuple[str, ...]:
        return ()


class EveryRun(ScriptedRuns):
    """Whatever run is asked for is there, and waits until it is cancelled."""

    async def get(self, run: str, tenant: str) -> TaskRun:
        return self.kept.get((run, tenant)) or run_of(1, status="waiting", waiting_for="plan").model_copy(
            update={"id": run}
        )


def route(name: str, task: str) -> dict[str, str]:
    deployment = "llm" if name == "chat" else "predictor"
    return {"name": name, "task": task, "model": "m", "version": "v1", "app": name, "deployment": deployment}


def router() -> Router:
    """Over replicas that answer whatever they are asked."""
    replicas = {
        "chat": FakeReplica(answer=ANSWER, events=[b"data: {}\n\n", b"data: [DONE]\n\n"]),
        "embed": FakeReplica(predict=embedded),
        "sentiment": FakeReplica(predict=classified),
        "prices": FakeReplica(predict=regressed),
    }
    router = Router(connect=lambda deployment, app, balancing: replicas[app], readiness=Ready())  # type: ignore[arg-type]
    asyncio.run(
        router.reconfigure({"routes": [route(*named) for named in TASKS.items()], "limits": LIMITS, "routing": ROUTING})
    )
    return router


@pytest.fixture
def schema() -> schemathesis.BaseSchema:
    # All come from one address, which would soon be blocked for its wrong keys.
    authenticator = Authenticator(AccessConfig(failed_attempts_per_minute=10**6), local_key=KEY)
    app = served(build_http(router(), authenticator, unlimited(), runs=EveryRun(), tools=EchoTools()))
    headers = {"authorization": f"Bearer {KEY}"}
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config(KEY), headers=headers)
    lead_past_not_found(schema, NAMES)
    return schema


def test_every_answer_is_in_the_schema(schema: schemathesis.BaseSchema) -> None:
    """As the schema has it, against it, without a key, by other methods; and what is right reaches a replica."""
    fuzzing = Fuzzing(schema)
    assert not fuzzing.faults, "\n\n".join(fuzzing.faults)
    operations = {operation.ok().label for operation in schema.get_all_operations()}
    assert fuzzing.answered(200) == operations
    assert fuzzing.answered(401) == operations - OPEN
    assert "GET /v1/models/{name}" in fuzzing.answered(404)
    assert fuzzing.answered(415) == WITH_BODY
