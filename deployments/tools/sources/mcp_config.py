"""An MCP server whose tools become the cluster's: the `mcp` of an entry under `tools:`."""

from __future__ import annotations

from typing import Annotated, Self

import httpx2
from pydantic import Field, StringConstraints, field_validator, model_validator

from deployments.redaction import SECRET_NAMES
from deployments.tools.net.config import OutgoingConfig
from deployments.tools.net.endpoint import declared_url
from deployments.tools.secrets import SecretReference

Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")]
Argument = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[^\x00]*$")]


class McpConfig(OutgoingConfig):
    """Either a `command` that is started and spoken with over its standard streams, or the `url` of a server.

    The command's environment holds `env` and what a program needs to run (PATH, HOME, a locale), nothing else of the
    server's own; what is a secret by its name stands there by reference. To a `url` go the `headers`, and the `bearer`
    as the token of its Authorization. `tools` names those that are wanted, as the server calls them; without it all
    are.
    """

    command: tuple[Argument, ...] | None = Field(default=None, min_length=1, max_length=100)
    env: dict[Variable, str | SecretReference] = Field(default_factory=dict, max_length=100)
    url: str | None = None
    headers: dict[HeaderName, SecretReference] = Field(default_factory=dict, max_length=50)
    bearer: SecretReference | None = None
    tools: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=1000)

    @field_validator("env")
    @classmethod
    def _no_secrets(cls, env: dict[str, str | SecretReference]) -> dict[str, str | SecretReference]:
        for name, value in env.items():
            if isinstance(value, str) and SECRET_NAMES.search(name):  # not shown: it may well be one
                raise ValueError(f"{name} is a secret by its name: refer to it by {{env: NAME}} or {{file: PATH}}")
        return env

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.command is None) == (self.url is None):
            raise ValueError("an MCP server has either a command or a url")
        if self.url is not None:
            if self.env:
                raise ValueError("env is of a command; to a url go headers and bearer")
            declared_url("url", self.url, allow_http=self.allow_http)
        elif self.headers or self.bearer:
            raise ValueError("headers and bearer are of a url; to a command goes env")
        return self

    @property
    def endpoint(self) -> httpx2.URL | None:
        """The address, where it has one."""
        return None if self.url is None else httpx2.URL(self.url)
