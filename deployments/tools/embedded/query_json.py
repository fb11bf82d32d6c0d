"""The tool `query_json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from autoglm.tool import tool
from deployments.tools.embedded.jmespath_query import QueryFault, search
from deployments.tools.embedded.refusal import refused


@dataclass(frozen=True, slots=True)
class Found:
    """Null where nothing was found."""

    result: Any


@tool(idempotent=True)
def query_json(document: Any, query: str) -> Found:
    """Look up or filter values in a JSON document by a JMESPath query: fields, lists, filters, sorting, lengths, sums.
    JSON 查询 提取 字段 筛选

    Args:
        document: any JSON value, or a text that holds one
        query: JMESPath, such as "people[?age > `30`].name | sort(@)" or "length(items)"
    """
    try:
        return Found(search(query, parsed(document)))
    except QueryFault as fault:
        raise refused("query", str(fault)) from None


def parsed(document: Any) -> Any:
    """A text is read as JSON."""
    if not isinstance(document, str):
        return document
    try:
        return json.loads(document)
    except (ValueError, RecursionError) as fault:
        raise refused("document", f"is a text that is no JSON: {fault}") from None
