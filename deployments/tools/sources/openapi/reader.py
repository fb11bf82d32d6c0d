"""Operations from a document: which there are, and what each one's arguments and result look like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autoglm.contract.tool import ToolCard
from autoglm.errors import ConfigError
from deployments.tools.sources.listing import MAX_DESCRIPTION, MAX_TOOLS, check_schema, cut, tool_name
from deployments.tools.sources.openapi.arguments import Arguments
from deployments.tools.sources.openapi.document import Document
from deployments.tools.sources.openapi.media import is_json
from deployments.tools.sources.openapi.operation import IDEMPOTENT, Operation
from deployments.tools.sources.openapi.schema import SchemaReader
from deployments.tools.sources.openapi.security import required_schemes, schemes_of
from deployments.tools.sources.openapi_config import OpenApiConfig

METHODS = ("get", "put", "post", "delete", "patch", "head")
NAMED_FAULTS = 3  # of those that keep every operation from being a tool
MAX_SHOWN = 100  # characters of the name of an operation that is none


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation as the document has it, with the path item that it stands in."""

    method: str
    path: str
    declared: Mapping[str, Any]
    item: Mapping[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """By what a config may name it."""
        own = self.declared.get("operationId")
        place = f"{self.method.upper()} {self.path}"
        return (str(own), place) if own else (place,)


def operations(source: str, document: Document, config: OpenApiConfig) -> tuple[dict[str, Operation], tuple[str, ...]]:
    """The wanted operations by their tools' names, and why others cannot be tools, each by its name.

    Raises:
        ConfigError: the document is malformed, nothing is left of it, or what was named is not there or no tool.
    """
    schemes = schemes_of(document, config.auth)
    found: dict[str, Operation] = {}
    faults: list[str] = []
    for entry in _wanted(list(_entries(document)), config):
        name = tool_name(source, str(entry.declared.get("operationId") or f"{entry.method}_{entry.path}"), found)
        try:
            found[name] = _operation(source, name, entry, document, required_schemes(document, entry.declared, schemes))
        except ValueError as error:
            if isinstance(error, ConfigError) or set(entry.names) & set(config.operations or ()):
                raise ConfigError(f"openapi: {entry.names[0]}: {error}") from error
            faults.append(f"{cut(entry.names[0], MAX_SHOWN)} is not offered: {error}")
    if not found:
        raise ConfigError(f"openapi: no operation can be a tool; {'; '.join(faults[:NAMED_FAULTS]) or 'there is none'}")
    return found, tuple(faults)


def _entries(document: Document) -> Iterator[Entry]:
    for path, item in (document.root.get("paths") or {}).items():
        item = document.resolved(item)
        for method in METHODS:
            if method in item:
                yield Entry(method, str(path), document.resolved(item[method]), item)


def _wanted(entries: list[Entry], config: OpenApiConfig) -> list[Entry]:
    wanted, tags = set(config.operations or ()), set(config.tags or ())
    if unknown := sorted(wanted - {name for entry in entries for name in entry.names}):
        raise ConfigError(f"operations: got {unknown[0]!r}, which the document does not have; {_choice(entries)}")
    if wanted or tags:
        entries = [each for each in entries if wanted & set(each.names) or tags & set(each.declared.get("tags") or ())]
    if len(entries) > MAX_TOOLS:
        raise ConfigError(f"openapi: {len(entries)} operations are more than {MAX_TOOLS}; choose by operations or tags")
    return entries


def _choice(entries: list[Entry]) -> str:
    return "it has " + cut(", ".join(entry.names[0] for entry in entries), 500)


def _operation(source: str, name: str, entry: Entry, document: Document, schemes: tuple[Any, ...]) -> Operation:
    if "servers" in entry.declared or "servers" in entry.item:
        raise ValueError("it has servers of its own, and requests go to one base_url")
    hidden = {(scheme.place, scheme.name.lower()) for scheme in schemes}
    arguments = Arguments(document, entry.path, hidden)
    arguments.add_parameters(entry.item.get("parameters") or (), entry.declared.get("parameters") or ())
    arguments.add_body(entry.declared.get("requestBody"))
    parameters = arguments.schema()
    check_schema(parameters)
    words = [str(entry.declared[key]) for key in ("summary", "description") if entry.declared.get(key)]
    card = ToolCard(
        name=name,
        description=cut("\n".join(words) or entry.names[-1], MAX_DESCRIPTION),
        parameters=parameters,
        returns=_returns(document, entry.declared),
        source=source,
        idempotent=entry.method in IDEMPOTENT,
    )
    return Operation(card, entry.method, entry.path, arguments.parameters, arguments.body, schemes)


def _returns(document: Document, declared: Mapping[str, Any]) -> dict[str, Any] | None:
    """The schema of the result where there is one kind of success alone, and it is JSON."""
    responses = declared.get("responses") or {}
    successes = [response for status, response in responses.items() if str(status).startswith("2")]
    if len(successes) != 1:
        return None
    content = document.resolved(successes[0]).get("content") or {}
    media = [each for kind, each in content.items() if is_json(kind)]
    if len(content) != 1 or len(media) != 1 or "schema" not in media[0]:
        return None
    schema = SchemaReader(document, "writeOnly").whole(media[0]["schema"])
    check_schema(schema)
    return schema
