"""The only file that binds deployments: builders that Serve calls, and `render`, which names them for it.

Each model version is an application of its own (`model-NAME-VERSION`, no route); the router is the application
`autoglm` at `/`. So a version comes and goes without a restart of anything else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from ray import serve
from ray.serve import Application
from starlette.types import ASGIApp

from autoglm.contract import TaskConfig
from autoglm.home import ensure_key
from deployments.llm import LLM, LLMVersion
from deployments.predictor import Predictor
from deployments.router import Route, Router, RouterConfig
from serve_app.config import AutoscalingConfig, ClusterConfig, ModelConfig, ResourcesConfig, TaskEntry, VersionConfig
from serve_app.http import build_http

ROUTER_APP = "autoglm"
ROUTER_CPUS = 0.1
HEALTH = {"health_check_period_s": 2, "health_check_timeout_s": 30}
# Calls that a replica takes before Serve holds back the rest; each carries up to a batch, or is one generation.
PREDICTOR_CALLS = 256
LLM_CALLS = 1024
ROUTER_CALLS = 4096
LLM_SHUTDOWN_S = 120  # above the longest generation of the embedded model; Serve's 20 s would cut streams off


class Ingress(Router):
    """A router with the HTTP surface on it: a request is in the router as soon as it is in the process."""

    def __init__(self, max_body_bytes: int) -> None:
        super().__init__()
        self._max_body_bytes = max_body_bytes

    async def __serve_build_asgi_app__(self) -> ASGIApp:
        key = os.environ.get("AUTOGLM_API_KEY") or ensure_key()
        return build_http(self, key=key, max_body_bytes=self._max_body_bytes)


def build_llm(args: dict[str, Any]) -> Application:
    """The application of one vLLM version."""
    version = LLMVersion.model_validate(args["version"])
    cpus = float(args["cpus"])
    gpu_bundles = [{"GPU": 1}] * version.gpus if version.device == "gpu" else []
    return serve.deployment(
        LLM,
        name="llm",
        ray_actor_options={"num_cpus": cpus},
        placement_group_bundles=[{"CPU": cpus} | (gpu_bundles[0] if gpu_bundles else {}), *gpu_bundles[1:]],
        placement_group_strategy="PACK",
        max_ongoing_requests=LLM_CALLS,
        graceful_shutdown_timeout_s=LLM_SHUTDOWN_S,
        **HEALTH,
    ).bind(version.model_dump())


def build_predictor(args: dict[str, Any]) -> Application:
    """The application of one task, or of one version of an embedding model."""
    return serve.deployment(
        Predictor,
        name="predictor",
        ray_actor_options={"num_cpus": float(args["cpus"]), "num_gpus": int(args["gpus"])},
        max_ongoing_requests=PREDICTOR_CALLS,
        **HEALTH,
    ).bind(args["task"])


def build_router(args: dict[str, Any]) -> Application:
    """The application of the router."""
    return serve.deployment(
        serve.ingress()(Ingress),
        name="router",
        ray_actor_options={"num_cpus": ROUTER_CPUS},
        num_replicas=int(args["replicas"]),
        max_ongoing_requests=ROUTER_CALLS,
        **HEALTH,
    ).bind(int(args["max_body_bytes"]))


def render(config: ClusterConfig) -> dict[str, Any]:
    """The multi-application config that `serve run`, `serve deploy` and KubeRay's serveConfigV2 take as it is."""
    return {
        "http_options": {"host": config.server.host, "port": config.server.port},
        "applications": [*applications(config), router_application(config)],
    }


def applications(config: ClusterConfig) -> Iterator[dict[str, Any]]:
    """One for each model version and each task."""
    for model in config.models:
        for version in model.versions:
            yield model_application(model, version)
    for task in config.tasks:
        yield predictor_application(task, task.version, task.declaration(), task.resources)


def model_application(model: ModelConfig, version: VersionConfig) -> dict[str, Any]:
    """A version of a model, on its engine."""
    if model.task == "embedding":
        declaration = TaskConfig(task=model.task, model=version.source)
        return predictor_application(model, version.version, declaration, version.resources)
    gpus = version.resources.gpus
    llm = LLMVersion(
        name=model.name,
        version=version.version,
        source=version.source,
        device="gpu" if gpus else "cpu",
        gpus=gpus or 1,
        engine_args=version.engine_args,
    )
    return {
        "name": app_name(model.name, version.version),
        "route_prefix": None,
        "import_path": "serve_app.app:build_llm",
        "args": {"version": llm.model_dump(exclude_defaults=True), "cpus": version.resources.cpus},
        "deployments": [{"name": "llm"} | replicas(model.autoscaling)],
    }


def predictor_application(
    entry: ModelConfig | TaskEntry, version: str, declaration: TaskConfig, resources: ResourcesConfig
) -> dict[str, Any]:
    """A version whose adapter answers batches. Batching is user_config: it changes without a restart."""
    task = declaration.model_dump(exclude_unset=True, exclude={"batching", "metrics", "allow_urls"})
    return {
        "name": app_name(entry.name, version),
        "route_prefix": None,
        "import_path": "serve_app.app:build_predictor",
        "args": {"task": task, "cpus": resources.cpus, "gpus": resources.gpus},
        "deployments": [
            {"name": "predictor", "user_config": entry.batching.model_dump()} | replicas(entry.autoscaling)
        ],
    }


def router_application(config: ClusterConfig) -> dict[str, Any]:
    """The router, whose routes are user_config: they change without a restart."""
    routing = RouterConfig(routes=tuple(routes(config)), limits=config.server.limits)
    return {
        "name": ROUTER_APP,
        "route_prefix": "/",
        "import_path": "serve_app.app:build_router",
        "args": {"replicas": config.server.router_replicas, "max_body_bytes": config.server.max_body_bytes},
        "deployments": [{"name": "router", "user_config": routing.model_dump(mode="json", exclude_defaults=True)}],
    }


def routes(config: ClusterConfig) -> Iterator[Route]:
    """Where each name leads: a model to its first version, a task to its own."""
    for model in config.models:
        first = model.versions[0]
        yield Route(
            name=model.name,
            task=model.task,
            model=first.source,
            version=first.version,
            app=app_name(model.name, first.version),
            deployment="llm" if model.task == "text-generation" else "predictor",
            max_batch_size=model.batching.max_batch_size,
            max_replicas=model.autoscaling.max_replicas,
        )
    for task in config.tasks:
        yield Route(
            name=task.name,
            task=task.task,
            model=task.model or task.task,
            version=task.version,
            app=app_name(task.name, task.version),
            deployment="predictor",
            labels=tuple(task.labels) if task.labels else None,
            max_batch_size=task.batching.max_batch_size,
            max_replicas=task.autoscaling.max_replicas,
        )


def app_name(name: str, version: str) -> str:
    """The Serve application of a version."""
    return f"model-{name}-{version}"


def replicas(autoscaling: AutoscalingConfig) -> dict[str, Any]:
    """A fixed number where the bounds are equal, else Serve's autoscaling."""
    if autoscaling.min_replicas == autoscaling.max_replicas:
        return {"num_replicas": autoscaling.max_replicas}
    return {"autoscaling_config": autoscaling.model_dump(exclude_none=True)}
