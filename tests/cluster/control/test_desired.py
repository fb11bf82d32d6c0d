"""The config for Serve: an operator's, the registered versions', and what routers are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autoglm.contract import TaskConfig
from cluster.control.desired import desired, is_deployed, is_settled, routed
from cluster.control.registrations import Registered

TOLD: dict[str, Any] = {"credentials": {"epoch": 3}, "quotas": [], "breakers": [], "grants": [], "tools": []}
CLOCK = {"name": "clock", "embedded": "current_time"}
CRUNCH = {"name": "crunch", "embedded": "calculate", "replicas": 2}
ROUTER: dict[str, Any] = {
    "name": "autoglm",
    "route_prefix": "/",
    "import_path": "serve_app.app:build_router",
    "args": {"replicas": 2},
    "deployments": [{"name": "router", "user_config": {"routes": [{"name": "iris"}], "credentials": {"epoch": 1}}}],
}
IRIS: dict[str, Any] = {"name": "model-iris-v1", "args": {"task": {}}, "deployments": [{"name": "predictor"}]}


PLANNER: dict[str, Any] = {
    "name": "planner",
    "args": {"replicas": 1},
    "deployments": [{"name": "planner", "user_config": {"planner": {}, "declared_tools": []}}],
}
TOOLS: dict[str, Any] = {
    "name": "tools",
    "args": {"cpus": 0.1, "gpus": 0, "replicas": 1},
    "deployments": [{"name": "tools", "user_config": {"declared_tools": [{"name": "sum", "embedded": "calculate"}]}}],
}


def serving(*configs: dict[str, Any] | None, status: str = "RUNNING") -> dict[str, Any]:
    """What Serve says of itself."""
    applications = {
        config["name"]: {"status": status, "deployed_app_config": config} for config in configs if config is not None
    }
    return {"http_options": {"host": "127.0.0.1", "port": 8000, "root_path": ""}, "applications": applications}


def version(version: str, name: str = "mood") -> Registered:
    declaration = TaskConfig(task="tabular-regression", labels=None)
    return Registered(name, version, declaration, Path("/registered") / name / version)


def named(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {application["name"]: application for application in config["applications"]}


def user_config(config: dict[str, Any], application: str) -> dict[str, Any]:
    [deployment] = named(config)[application]["deployments"]
    told: dict[str, Any] = deployment["user_config"]
    return told


def router_config(config: dict[str, Any]) -> dict[str, Any]:
    return user_config(config, "autoglm")


def test_what_an_operator_deployed_stays_and_the_router_is_told() -> None:
    """Routes are the operator's; credentials are the control plane's, in place of older ones."""
    wanted = desired(serving(ROUTER, IRIS), [], TOLD)
    assert named(wanted)["model-iris-v1"] == IRIS
    assert router_config(wanted) == {"routes": [{"name": "iris"}], **TOLD, "registered": []}
    assert wanted["http_options"] == {"host": "127.0.0.1", "port": 8000}


def test_where_serve_listens_stays() -> None:
    """By gRPC too: a config without it would ask for Serve's own port, and for no service."""
    grpc = {"port": 9100, "grpc_servicer_functions": ["a.module.add"], "request_timeout_s": None}
    wanted = desired({**serving(ROUTER), "grpc_options": grpc}, [], TOLD)
    assert wanted["grpc_options"] == {"port": 9100, "grpc_servicer_functions": ["a.module.add"]}
    assert "grpc_options" not in desired({**serving(ROUTER), "grpc_options": None}, [], TOLD)


def test_a_registered_version_is_deployed_and_routed_to_once_it_runs() -> None:
    """Not before: requests would find nobody."""
    first = desired(serving(ROUTER), [version("v1")], TOLD)
    assert named(first).keys() == {"autoglm", "model-mood-v1"}
    assert router_config(first)["registered"] == []
    assert not is_settled(serving(*named(first).values(), status="DEPLOYING"), [version("v1")])
    second = desired(serving(*named(first).values()), [version("v1")], TOLD)
    assert [(route["name"], route["version"]) for route in router_config(second)["registered"]] == [("mood", "v1")]


def test_the_newest_version_that_runs_is_routed_to() -> None:
    """A newer one that is still starting, or has failed, changes nothing."""
    versions = [version("v1"), version("v2"), version("v3")]
    applications = named(desired(serving(ROUTER), versions, TOLD))
    details = serving(*applications.values())
    details["applications"]["model-mood-v3"]["status"] = "DEPLOY_FAILED"
    wanted = desired(details, versions, TOLD)
    assert [route["version"] for route in router_config(wanted)["registered"]] == ["v1", "v2"]
    assert is_settled(details, versions)


def test_a_version_runs_for_callers_once_every_router_was_told() -> None:
    """Until then a call to it finds nothing on some of them."""
    running = desired(serving(*named(desired(serving(ROUTER), [version("v1")], TOLD)).values()), [version("v1")], TOLD)
    assert routed(serving(*running["applications"])) == {"model-mood-v1"}
    assert routed(serving(*running["applications"], status="DEPLOYING")) == frozenset()
    assert routed(serving(ROUTER)) == frozenset()


def test_a_deleted_version_is_taken_down_with_its_route() -> None:
    """It was made from a registration that is gone."""
    details = serving(*named(desired(serving(ROUTER), [version("v1")], TOLD)).values())
    gone = desired(details, [], TOLD)
    assert named(gone).keys() == {"autoglm"}
    assert router_config(gone)["registered"] == []


def test_applications_of_others_are_left_alone() -> None:
    """One that was deployed by Python has no config, and a PUT must not name it."""
    details = serving(ROUTER)
    details["applications"]["theirs"] = {"status": "RUNNING", "deployed_app_config": None}
    wanted = desired(details, [], TOLD)
    assert named(wanted).keys() == {"autoglm"}
    details["applications"]["autoglm"]["deployed_app_config"] = named(wanted)["autoglm"]
    assert is_deployed(details, wanted)


def test_an_application_of_the_operators_without_arguments_stays() -> None:
    """Serve's own form asks for none."""
    theirs = {"name": "theirs", "import_path": "their.module:app"}
    assert named(desired(serving(ROUTER, theirs), [], TOLD))["theirs"] == theirs


def test_a_version_that_the_file_declares_is_the_files() -> None:
    """Serve takes no two applications of a name, and would take neither change."""
    details = serving(ROUTER, IRIS)
    wanted = desired(details, [version("v1", "iris")], TOLD)
    assert [application["name"] for application in wanted["applications"]] == ["autoglm", "model-iris-v1"]
    assert named(wanted)["model-iris-v1"] == IRIS
    assert router_config(wanted)["registered"] == []


def test_what_is_deployed_already_is_not_deployed_again() -> None:
    """Each deployment wakes the controller and every router."""
    wanted = desired(serving(ROUTER, IRIS), [version("v1")], TOLD)
    assert not is_deployed(serving(ROUTER, IRIS), wanted)
    assert is_deployed(serving(*wanted["applications"]), wanted)


def test_planner_and_tool_hosts_are_told_what_they_need() -> None:
    """The planner who may do what, the common host the tools that are its own; beside what the operator's file says."""
    told = {**TOLD, "grants": [{"kind": "tenant"}], "tools": [CLOCK, CRUNCH]}
    wanted = desired(serving(ROUTER, PLANNER, TOOLS), [], told)
    assert user_config(wanted, "planner") == {
        "planner": {},
        "declared_tools": [],
        "credentials": {"epoch": 3},
        "grants": [{"kind": "tenant"}],
        "tools": [CLOCK, CRUNCH],
    }
    declared = TOOLS["deployments"][0]["user_config"]
    assert user_config(wanted, "tools") == {**declared, "tools": [CLOCK]}
    assert router_config(wanted)["tools"] == [CLOCK, CRUNCH]


def test_a_registered_tool_with_resources_of_its_own_has_an_application_until_it_is_deleted() -> None:
    """It is no operator's, whoever asks Serve; one that the file declares under its name is the file's."""
    told = {**TOLD, "tools": [CRUNCH]}
    first = desired(serving(ROUTER, TOOLS), [], told)
    assert named(first).keys() == {"autoglm", "tools", "tool-crunch"}
    assert named(first)["tool-crunch"]["args"]["replicas"] == 2
    again = desired(serving(*first["applications"]), [], told)
    assert named(again) == named(first)
    assert named(desired(serving(*first["applications"]), [], TOLD)).keys() == {"autoglm", "tools"}
    theirs = {"name": "tool-crunch", "args": {"cpus": 4}, "deployments": [{"name": "tools"}]}
    assert named(desired(serving(ROUTER, TOOLS, theirs), [], told))["tool-crunch"] == theirs


def test_a_cluster_whose_file_has_no_tools_gets_a_host_for_the_first() -> None:
    """And loses it with the last."""
    first = desired(serving(ROUTER), [], {**TOLD, "tools": [CLOCK]})
    assert named(first).keys() == {"autoglm", "tools"}
    assert user_config(first, "tools") == {"declared_tools": [], "tools": [CLOCK]}
    assert named(desired(serving(*first["applications"]), [], TOLD)).keys() == {"autoglm"}
