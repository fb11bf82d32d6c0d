"""The entries of the cluster's file under `tools:`, and what a tool host is told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from autoglm.errors import ConfigError
from deployments.tools.embedded.names import EmbeddedName
from deployments.tools.isolation.config import IsolationConfig
from deployments.tools.sources.mcp_config import McpConfig
from deployments.tools.sources.openapi_config import OpenApiConfig, joined_openapi

# No dot: `ENTRY.TOOL` is a tool of a source that has many, and 16 characters of the 64 at least are the tool's own.
EntryName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,46}$")]
# `module:function`, or a module whose marked functions are all tools.
Target = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*(:[A-Za-z_]\w*)?$", max_length=256)]

KINDS = ("python", "embedded", "mcp", "openapi")
MIB = 1024 * 1024


class Frozen(BaseModel):
    """The base of what is declared here."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class ToolResources(Frozen):
    """What Ray reserves for each replica of an entry's own application."""

    cpus: float = Field(default=0.1, ge=0)
    gpus: int = Field(default=0, ge=0)


class ToolEntry(Frozen):
    """One source of tools, and the bounds of a call. Exactly one of `python`, `embedded`, `mcp` and `openapi`.

    A Python function and an embedded tool bear the entry's name; the tools of a module, of an MCP server and of an
    OpenAPI document are called `ENTRY.TOOL`. `folder` is what the embedded `search_documents` searches. With
    `isolated` a Python tool runs in a process of its own.

    `timeout_s` is of one call, with its time in the queue. `max_concurrency` and `calls_per_minute` count all tools of
    the entry together, on each replica for itself. With `needs_approval` a person must approve each call. With
    `resources` or `replicas` the entry gets a Serve application of its own.
    """

    name: EntryName
    python: Target | None = None
    embedded: EmbeddedName | None = None
    mcp: McpConfig | None = None
    openapi: OpenApiConfig | None = None

    folder: Path | None = None
    isolated: IsolationConfig | None = None

    timeout_s: float = Field(default=30, gt=0, le=3600)
    max_concurrency: int = Field(default=8, ge=1, le=1024)
    calls_per_minute: int | None = Field(default=None, ge=1, le=100_000)
    max_argument_bytes: int = Field(default=MIB, ge=1, le=64 * MIB)
    max_result_bytes: int = Field(default=MIB, ge=1, le=64 * MIB)
    needs_approval: bool = False

    resources: ToolResources | None = None
    replicas: int | None = Field(default=None, ge=1, le=1000)

    @model_validator(mode="before")
    @classmethod
    def _joined(cls, entry: Any) -> Any:
        return joined_openapi(entry)

    @field_validator("isolated", mode="before")
    @classmethod
    def _not_isolated(cls, value: Any) -> Any:
        return None if value is False else value

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"tool {self.name!r} needs exactly one of {', '.join(KINDS)}; got {given or 'none'}")
        if self.isolated and not self.python:
            raise ValueError(f"tool {self.name!r}: isolated is of python tools; got one of {given[0]}")
        if self.folder is not None and self.embedded != "search_documents":
            raise ValueError(f"tool {self.name!r}: folder is what the embedded search_documents searches")
        return self

    @property
    def has_own_application(self) -> bool:
        """Whether it is hosted apart, as `tool-NAME`."""
        return self.resources is not None or self.replicas is not None


class HostConfig(BaseModel):
    """A tool host's `user_config`: the entries of the file, and those that were registered on the running cluster.

    What else the control plane tells every application is not the host's, and is passed over.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    declared_tools: tuple[dict[str, Any], ...] = ()
    tools: tuple[dict[str, Any], ...] = ()

    def entries(self) -> tuple[list[ToolEntry], dict[str, str]]:
        """One entry for each name, the file's before a registered one; and the faults of those that are none, by name.

        An entry that was stored by another version of this program must not keep the others from being hosted.
        """
        by_name = {str(entry.get("name")): entry for entry in (*self.tools, *self.declared_tools)}
        entries, faults = [], {}
        for name, entry in by_name.items():
            try:
                entries.append(read_entry(entry))
            except ConfigError as error:
                faults[name] = error.message
        return entries, faults


def read_entry(stored: Any) -> ToolEntry:
    """An entry as it was stored, maybe by another version of this program.

    Raises:
        ConfigError: it is none; the message names the field, and shows nothing that stands in it.
    """
    try:
        return ToolEntry.model_validate(stored)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, fault["loc"])) or "entry"
        raise ConfigError(f"{where}: {fault['msg']}") from None
