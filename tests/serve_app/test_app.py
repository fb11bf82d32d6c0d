"""`render`: from a file to the config that Serve takes."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import yaml
from ray.serve.schema import ServeDeploySchema

from autoglm.contract import TaskConfig
from deployments.llm import LLMVersion
from deployments.planner.config import PlannerConfig
from deployments.router import RouterConfig
from deployments.tools.config import HostConfig
from serve_app import app
from serve_app.__main__ import DEFAULT_FILE
from serve_app.config import load, parse
from serve_app.tools import ToldTools

TWO_VERSIONS = """\
models:
  - name: chat
    task: text-generation
    versions: [{version: v1, source: embedded/a}, {version: v2, source: embedded/b, resources: {gpus: 2, cpus: 4}}]
    autoscaling: {min_replicas: 1, max_replicas: 4}
tasks:
  - name: sentiment
    task: text-classification
    model: embedded/minilm-l6
    labels: [bad, good]
    batching: {max_batch_size: 16, batch_wait_timeout_s: 0.02}
"""


def rendered(text: str = TWO_VERSIONS) -> dict[str, dict[str, Any]]:
    """The applications by name."""
    return {application["name"]: application for application in app.render(parse(text, "f"))["applications"]}


def test_serve_takes_the_default_as_it_is_rendered() -> None:
    """By Serve's own schema, after the way through YAML, with builders that exist."""
    written = yaml.safe_dump(app.render(load(DEFAULT_FILE)), sort_keys=False)
    schema = ServeDeploySchema.model_validate(yaml.safe_load(written))
    assert [application.name for application in schema.applications] == [
        "model-chat-v1",
        "model-embed-v1",
        "model-sentiment-v1",
        "model-image-v1",
        "model-iris-v1",
        "tools",
        "planner",
        "autoglm",
        "control",
    ]
    for application in schema.applications:
        module, _, builder = application.import_path.partition(":")
        assert callable(getattr(importlib.import_module(module), builder))


def test_grpc_is_served_where_a_port_is_declared() -> None:
    """By Serve's own schema, with a function that can be imported; elsewhere Serve listens for HTTP alone."""
    assert "grpc_options" not in app.render(parse(TWO_VERSIONS, "f"))
    rendered = app.render(parse(TWO_VERSIONS + "server: {grpc_port: 9100}\n", "f"))
    options = ServeDeploySchema.model_validate(rendered).grpc_options
    assert options.port == 9100
    [(module, _, function)] = [name.rpartition(".") for name in options.grpc_servicer_functions]
    assert callable(getattr(importlib.import_module(module), function))


def test_each_version_is_an_application_without_a_route() -> None:
    """So that it comes and goes without the router; only the router and the control plane listen."""
    prefixes = {name: application["route_prefix"] for name, application in rendered().items()}
    assert prefixes == {
        "model-chat-v1": None,
        "model-chat-v2": None,
        "model-sentiment-v1": None,
        "planner": None,
        "autoglm": "/",
        "control": "/admin",
    }


def test_the_router_leads_to_every_version_the_first_before_the_others() -> None:
    """Its routes name applications and deployments that are rendered beside it."""
    applications = rendered()
    told = applications["autoglm"]["deployments"][0]["user_config"]
    config = RouterConfig.model_validate({name: told[name] for name in told.keys() - ToldTools.model_fields.keys()})
    assert [(route.name, route.app, route.version) for route in config.routes] == [
        ("chat", "model-chat-v1", "v1"),
        ("chat", "model-chat-v2", "v2"),
        ("sentiment", "model-sentiment-v1", "v1"),
    ]
    assert config.routes[0].max_replicas == 4
    assert (config.routes[2].max_batch_size, config.routes[2].labels) == (16, ("bad", "good"))
    for route in config.routes:
        assert applications[route.app]["deployments"][0]["name"] == route.deployment


def test_a_change_of_batching_touches_user_config_alone() -> None:
    """Serve restarts replicas for anything else."""
    before, after = rendered(), rendered(TWO_VERSIONS.replace("max_batch_size: 16", "max_batch_size: 64"))
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"model-sentiment-v1", "autoglm"}
    for name in changed:
        old, new = before[name]["deployments"][0], after[name]["deployments"][0]
        assert old.pop("user_config") != new.pop("user_config")
        assert before[name] == after[name]


def test_replicas_are_fixed_or_scaled_between_bounds() -> None:
    """Equal bounds are a number; Serve's autoscaler is for the others."""
    applications = rendered()
    assert applications["model-sentiment-v1"]["deployments"][0]["num_replicas"] == 1
    scaled = applications["model-chat-v1"]["deployments"][0]
    assert scaled["autoscaling_config"] == {"min_replicas": 1, "max_replicas": 4}
    assert "num_replicas" not in scaled


def test_the_arguments_are_what_the_replicas_take() -> None:
    """Through the builders, as Serve calls them."""
    applications = rendered()
    version = LLMVersion.model_validate(applications["model-chat-v2"]["args"]["version"])
    assert (version.source, version.device, version.gpus) == ("embedded/b", "gpu", 2)
    task = TaskConfig.model_validate(applications["model-sentiment-v1"]["args"]["task"])
    assert (task.model, task.labels) == ("embedded/minilm-l6", ["bad", "good"])


@pytest.mark.parametrize(
    ("name", "bundles"), [("model-chat-v1", [{"CPU": 0.1}]), ("model-chat-v2", [{"CPU": 4.0, "GPU": 1}, {"GPU": 1}])]
)
def test_a_generating_replica_reserves_its_engines_cpus_and_gpus(name: str, bundles: list[dict[str, float]]) -> None:
    """In the builder: vLLM's workers take their GPUs from the replica's placement group."""
    built = app.build_llm(rendered()[name]["args"])._bound_deployment
    assert built._replica_config.placement_group_bundles == bundles


TOOLS = """\
tools:
  - {name: calculate, embedded: calculate}
  - {name: clock, python: "mytools:now", resources: {cpus: 2}, replicas: 3}
grants: [{kind: tenant, subject: default, tool: calculate}]
planner: {replicas: 2, planning: {planner: rules}}
"""


def test_a_tool_with_resources_is_hosted_apart_and_the_others_together() -> None:
    """A file without tools has no host; one entry's replicas and cores are its own."""
    assert not [name for name in rendered() if name.startswith("tool")]
    applications = rendered(TWO_VERSIONS + TOOLS)
    hosted = {
        name: [entry.name for entry in HostConfig.model_validate(user_config(applications[name])).entries()[0]]
        for name in applications
        if name.startswith("tool")
    }
    assert hosted == {"tools": ["calculate"], "tool-clock": ["clock"]}
    assert applications["tool-clock"]["args"] == {"cpus": 2.0, "gpus": 0, "replicas": 3}


def test_who_calls_tools_is_told_them_with_the_grants_and_no_restart() -> None:
    """Router and planner alike, in the user_config that they take; other grants change nothing else."""
    before = rendered(TWO_VERSIONS + TOOLS)
    after = rendered(TWO_VERSIONS + TOOLS.replace("tool: calculate", "tool: clock").replace("rules", "auto"))
    for name in ("autoglm", "planner"):
        told = ToldTools.model_validate(user_config(before[name]))
        assert [entry["name"] for entry in told.declared_tools] == ["calculate", "clock"]
        assert [grant.tool for grant in told.declared_grants] == ["calculate"]
        assert user_config(before[name]) != user_config(after[name])
        assert without_user_config(before[name]) == without_user_config(after[name])
    assert PlannerConfig.model_validate(user_config(before["planner"])["planner"]).planning.planner == "rules"
    assert before["planner"]["args"] == {"replicas": 2}


def user_config(application: dict[str, Any]) -> dict[str, Any]:
    [deployment] = application["deployments"]
    return deployment["user_config"]


def without_user_config(application: dict[str, Any]) -> dict[str, Any]:
    [deployment] = application["deployments"]
    return {**application, "deployments": [{**deployment, "user_config": None}]}
