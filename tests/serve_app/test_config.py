"""The cluster's YAML: what is understood, and how a mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoglm.errors import ConfigError
from serve_app.config import ClusterConfig, listening, load, parse, with_gpus

SAMPLE = """\
models:
  - name: chat
    task: text-generation
    versions: [{version: v1, source: embedded/smollm2-135m-instruct, engine: vllm, engine_args: {max_model_len: 2048}}]
    autoscaling: {min_replicas: 1, max_replicas: 4}
tasks:
  - name: sentiment
    task: text-classification
    model: embedded/minilm-l6
    labels: [positive, negative]
    data: {train: reviews.csv, test: reviews-test.csv, text: text, label: label}
    metrics: [accuracy, f1]
    batching: {max_batch_size: 32, batch_wait_timeout_s: 0.01}
server: {port: 9000}
"""
MODEL = "models: [{name: chat, task: text-generation, versions: [{version: v1, source: embedded/x}]}]"
CALCULATE = "{name: calculate, embedded: calculate}"
GRANT = "{kind: tenant, subject: default, tool: calculate}"


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text, "autoglm.yaml")
    return caught.value.message


def test_the_file_of_the_design_is_understood() -> None:
    """Every documented part reaches its place."""
    config = parse(SAMPLE, "autoglm.yaml")
    assert config.models[0].versions[0].engine_args == {"max_model_len": 2048}
    assert config.models[0].autoscaling.max_replicas == 4
    assert config.tasks[0].data is not None
    assert config.tasks[0].data.test == "reviews-test.csv"
    assert config.tasks[0].declaration().batching.max_batch_size == 32
    assert config.server.port == 9000


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "max_batch_size: 32",
            "max_batchsize: 32",
            "autoglm.yaml:13:16: tasks.0.batching.max_batchsize: unknown key; did you mean 'max_batch_size'?",
        ),
        ("server:", "sever:", "autoglm.yaml:14:1: sever: unknown key; did you mean 'server'?"),
        (
            "{port: 9000}",
            "{zzz: 1}",
            "autoglm.yaml:14:10: server.zzz: unknown key; known: grpc_port, host, limits, max_body_bytes, "
            "port, router_replicas, trusted_proxies",
        ),
        ("    task: text-generation\n", "", "autoglm.yaml:2:5: models.0.task: this key is required"),
        (
            "port: 9000",
            "port: 90000",
            "autoglm.yaml:14:10: server.port: Input should be less than or equal to 65535; got 90000",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_would_do(old: str, new: str, message: str) -> None:
    """File, line, column, field; for an unknown key the nearest known one."""
    assert refused(SAMPLE.replace(old, new)) == message


def test_all_mistakes_are_told_at_once() -> None:
    """A line for each, so that a file is put right in one go."""
    text = SAMPLE.replace("sentiment", "Sentiment").replace("port: 9000", "port: none")
    assert [line.split(": ")[1] for line in refused(text).splitlines()] == ["tasks.0.name", "server.port"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SAMPLE.replace("name: sentiment", "name: chat"), "the name 'chat' is declared twice among models and tasks"),
        (SAMPLE.replace("[{version: v1", "[{version: v1, source: a}, {version: v1"), "version 'v1' is declared twice"),
        (SAMPLE.replace("min_replicas: 1", "min_replicas: 5"), "min_replicas (5) is above max_replicas (4)"),
        (SAMPLE.replace("engine: vllm", "engine: transformers"), "text-generation runs on engine 'vllm'"),
        (
            "tasks: [{name: a, version: b-c, task: image-classification}, "
            "{name: a-b, version: c, task: image-classification}]",
            "two names with their versions both make 'a-b-c'",
        ),
        ("tasks: [{name: t, task: embedding}]", "embedding is declared under models"),
        ("server: {port: 1}", "nothing is declared"),
        (f"{MODEL}\ntools: [{CALCULATE}, {CALCULATE}]", "tools: the name 'calculate' is declared twice"),
        (f"{MODEL}\ntools: [{{name: a}}]", "exactly one of python, embedded, mcp, openapi"),
        (f"{MODEL}\ngrants: [{GRANT[:-1]}, arguments: {{a: '('}}}}]", "grants.0: arguments.a"),
        (f"{MODEL}\nplanner: {{planning: {{model: chad}}}}", "no model 'chad' generates text; did you mean 'chat'?"),
        (f"{MODEL}\n{MODEL}", "autoglm.yaml:2:1: models: this key comes a second time"),
        ("", "must be a mapping"),
        ("models: [", "autoglm.yaml:1:10: not valid YAML"),
        ("models: \x07", "not valid YAML"),
    ],
)
def test_a_contradiction_is_refused(text: str, message: str) -> None:
    """What could only fail later, or silently, fails here."""
    assert message in refused(text)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, or no text."""
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        load(tmp_path / "absent.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"binary\.yaml"):
        load(tmp_path / "binary.yaml")


def test_the_command_line_moves_the_address_alone() -> None:
    """What was not asked for stays as the file says."""
    moved = listening(parse(SAMPLE, "f"), host=None, port=8001)
    assert (moved.server.host, moved.server.port) == ("127.0.0.1", 8001)
    assert moved.models == parse(SAMPLE, "f").models


def test_gpus_are_given_to_generating_versions_that_ask_for_none() -> None:
    """A version that asks for two keeps two, and an embedding model stays where it is."""
    config = ClusterConfig.model_validate(
        {
            "models": [
                {
                    "name": "chat",
                    "task": "text-generation",
                    "versions": [
                        {"version": "v1", "source": "a"},
                        {"version": "v2", "source": "b", "resources": {"gpus": 2}},
                    ],
                },
                {"name": "embed", "task": "embedding", "versions": [{"version": "v1", "source": "c"}]},
            ]
        }
    )
    given = [version.resources.gpus for model in with_gpus(config).models for version in model.versions]
    assert given == [1, 2, 0]


def test_a_task_of_a_file_is_served_as_it_stands(tmp_path: Path) -> None:
    """`task: auto` becomes what the data tell, and what the SDK alone uses is accepted."""
    (tmp_path / "t.csv").write_text("a,label\n1,2.5\n2,3.75\n")
    declared = f"name: price, task: auto, data: {{train: {tmp_path}/t.csv}}, metrics: [mae], allow_urls: false"
    task = parse(f"tasks: [{{{declared}}}]", "f").tasks[0]
    assert task.task == "tabular-regression"
    assert task.declaration().task == "tabular-regression"
    assert "tasks.0.data.trian: unknown key" in refused("tasks: [{name: a, task: auto, data: {trian: x}}]")
    assert "tasks.0: task: got 'auto' without data" in refused("tasks: [{name: a, task: auto}]")
