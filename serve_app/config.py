"""The cluster's YAML as pydantic models. An unknown key is refused, with its line and the nearest known one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from autoglm import suggestion
from autoglm.contract import BatchingConfig, TaskConfig
from autoglm.contract.field import NAME, VERSION
from autoglm.contract.grant import Grant
from autoglm.contract.price import Price
from autoglm.errors import ConfigError, UnprocessableEntityError
from autoglm.tasks.task_type import infer
from deployments.access.config import AccessConfig
from deployments.planner.config import PlannerConfig
from deployments.router import CacheConfig, Limits, TargetPolicy
from deployments.router.policy import FixedAnswer, OtherModel, OtherVersion
from deployments.router.semantic import RoutingConfig, RoutingRules, SemanticRoute
from deployments.tools.config import ToolEntry
from deployments.tools.grants import check_patterns

Name = Field(pattern=NAME)
Version = Field(pattern=VERSION)

UNFIXABLE = frozenset({"embedding", "tabular-regression"})  # tasks whose answers are numbers
ENGINES: dict[str, str] = {"text-generation": "vllm", "embedding": "transformers"}


class Section(BaseModel):
    """The base of every part of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class AutoscalingConfig(Section):
    """Replicas between two bounds, so many that each has about `target_ongoing_requests` calls under way."""

    min_replicas: int = Field(default=1, ge=0)
    max_replicas: int = Field(default=1, ge=1)
    target_ongoing_requests: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError(f"min_replicas ({self.min_replicas}) is above max_replicas ({self.max_replicas})")
        return self


class ResourcesConfig(Section):
    """What Ray reserves for a replica. The small default lets all models of a small machine share its cores."""

    cpus: float = Field(default=0.1, ge=0)
    gpus: int = Field(default=0, ge=0)


class VersionConfig(Section):
    """One deployable build of a model: `embedded/NAME`, a local folder or a hub id."""

    version: str = Version
    source: str = Field(min_length=1)
    engine: Literal["vllm", "transformers"] | None = None
    engine_args: dict[str, Any] = Field(default_factory=dict)
    resources: ResourcesConfig = ResourcesConfig()


class ModelConfig(TargetPolicy):
    """A model, its versions and how the router treats them. All are deployed; requests go to the first."""

    name: str = Name
    task: Literal["text-generation", "embedding"]
    versions: list[VersionConfig] = Field(min_length=1)
    price: Price = Price()
    batching: BatchingConfig = BatchingConfig()
    autoscaling: AutoscalingConfig = AutoscalingConfig()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        versions = [version.version for version in self.versions]
        if repeated := first_repeated(versions):
            raise ValueError(f"version {repeated!r} is declared twice")
        for version in self.versions:
            if version.engine not in (None, ENGINES[self.task]):
                raise ValueError(f"{self.task} runs on engine {ENGINES[self.task]!r}, got {version.engine!r}")
        return self


class TaskEntry(TaskConfig, TargetPolicy):
    """A declared task, how it is deployed and how the router treats it."""

    name: str = Name
    version: str = Field(default="v1", pattern=VERSION)
    price: Price = Price()
    autoscaling: AutoscalingConfig = AutoscalingConfig()
    resources: ResourcesConfig = ResourcesConfig()

    @model_validator(mode="before")
    @classmethod
    def _told(cls, declared: Any) -> Any:
        """`task: auto` becomes the type that data or model tell, before anything is deployed by it."""
        if not isinstance(declared, dict) or declared.get("task") != "auto":
            return declared
        own = {name: value for name, value in declared.items() if name in TaskConfig.model_fields}
        try:
            return declared | {"task": infer(TaskConfig.model_validate(own)).task}
        except ValidationError:
            return declared  # its own validation follows, and names the place

    @model_validator(mode="after")
    def _served_here(self) -> Self:
        if self.task in ENGINES:
            raise ValueError(f"{self.task} is declared under models, with versions")
        return self

    def declaration(self) -> TaskConfig:
        """The task without its deployment."""
        fields = set(TaskConfig.model_fields) - {"name"}
        return TaskConfig.model_validate(self.model_dump(include=fields, exclude_unset=True))


class ServerConfig(Section):
    """Where and with how many router replicas it listens, and what one request may bring."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    grpc_port: int | None = Field(default=None, ge=1, le=65535)  # of grpc.health.v1; None: no gRPC at all
    router_replicas: int = Field(default=2, ge=1)  # one serves on while the other is replaced
    max_body_bytes: int = Field(default=8 * 1024 * 1024, ge=1024)
    trusted_proxies: int = Field(default=0, ge=0)  # of the operator's own, each of which appends to X-Forwarded-For
    limits: Limits = Limits()


class PlannerSection(PlannerConfig):
    """The planner and how many of it there are."""

    replicas: int = Field(default=1, ge=1)


class ClusterConfig(Section):
    """The whole file."""

    models: list[ModelConfig] = Field(default_factory=list)
    tasks: list[TaskEntry] = Field(default_factory=list)
    server: ServerConfig = ServerConfig()
    security: AccessConfig = AccessConfig()
    cache: CacheConfig = CacheConfig()
    routes: list[SemanticRoute] = Field(default_factory=list)
    routing: RoutingRules = RoutingRules()
    tools: list[ToolEntry] = Field(default_factory=list)
    grants: list[Grant] = Field(default_factory=list)
    planner: PlannerSection = PlannerSection()

    @model_validator(mode="after")
    def _fallbacks_are_declared(self) -> Self:
        entries: list[ModelConfig | TaskEntry] = [*self.models, *self.tasks]
        for entry in entries:
            check_fallbacks(entry, entries)
        return self

    @model_validator(mode="after")
    def _routes_lead_somewhere(self) -> Self:
        routing = self.semantic_routing()
        for names, entries in ((routing.models(), self.models), (routing.tasks(), self.tasks)):
            declared = [entry.name for entry in entries]
            if unknown := next((name for name in sorted(names) if name not in declared), None):
                raise ValueError(f"routes: {unknown!r} is not declared; {suggestion.nearest(unknown, declared)}")
        return self

    @model_validator(mode="after")
    def _tools_are_named_once(self) -> Self:
        if repeated := first_repeated([tool.name for tool in self.tools]):
            raise ValueError(f"tools: the name {repeated!r} is declared twice")
        return self

    @model_validator(mode="after")
    def _grants_can_be_read(self) -> Self:
        for index, grant in enumerate(self.grants):
            try:
                check_patterns(grant)
            except UnprocessableEntityError as error:
                raise ValueError(f"grants.{index}: {error.message}") from None
        return self

    @model_validator(mode="after")
    def _planner_has_its_model(self) -> Self:
        declared = [model.name for model in self.models if model.task == "text-generation"]
        wanted = self.planner.planning.model
        if wanted is not None and wanted not in declared:
            raise ValueError(f"planner: no model {wanted!r} generates text; {suggestion.nearest(wanted, declared)}")
        return self

    def semantic_routing(self) -> RoutingConfig:
        """The rules and the routes of `auto`."""
        return RoutingConfig(routes=tuple(self.routes), **self.routing.model_dump())

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if not self.models and not self.tasks:
            raise ValueError("nothing is declared; declare at least one entry under models or tasks")
        entries: list[ModelConfig | TaskEntry] = [*self.models, *self.tasks]
        names = [entry.name for entry in entries]
        if repeated := first_repeated(names):
            raise ValueError(f"the name {repeated!r} is declared twice among models and tasks")
        # Model `a-b` of version `c` and model `a` of version `b-c` would be one Serve application.
        builds = [f"{model.name}-{version.version}" for model in self.models for version in model.versions]
        builds += [f"{task.name}-{task.version}" for task in self.tasks]
        if repeated := first_repeated(builds):
            raise ValueError(f"two names with their versions both make {repeated!r}; rename one of them")
        return self


def check_fallbacks(entry: ModelConfig | TaskEntry, entries: list[ModelConfig | TaskEntry]) -> None:
    """Raises ValueError where a fallback could never answer: what it names does something else, or is not there."""
    alike = {other.name for other in entries if other.task == entry.task and other.name != entry.name}
    versions = [version.version for version in entry.versions[1:]] if isinstance(entry, ModelConfig) else []
    for fallback in entry.fallbacks:
        if isinstance(fallback, OtherModel) and fallback.model not in alike:
            hint = suggestion.nearest(fallback.model, alike)
            raise ValueError(f"fallbacks of {entry.name!r}: {fallback.model!r} is no other {entry.task} here; {hint}")
        if isinstance(fallback, OtherVersion) and fallback.version not in versions:
            hint = suggestion.nearest(fallback.version, versions)
            raise ValueError(f"fallbacks of {entry.name!r}: no later version {fallback.version!r} is declared; {hint}")
        if isinstance(fallback, FixedAnswer) and entry.task in UNFIXABLE:
            raise ValueError(f"fallbacks of {entry.name!r}: a fixed text cannot stand in for an answer of {entry.task}")


def first_repeated(names: list[str]) -> str | None:
    """The first name that comes a second time."""
    return next((name for index, name in enumerate(names) if name in names[:index]), None)


def load(path: Path) -> ClusterConfig:
    """The file as a ClusterConfig.

    Raises:
        ConfigError: it cannot be read, is not YAML, or declares something wrong; one line for each fault,
            with the file, line, column and field.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    return parse(text, str(path))


def parse(text: str, filename: str) -> ClusterConfig:
    """The text of a file as a ClusterConfig; raises as `load` does."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{filename}:{mark.line + 1}:{mark.column + 1}" if mark else filename
        raise ConfigError(f"{place}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{filename}: not valid YAML: {error}") from None
    if root is None or not isinstance(data, dict):
        raise ConfigError(f"{filename}:1:1: the file must be a mapping with models or tasks")
    for key in repeated_keys(root):
        mark = key.start_mark
        raise ConfigError(f"{filename}:{mark.line + 1}:{mark.column + 1}: {key.value}: this key comes a second time")
    try:
        return ClusterConfig.model_validate(data)
    except ValidationError as error:
        lines = (fault_line(fault, root, filename) for fault in error.errors(include_url=False))
        raise ConfigError("\n".join(lines)) from None


def repeated_keys(node: yaml.Node) -> Iterator[yaml.Node]:
    """The keys that a mapping has already; YAML's loader would let the last one win in silence."""
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value]
        yield from (key for index, (key, _) in enumerate(node.value) if key.value in keys[:index])
        for _, value in node.value:
            yield from repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from repeated_keys(item)


def fault_line(fault: Any, root: yaml.Node, filename: str) -> str:
    """One fault: where, which field, what is wrong."""
    location = fault["loc"]
    mark = locate(root, location).start_mark
    field = ".".join(map(str, location)) or "file"
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        message = "unknown key" + nearest(location)
    elif fault["type"] == "missing":
        message = "this key is required"
    elif fault["type"] != "value_error":
        message += f"; got {fault['input']!r}"
    return f"{filename}:{mark.line + 1}:{mark.column + 1}: {field}: {message}"


def locate(node: yaml.Node, location: tuple[int | str, ...]) -> yaml.Node:
    """The deepest node of the path that is in the file; for an unknown key, the key itself."""
    for depth, part in enumerate(location):
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
        elif isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == part), None)
            if pair is None:
                return node
            node = pair[0] if depth == len(location) - 1 else pair[1]
    return node


def nearest(location: tuple[int | str, ...]) -> str:
    """The known key that was probably meant, or all that are known there."""
    section = section_at(location[:-1])
    known = section.model_fields if section else ()
    return "; " + suggestion.nearest(str(location[-1]), known)


def section_at(location: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The model that describes the mapping at a place of the file."""
    section: type[BaseModel] | None = ClusterConfig
    for part in location:
        if section is None or isinstance(part, int):
            continue
        field = section.model_fields.get(part)
        section = next(models_in(field.annotation), None) if field else None
    return section


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The pydantic models named in an annotation, such as ModelConfig in list[ModelConfig]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def listening(config: ClusterConfig, host: str | None, port: int | None) -> ClusterConfig:
    """The same cluster on another address."""
    asked = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    return config.model_copy(update={"server": config.server.model_copy(update=asked)})


def with_gpus(config: ClusterConfig) -> ClusterConfig:
    """The same cluster with a GPU for every replica of a generating model that asks for none."""
    return config.model_copy(update={"models": [model_with_gpus(model) for model in config.models]})


def model_with_gpus(model: ModelConfig) -> ModelConfig:
    """One model of `with_gpus`."""
    if model.task != "text-generation":
        return model
    versions = [
        version
        if version.resources.gpus
        else version.model_copy(update={"resources": version.resources.model_copy(update={"gpus": 1})})
        for version in model.versions
    ]
    return model.model_copy(update={"versions": versions})
