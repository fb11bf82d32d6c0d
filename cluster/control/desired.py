"""What Serve should run: what an operator deployed, what was registered beside it, and what each must know of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cluster.control.registrations import Registered
from deployments.tools.config import ToolEntry
from serve_app.app import app_name, registered_application, registered_route, tool_application, tools_application
from serve_app.names import PLANNER_APP, ROUTER_APP, TOOLS_APP

RUNNING, FAILED = "RUNNING", "DEPLOY_FAILED"
REGISTERED = "registered"  # an argument of the tools' applications that are made here


def desired(details: Mapping[str, Any], versions: Iterable[Registered], told: Mapping[str, Any]) -> dict[str, Any]:
    """The whole config for Serve, made from the details that Serve gives of itself.

    A registered version gets its route once it runs; of several versions of a name the last one, the newest, counts.
    What the operator's file declares too is the file's.
    """
    declared = list(configs(details))
    names = {config["name"] for config in declared}
    added = [version for version in versions if app_name(version.name, version.version) not in names]
    routes = (
        registered_route(version.name, version.version, version.declaration)
        for version in added
        if status(details, version) == RUNNING
    )
    told = {**told, "registered": [route.model_dump(mode="json", exclude_defaults=True) for route in routes]}
    return {
        **options(details),
        "applications": [
            *(with_told(config, told) for config in declared),
            *(
                registered_application(version.name, version.version, version.declaration, version.fitted)
                for version in added
            ),
            *(with_told(host, told) for host in tool_hosts(told["tools"]) if host["name"] not in names),
        ],
    }


def options(details: Mapping[str, Any]) -> dict[str, Any]:
    """Where Serve listens. It is fixed when Serve starts, and a config that left it out would say the defaults."""
    kept = {"http_options": ("host", "port"), "grpc_options": ("port", "grpc_servicer_functions")}
    return {part: {name: details[part][name] for name in names} for part, names in kept.items() if details.get(part)}


def configs(details: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The applications that an operator deployed; what was made of registrations is made anew."""
    for application in details["applications"].values():
        config = application["deployed_app_config"]
        if config is not None and not {"fitted", REGISTERED} & config.get("args", {}).keys():
            yield config


def tool_hosts(given: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The applications that registered tools need: the common one, and one for each with resources or replicas."""
    entries = [ToolEntry.model_validate(entry) for entry in given]
    hosts = [tool_application(entry) for entry in entries if entry.has_own_application]
    if len(hosts) < len(entries):
        hosts.append(tools_application(()))
    for host in hosts:
        yield {**host, "args": {**host["args"], REGISTERED: True}}


def status(details: Mapping[str, Any], version: Registered) -> str:
    """How Serve calls the state of a version's application; empty where it knows none."""
    return str(details["applications"].get(app_name(version.name, version.version), {}).get("status", ""))


def routed(details: Mapping[str, Any]) -> frozenset[str]:
    """The applications of registered versions that every router knows; none while routers are being told."""
    router = details["applications"].get(ROUTER_APP)
    if router is None or router["status"] != RUNNING or router["deployed_app_config"] is None:
        return frozenset()
    [deployment] = router["deployed_app_config"]["deployments"]
    return frozenset(route["app"] for route in (deployment.get("user_config") or {}).get("registered", ()))


def with_told(config: dict[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """An application with what the control plane tells it in its user_config; most are told nothing."""
    news = news_of(config["name"], told)
    if not news:
        return config
    [deployment] = config["deployments"]
    return {**config, "deployments": [{**deployment, "user_config": {**(deployment.get("user_config") or {}), **news}}]}


def news_of(application: str, told: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of all that is told which an application needs."""
    if application == ROUTER_APP:
        return told
    if application == PLANNER_APP:
        return {name: told[name] for name in ("credentials", "grants", "tools")}
    if application == TOOLS_APP:
        return {"tools": [entry for entry in told["tools"] if not ToolEntry.model_validate(entry).has_own_application]}
    return {}


def is_settled(details: Mapping[str, Any], versions: Iterable[Registered]) -> bool:
    """Whether every version runs or has failed, so that no route is still to be made."""
    return all(status(details, version) in (RUNNING, FAILED) for version in versions)


def is_deployed(details: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether Serve has been given exactly this."""
    configs = (application["deployed_app_config"] for application in details["applications"].values())
    have = {config["name"]: config for config in configs if config is not None}
    return have == {application["name"]: application for application in wanted["applications"]}
