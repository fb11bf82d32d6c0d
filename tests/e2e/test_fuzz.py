"""The running cluster, whatever it is sent over the wire: no 5xx, and every answer is in the schema."""

from __future__ import annotations

import pytest
import schemathesis
from schemathesis import Case, HookContext

from tests.e2e.running_cluster import Cluster
from tests.fuzzing import ACCEPTED, Fuzzing, config, lead_past_not_found

EXAMPLES = 5  # of each operation: a language model answers
NAMES = {
    "/v1/chat/completions": {"model": "chat"},
    "/v1/completions": {"model": "chat"},
    "/v1/embeddings": {"model": "embed"},
    "/v1/predict": {"task": "sentiment"},
    "/v1/models/{name}": {"name": "chat"},
    "/v1/tools/{name}": {"name": "current_time"},
}
# Without routes, as in the embedded default, nothing is routed; and of runs there are few whose ids could be guessed.
RARE = {
    "POST /v1/route",
    "GET /v1/tasks/{run_id}",
    "GET /v1/tasks/{run_id}/events",
    "POST /v1/tasks/{run_id}/cancel",
    "POST /v1/tasks/{run_id}/approve",
}
GENERATING = {"/v1/chat/completions", "/v1/completions"}
MOST = {"max_tokens": 4, "max_completion_tokens": 4, "n": 1, "best_of": 1}  # so that two cores come to an end of it


@pytest.fixture
def schema(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> schemathesis.BaseSchema:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    # The engine refuses with a 400 what no schema can say: a template's conditions, a grammar, a tool that is none.
    settings = config(cluster.key, examples=EXAMPLES, accepted=[*ACCEPTED, "400"])
    headers = {"authorization": f"Bearer {cluster.key}"}
    schema = schemathesis.openapi.from_url(f"{cluster.url}/openapi.json", config=settings, headers=headers)
    lead_past_not_found(schema, NAMES)
    schema.hook("map_case")(ask_for_little)
    schema.hook("map_case")(plan_only)
    return schema


def ask_for_little(context: HookContext, case: Case) -> Case:
    """Of what is right: short answers, and texts for a task that takes nothing else."""
    if case.meta is None or case.meta.generation.mode.is_negative or not isinstance(case.body, dict):
        return case
    if case.path in GENERATING:
        case.body.setdefault("max_tokens")
        case.body.update(
            {field: min(case.body[field] or most, most) for field, most in MOST.items() if field in case.body}
        )
    if case.path == "/v1/predict":
        case.body["inputs"] = [repr(item) for item in case.body["inputs"]]
    return case


def plan_only(context: HookContext, case: Case) -> Case:
    """Of an instruction, in time: what chat answers to it is asked for elsewhere. What is wrong with it stays wrong."""
    if case.path == "/v1/tasks" and isinstance(case.body, dict):
        if isinstance(case.body.get("dry_run", False), bool):
            case.body["dry_run"] = True
        timeout_s = case.body.get("timeout_s")
        if isinstance(timeout_s, float) and 0 < timeout_s < 60:
            case.body["timeout_s"] = 60.0
    return case


@pytest.mark.timeout(7200)  # `make fuzz` takes its time
def test_every_answer_of_a_cluster_is_in_the_schema(schema: schemathesis.BaseSchema) -> None:
    """Behind the proxy, with the real models; what is right is generated, embedded and classified."""
    fuzzing = Fuzzing(schema)
    assert not fuzzing.faults, "\n\n".join(fuzzing.faults)
    operations = {operation.ok().label for operation in schema.get_all_operations()}
    assert fuzzing.answered(200) >= operations - RARE
