"""The operations of an HTTP service as tools: read once, when opened, and called by guarded HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2

from autoglm.contract.tool import ToolCard
from autoglm.errors import APIStatusError, ConfigError, NotFoundError, UnavailableError
from deployments.tools.net.client import exchanged, guarded_client
from deployments.tools.net.credential import EXTENSION, Credential
from deployments.tools.net.endpoint import declared_url
from deployments.tools.net.host import AllowedHost
from deployments.tools.secrets import Secrets
from deployments.tools.sources.openapi.document import Document, fetched, parsed, read
from deployments.tools.sources.openapi.operation import Operation
from deployments.tools.sources.openapi.reader import operations
from deployments.tools.sources.openapi.response import value_of
from deployments.tools.sources.openapi.security import credential
from deployments.tools.sources.openapi_config import OpenApiConfig


class OpenApiSource:
    """A `Source` over an OpenAPI document. Its listing changes with its entry alone."""

    def __init__(self, name: str, config: OpenApiConfig, *, secrets: Secrets | None = None) -> None:
        self._name = name
        self._config = config
        self._secrets = secrets or Secrets()
        self._operations: Mapping[str, Operation] = {}
        self._faults: Sequence[str] = ()
        self._base = httpx2.URL()
        self._client: httpx2.AsyncClient | None = None

    async def open(self, changed: Callable[[], None]) -> None:
        """Read the document; `changed` is never called.

        Raises:
            ConfigError: the document, an address in it or a secret is not as it must be.
            UpstreamError: the document cannot be fetched.
        """
        config = self._config
        content = await (fetched(config) if config.is_remote else asyncio.to_thread(read, Path(config.document)))
        document, found, faults = await asyncio.to_thread(self._read, content)
        base = base_address(config, document)
        for operation in found.values():
            await credential(base, operation.schemes, self._secrets)  # what is missing is said now
        self._base, self._operations, self._faults = base, found, faults
        self._client = guarded_client(config, [base])

    def tools(self) -> Sequence[ToolCard]:
        """One for each operation that is wanted and can be a tool."""
        return [operation.card for operation in self._operations.values()]

    def faults(self) -> Sequence[str]:
        """The wanted operations that cannot be tools: what is not JSON is not sent, for one."""
        return self._faults

    async def call(self, tool: str, arguments: dict[str, Any], *, key: str, timeout_s: float) -> Any:
        """Send the operation's request.

        Raises:
            UnprocessableEntityError: the service refused the arguments, or they cannot be written into a request.
            UpstreamError: the service failed, or sent what is not taken.
            UnavailableError: the service cannot be reached.
            DeadlineExceededError: it did not answer in time.
        """
        operation = self._operations.get(tool)
        if operation is None:
            raise NotFoundError(f"{self._name} has no tool {tool!r}")
        if self._client is None:
            raise UnavailableError(f"{tool}: {self._name} is closed")
        request = operation.request(self._base, arguments, key)
        request.extensions[EXTENSION] = await self._credential(tool, operation)
        try:
            response = await exchanged(self._client, request, timeout_s=timeout_s)
            return value_of(tool, response)
        except APIStatusError as error:
            raise type(error)(self._secrets.redacted(error.message)) from None

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _read(self, content: bytes) -> tuple[Document, Mapping[str, Operation], Sequence[str]]:
        document = parsed(content)
        return document, *operations(self._name, document, self._config)

    async def _credential(self, tool: str, operation: Operation) -> Credential:
        try:
            return await credential(self._base, operation.schemes, self._secrets)
        except ConfigError as error:  # it was there when the source was opened
            raise UnavailableError(f"{tool}: {error.message}") from error


def base_address(config: OpenApiConfig, document: Document) -> httpx2.URL:
    """Where requests go: `base_url`, else the document's first server with its variables' defaults.

    Raises:
        ConfigError: there is none, or a fetched document names a host that nothing allows.
    """
    if config.base_url is not None:
        return httpx2.URL(config.base_url)
    try:
        url = declared_url("servers", _first_server(config, document), allow_http=config.allow_http)
    except ValueError as error:
        raise ConfigError(f"openapi: {error}; or give a base_url") from error
    if config.is_remote:
        allowed = [AllowedHost.of(httpx2.URL(config.document)), *map(AllowedHost.parse, config.allow_hosts)]
        if not any(host.admits(url) for host in allowed):
            raise ConfigError(
                f"openapi: the document sends requests to {url.host}; allow it by allow_hosts, or give a base_url"
            )
    return url


def _first_server(config: OpenApiConfig, document: Document) -> str:
    servers = document.root.get("servers")
    server = document.resolved(servers[0]) if isinstance(servers, list) and servers else {}
    address = str(server.get("url", "/"))
    for name, variable in (server.get("variables") or {}).items():
        address = address.replace(f"{{{name}}}", str(variable.get("default", "")))
    return urljoin(config.document, address) if config.is_remote else address
