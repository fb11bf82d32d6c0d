"""What JSON documents hold, and what a folder of documents says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from deployments.planner.planning.rules.draft import Draft
from deployments.planner.planning.rules.intent import Build, Intent, figure, result
from deployments.planner.planning.rules.pattern import Captures
from deployments.planner.planning.rules.token import Token

MAX_DEPTH = 8  # of the fields that are looked for by name


def queried(captures: Captures, draft: Draft) -> Token:
    """What a JMESPath expression finds."""
    return _queried(draft, captures["document"], captures["query"])


def looked_up(captures: Captures, draft: Draft) -> Token | None:
    """The value of a field that is called by its name alone."""
    path = next(paths(captures["document"], captures["key"]), None)
    return _queried(draft, captures["document"], path) if path else None


def aggregated(function: str) -> Build:
    """One number for the values of a field of all objects in a list."""

    def build(captures: Captures, draft: Draft) -> Token | None:
        found = (path for path in paths(captures["document"], captures["key"]) if "[]" in path)
        path = next(found, None)
        return _queried(draft, captures["document"], f"{function}({path})") if path else None

    return build


def searched(captures: Captures, draft: Draft) -> Token:
    """The passages that are nearest to what is looked for."""
    step = draft.tool("search_documents", query=captures["query"])
    says = result(step, ".documents")
    return Token("name", "", says, says=says)


def paths(document: Any, key: str) -> Iterator[str]:
    """JMESPath expressions that lead to the fields of a name, or of its singular, the outermost first."""
    names = {key.casefold(), key.casefold().removesuffix("s")}
    level = [("", document)]
    for _ in range(MAX_DEPTH):
        below: list[tuple[str, Any]] = []
        for path, value in level:
            if isinstance(value, list) and value:
                below.append((f"{path}[]", value[0]))
            elif isinstance(value, dict):
                below += [(f"{path}.{_quoted(name)}".removeprefix("."), item) for name, item in value.items()]
                yield from (f"{path}.{_quoted(name)}".removeprefix(".") for name in value if name.casefold() in names)
        level = below


def _quoted(name: str) -> str:
    """A field's name in JMESPath."""
    return name if name.isidentifier() and name.isascii() else json.dumps(name)


def _queried(draft: Draft, document: Any, query: str) -> Token:
    step = draft.tool("query_json", document=document, query=query)
    return figure(step, ".result", result(step, ".result"))


IN = "(in|of|out of|from|to|on|against|over|within) [json|document|object|list|data] [:] {document:document}"
DOCUMENTS = (
    Intent(
        (
            f"[query|apply|run|evaluate|get|extract|find|read|select|what is] [jmespath] [expression|query|path] "
            f"{{query:query}} {IN}",
            "(query|search|ask) [json|document|object] {document:document} (with|for|by|using) [jmespath] "
            "[expression|query|path] "
            "{query:query}",
            "(from|in) [json|document|object|data] {document:document} [,] "
            "[get|extract|find|read|select|give|take|return] "
            "[expression|path|query|value of|value at] {query:query}",
            "[用|使用] {query:query} 查询 {document:document}",
            "[从|在] {document:document} [中|里] [取出|查询|提取|找出] {query:query}",
        ),
        queried,
    ),
    Intent(
        (
            f"(get|extract|find|read|select|what is) [value of] [field|property|key] {{key:key}} {IN}",
            "(from|in) [json|document|object] {document:document} [,] (get|extract|find|read|select|give) {key:key}",
        ),
        looked_up,
    ),
    Intent((f"(average|mean) [of] {{key:key}} {IN}",), aggregated("avg")),
    Intent((f"(sum|total|sum up|add up) [of] [all] {{key:key}} {IN}",), aggregated("sum")),
    Intent((f"(maximum|highest|largest|biggest) [of] {{key:key}} {IN}",), aggregated("max")),
    Intent((f"(minimum|lowest|smallest|least) [of] {{key:key}} {IN}",), aggregated("min")),
    Intent(
        (
            "(search|look|look through|look in|search in|search through) [our|my|your|local] "
            "(documents|docs|files|notes|documentation|folder) "
            "(for|about|on) {query:rest}",
            "(find|show|list|get) [all] (documents|docs|files|notes|passages) (about|on|for|that "
            "mention|mentioning|concerning) "
            "{query:rest}",
            "what (do|does|is said in) [our|my|your|local] (documents|docs|files|notes|documentation) "
            "(say|says|tell) (about|on|of) "
            "{query:rest}",
            "[在] [我们|本地] (文档|文件|资料) [中|里] (搜索|查找|查询|检索|找) [关于|有关] {query:rest}",
            "(搜索|查找|检索) (文档|文件|资料) [中] [关于|有关|:] {query:rest}",
        ),
        searched,
    ),
)
