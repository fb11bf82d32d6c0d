"""The only file that binds deployments: builders that Serve calls, and `render`, which names them for it.

Each model version is an application of its own (`model-NAME-VERSION`, no route); the router is the application
`autoglm` at `/`. So a version comes and goes without a restart of anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ray import serve
from ray.serve import Application

from autoglm.contract import TaskConfig
from deployments.llm import LLM, LLMVersion
from deployments.predictor import Predictor
from deployments.router import Route, RouterConfig, TargetPolicy
from deployments.tools.config import ToolEntry, ToolResources
from deployments.tools.deployment import ToolHost
from serve_app.config import AutoscalingConfig, ClusterConfig, ModelConfig, ResourcesConfig, TaskEntry, VersionConfig
from serve_app.grpc import SERVICER
from serve_app.ingress import Ingress, SurfaceConfig
from serve_app.names import CONTROL_APP, PLANNER_APP, ROUTER, ROUTER_APP, TOOLS, TOOLS_APP, tool_app
from serve_app.planner.deployment import ClusterPlanner

ROUTER_CPUS = PLANNER_CPUS = 0.1
# A replica that hangs is found after three such timeouts. Two busy cores have kept a healthy engine for seconds.
HEALTH = {"health_check_period_s": 2, "health_check_timeout_s": 10}
# Calls that a replica takes before Serve holds back the rest; each carries up to a batch, or is one generation.
PREDICTOR_CALLS = 256
LLM_CALLS = 1024
ROUTER_CALLS = 4096
PLANNER_CALLS = 1024
TOOL_CALLS = 1024  # with those that each router and planner replica holds to hear of changes
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
LLM_SHUTDOWN_S = 120  # above the longest generation of the embedded model; Serve's 20 s would cut streams off


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
    ).bind(args["task"], args.get("fitted"))


def build_router(args: dict[str, Any]) -> Application:
    """The application of the router."""
    return serve.deployment(
        serve.ingress()(Ingress),
        name=ROUTER,
        ray_actor_options={"num_cpus": ROUTER_CPUS},
        num_replicas=int(args["replicas"]),
        max_ongoing_requests=ROUTER_CALLS,
        **HEALTH,
    ).bind(args["surface"])


def build_planner(args: dict[str, Any]) -> Application:
    """The application of the planner."""
    return serve.deployment(
        ClusterPlanner,
        name=PLANNER_APP,
        ray_actor_options={"num_cpus": PLANNER_CPUS},
        num_replicas=int(args["replicas"]),
        max_ongoing_requests=PLANNER_CALLS,
        **HEALTH,
    ).bind()


def build_tools(args: dict[str, Any]) -> Application:
    """The application of a tool host."""
    return serve.deployment(
        ToolHost,
        name=TOOLS,
        ray_actor_options={"num_cpus": float(args["cpus"]), "num_gpus": int(args["gpus"])},
        num_replicas=int(args["replicas"]),
        max_ongoing_requests=TOOL_CALLS,
        **HEALTH,
    ).bind()


def render(config: ClusterConfig) -> dict[str, Any]:
    """The multi-application config that `serve run`, `serve deploy` and KubeRay's serveConfigV2 take as it is."""
    return {
        "http_options": {"host": config.server.host, "port": config.server.port},
        **grpc_options(config.server.grpc_port),
        "applications": [
            *applications(config),
            *tool_applications(config),
            planner_application(config),
            router_application(config),
            control_application(config),
        ],
    }


def grpc_options(port: int | None) -> dict[str, Any]:
    """The part of the config that has Serve serve gRPC. Its host is HTTP's."""
    return {} if port is None else {"grpc_options": {"port": port, "grpc_servicer_functions": [SERVICER]}}


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
    llm = llm_version(model, version).model_dump(exclude_defaults=True)
    return {
        "name": app_name(model.name, version.version),
        "route_prefix": None,
        "import_path": "serve_app.app:build_llm",
        "args": {"version": llm, "cpus": version.resources.cpus},
        "deployments": [{"name": "llm"} | replicas(model.autoscaling)],
    }


def llm_version(model: ModelConfig, version: VersionConfig) -> LLMVersion:
    """What vLLM is to serve."""
    gpus = version.resources.gpus
    return LLMVersion(
        name=model.name,
        version=version.version,
        source=version.source,
        device="gpu" if gpus else "cpu",
        gpus=gpus or 1,
        engine_args=version.engine_args,
    )


def predictor_application(
    entry: ModelConfig | TaskEntry, version: str, declaration: TaskConfig, resources: ResourcesConfig
) -> dict[str, Any]:
    """A version whose adapter answers batches. Batching is user_config: it changes without a restart."""
    return {
        "name": app_name(entry.name, version),
        "route_prefix": None,
        "import_path": "serve_app.app:build_predictor",
        "args": {"task": loaded_by(declaration), "cpus": resources.cpus, "gpus": resources.gpus},
        "deployments": [
            {"name": "predictor", "user_config": entry.batching.model_dump()} | replicas(entry.autoscaling)
        ],
    }


def registered_application(name: str, version: str, declaration: TaskConfig, fitted: Path | None) -> dict[str, Any]:
    """A version that was registered on the running cluster, with what was fitted elsewhere."""
    resources = ResourcesConfig()
    return {
        "name": app_name(name, version),
        "route_prefix": None,
        "import_path": "serve_app.app:build_predictor",
        "args": {
            "task": loaded_by(declaration),
            "fitted": None if fitted is None else str(fitted),
            "cpus": resources.cpus,
            "gpus": resources.gpus,
        },
        "deployments": [
            {"name": "predictor", "user_config": declaration.batching.model_dump()} | replicas(AutoscalingConfig())
        ],
    }


def registered_route(name: str, version: str, declaration: TaskConfig) -> Route:
    """Where a registered version's name leads."""
    return Route(
        name=name,
        task=declaration.task,
        model=declaration.model or declaration.task,
        version=version,
        app=app_name(name, version),
        deployment="predictor",
        labels=None if declaration.labels is None else tuple(declaration.labels),
        max_batch_size=declaration.batching.max_batch_size,
        batch_wait_timeout_s=declaration.batching.batch_wait_timeout_s,
    )


def loaded_by(declaration: TaskConfig) -> dict[str, Any]:
    """The part of a declaration that loads it, and of which a change restarts its replicas."""
    return declaration.model_dump(mode="json", exclude_unset=True, exclude={"batching", "metrics", "allow_urls"})


def router_application(config: ClusterConfig) -> dict[str, Any]:
    """The router, whose routes are user_config: they change without a restart."""
    routing = RouterConfig(
        routes=tuple(routes(config)),
        limits=config.server.limits,
        cache=config.cache,
        routing=config.semantic_routing(),
    )
    told = routing.model_dump(mode="json", exclude_defaults=True) | declared_tools(config)
    surface = SurfaceConfig(
        max_body_bytes=config.server.max_body_bytes,
        trusted_proxies=config.server.trusted_proxies,
        loopback_only=config.server.host in LOOPBACK and not config.server.trusted_proxies,
        security=config.security,
    )
    return {
        "name": ROUTER_APP,
        "route_prefix": "/",
        "import_path": "serve_app.app:build_router",
        "args": {
            "replicas": config.server.router_replicas,
            "surface": surface.model_dump(mode="json", exclude_defaults=True),
        },
        "deployments": [{"name": ROUTER, "user_config": told}],
    }


def planner_application(config: ClusterConfig) -> dict[str, Any]:
    """The planner; what it is told of tools, and what it plans with, is user_config."""
    told = {"planner": config.planner.model_dump(mode="json", exclude_defaults=True, exclude={"replicas"})}
    return {
        "name": PLANNER_APP,
        "route_prefix": None,
        "import_path": "serve_app.app:build_planner",
        "args": {"replicas": config.planner.replicas},
        "deployments": [{"name": PLANNER_APP, "user_config": told | declared_tools(config)}],
    }


def declared_tools(config: ClusterConfig) -> dict[str, Any]:
    """The part of the user_config of those that call tools: the file's entries and grants."""
    return {
        "declared_tools": [told_entry(entry) for entry in config.tools],
        "declared_grants": [grant.model_dump(mode="json", exclude_defaults=True) for grant in config.grants],
    }


def tool_applications(config: ClusterConfig) -> Iterator[dict[str, Any]]:
    """The common host, where the file has tools for it, and the entries' own."""
    if common := [entry for entry in config.tools if not entry.has_own_application]:
        yield tools_application(common)
    for entry in config.tools:
        if entry.has_own_application:
            yield tool_application(entry)


def tools_application(entries: Iterable[ToolEntry]) -> dict[str, Any]:
    """The host of all entries that ask for nothing of their own. They are user_config: they come and go without it."""
    return host_application(TOOLS_APP, entries, ToolResources(), replicas=1)


def tool_application(entry: ToolEntry) -> dict[str, Any]:
    """The host of one entry that has resources or replicas of its own."""
    return host_application(tool_app(entry.name), (entry,), entry.resources or ToolResources(), entry.replicas or 1)


def host_application(
    name: str, entries: Iterable[ToolEntry], resources: ToolResources, replicas: int
) -> dict[str, Any]:
    """A tool host."""
    return {
        "name": name,
        "route_prefix": None,
        "import_path": "serve_app.app:build_tools",
        "args": {"cpus": resources.cpus, "gpus": resources.gpus, "replicas": replicas},
        "deployments": [{"name": TOOLS, "user_config": {"declared_tools": [told_entry(entry) for entry in entries]}}],
    }


def told_entry(entry: ToolEntry) -> dict[str, Any]:
    """An entry as a host is told it."""
    return entry.model_dump(mode="json", exclude_defaults=True)


def control_application(config: ClusterConfig) -> dict[str, Any]:
    """The control plane; the routers answer without it too."""
    return {
        "name": CONTROL_APP,
        "route_prefix": "/admin",
        "import_path": "cluster.control.app:build_control",
        "args": {
            "access": config.security.model_dump(mode="json", exclude_defaults=True),
            "trusted_proxies": config.server.trusted_proxies,
        },
        "deployments": [{"name": "control"}],
    }


def routes(config: ClusterConfig) -> Iterator[Route]:
    """Where each name leads: every version of a model, the first of which is asked, and every task."""
    for model in config.models:
        yield from (model_route(model, version) for version in model.versions)
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
            batch_wait_timeout_s=task.batching.batch_wait_timeout_s,
            max_replicas=task.autoscaling.max_replicas,
            price=task.price,
            policy=policy_of(task),
        )


def model_route(model: ModelConfig, version: VersionConfig) -> Route:
    """To one version."""
    generates = model.task == "text-generation"
    return Route(
        name=model.name,
        task=model.task,
        model=version.source,
        version=version.version,
        app=app_name(model.name, version.version),
        deployment="llm" if generates else "predictor",
        max_batch_size=model.batching.max_batch_size,
        batch_wait_timeout_s=model.batching.batch_wait_timeout_s,
        max_replicas=model.autoscaling.max_replicas,
        price=model.price,
        policy=policy_of(model),
        max_model_len=llm_version(model, version).max_model_len if generates else None,
    )


def policy_of(entry: TargetPolicy) -> TargetPolicy:
    """The part of an entry that is the router's."""
    return TargetPolicy.model_construct(**{field: getattr(entry, field) for field in TargetPolicy.model_fields})


def app_name(name: str, version: str) -> str:
    """The Serve application of a version."""
    return f"model-{name}-{version}"


def replicas(autoscaling: AutoscalingConfig) -> dict[str, Any]:
    """A fixed number where the bounds are equal, else Serve's autoscaling."""
    if autoscaling.min_replicas == autoscaling.max_replicas:
        return {"num_replicas": autoscaling.max_replicas}
    return {"autoscaling_config": autoscaling.model_dump(exclude_none=True)}
