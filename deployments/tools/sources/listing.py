"""How tools that others describe are listed: under names and with schemas that this system can bear."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

MAX_NAME = 64  # as autoglm.contract.tool.ToolName has it
MAX_DESCRIPTION = 2000  # characters: what a model reads of a tool
MAX_SCHEMA_BYTES = 256 * 1024
MAX_TOOLS = 1000  # of one source
MAX_ERROR = 2000  # characters of another's error that are told on

_FOREIGN = re.compile(r"[^A-Za-z0-9_.-]+")
_DIGEST = 8


def tool_name(source: str, own: str, taken: Collection[str] = ()) -> str:
    """`SOURCE.OWN` in the letters of a tool's name; where it is too long or taken, with a part of its digest."""
    name = f"{source}.{_FOREIGN.sub('_', own).strip('_')}"
    if len(name) <= MAX_NAME and name not in taken:
        return name
    digest = hashlib.sha256(own.encode()).hexdigest()[:_DIGEST]
    return f"{name[: MAX_NAME - _DIGEST - 1]}-{digest}"


def check_schema(schema: Mapping[str, Any]) -> None:
    """That a schema is of a bearable size and refers to nothing outside itself, which a validator might fetch.

    Raises:
        ValueError: it does.
    """
    if (size := len(json.dumps(schema))) > MAX_SCHEMA_BYTES:
        raise ValueError(f"its schema has {size} bytes, which is more than {MAX_SCHEMA_BYTES}")
    for reference in _references(schema):
        if not reference.startswith("#"):
            raise ValueError(f"its schema refers to {reference[:200]!r}; only references inside a schema are followed")


def cut(text: str, limit: int = MAX_ERROR) -> str:
    """The beginning of a text, and a sign where there was more."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _references(schema: Mapping[str, Any]) -> Iterator[str]:
    """Every `$ref` and its like; those that stand in examples or constants are told too, to be safe."""
    pending: list[Any] = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, Mapping):
            yield from (node[key] for key in ("$ref", "$dynamicRef") if isinstance(node.get(key), str))
            pending.extend(node.values())
        elif isinstance(node, list | tuple):
            pending.extend(node)
