"""An OpenAPI 3.0 or 3.1 document: read, bounded, and its references followed inside it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2
import yaml

from autoglm.errors import ConfigError
from deployments.tools.net.client import exchanged, guarded_client
from deployments.tools.sources.openapi_config import OpenApiConfig

MAX_BYTES = 16 * 1024 * 1024  # GitHub's own, among the largest there are, has 12 MB
MAX_NODES = 2_000_000  # with every YAML alias counted where it stands, so that a few lines do not become gigabytes
MAX_DEPTH = 100
MAX_HOPS = 32  # from reference to reference
FETCH_S = 30.0


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml's where it is there
    """YAML as JSON knows it: dates stay texts, and `no` is a word (YAML 1.2's core schema)."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":bool"))]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


class Document:
    """A document's tree. `is_30` says that its schemas are OpenAPI 3.0's own kind."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.is_30 = str(root["openapi"]).startswith("3.0")

    def at(self, reference: str) -> Any:
        """What a reference `#/…` stands for (RFC 6901).

        Raises:
            ConfigError: it points outside the document, or at nothing.
        """
        if not reference.startswith("#/"):
            raise ConfigError(f"openapi: the reference {reference[:200]!r} leads out of the document")
        node: Any = self.root
        for part in reference[2:].split("/"):
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and key.isdecimal() and int(key) < len(node):
                node = node[int(key)]
            elif isinstance(node, Mapping) and key in node:
                node = node[key]
            else:
                raise ConfigError(f"openapi: the reference {reference[:200]!r} points at nothing")
        return node

    def resolved(self, node: Any) -> Mapping[str, Any]:
        """An object itself, or what its chain of references ends at.

        Raises:
            ConfigError: the chain does not end, or not at an object.
        """
        for _ in range(MAX_HOPS):
            if not isinstance(node, Mapping):
                raise ConfigError(f"openapi: got {str(node)[:100]!r} where an object belongs")
            if "$ref" not in node:
                return node
            node = self.at(str(node["$ref"]))
        raise ConfigError(f"openapi: a chain of references is longer than {MAX_HOPS}, or a circle")


async def fetched(config: OpenApiConfig) -> bytes:
    """The text of a document at an address.

    Raises:
        UpstreamError: it cannot be had.
        UnavailableError: its server does not answer.
    """
    url = httpx2.URL(config.document)
    sizes = config.model_copy(update={"max_response_bytes": MAX_BYTES})
    async with guarded_client(sizes, [url]) as client:
        response = await exchanged(client, client.build_request("GET", url), timeout_s=FETCH_S)
    if not response.is_success:
        raise ConfigError(f"openapi: {config.document} answered {response.status_code} in place of the document")
    return response.content


def read(path: Path) -> bytes:
    """The text of a file.

    Raises:
        ConfigError: it cannot be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"openapi: {path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise ConfigError(f"openapi: {path} has more than {MAX_BYTES} bytes")
    return content


def parsed(content: bytes) -> Document:
    """A document from JSON or YAML.

    Raises:
        ConfigError: it is neither, not OpenAPI 3.0 or 3.1, or too deep or too large when its aliases are followed.
    """
    try:
        root = _tree(content)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"openapi: the document is neither JSON nor YAML: {str(error)[:300]}") from error
    version = root.get("openapi") if isinstance(root, dict) else None
    if not str(version).startswith(("3.0", "3.1")):
        raise ConfigError(f"openapi: got the version {version!r}; documents of OpenAPI 3.0 and 3.1 are read")
    _check_bounds(root)
    return Document(root)


def _tree(content: bytes) -> Any:
    if content.lstrip().startswith(b"{"):
        return json.loads(content)
    return yaml.load(content, Loader=_Loader)


def _check_bounds(root: Any) -> None:
    pending, count = [(root, 0)], 0
    while pending:
        node, depth = pending.pop()
        count += 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise ConfigError(
                f"openapi: the document has more than {MAX_NODES} values or {MAX_DEPTH} levels, aliases followed"
            )
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        pending.extend((child, depth + 1) for child in children)
