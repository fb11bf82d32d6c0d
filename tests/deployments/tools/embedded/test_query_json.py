"""Queries, and their bounds."""

from __future__ import annotations

from typing import Any

import pytest

from autoglm.errors import UnprocessableEntityError
from tests.deployments.tools.embedded.conftest import Call

PEOPLE = {"people": [{"name": "Ann", "age": 40}, {"name": "Bo", "age": 20}, {"name": "Cy", "age": 35}]}


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("people[?age > `30`].name", ["Ann", "Cy"]),
        ("sum(people[].age)", 95),
        ("join('-', people[].name)", "Ann-Bo-Cy"),
        ("max_by(people, &age).name", "Ann"),
        ("nothing.here", None),
    ],
)
def test_a_document_is_queried(call: Call, query: str, result: Any) -> None:
    """As JSON, or as a text that holds it."""
    assert call("query_json", document=PEOPLE, query=query) == {"result": result}
    text = '{"people": [{"name": "Ann", "age": 40}, {"name": "Bo", "age": 20}, {"name": "Cy", "age": 35}]}'
    assert call("query_json", document=text, query=query) == {"result": result}


@pytest.mark.parametrize(
    ("document", "query", "told"),
    [
        (1, "|".join(["[@,@]"] * 60), "bytes"),
        ([1], "|".join(["[@,@][]"] * 50), "ask for less"),
        (1, f"to_string({'|'.join(['[@,@]'] * 60)})", "bytes"),
        ({"s": "a" * 10**6, "l": ["b"] * 10**4}, "join(s, l)", "join builds"),
        (list(range(1000)), f"[].[{','.join('@' * 60)}][]|[?{'||'.join('a' * 60)}]", "steps"),
    ],
)
def test_a_short_query_cannot_ask_for_everything(call: Call, document: Any, query: str, told: str) -> None:
    """It is given up before the memory is there, in about a second."""
    with pytest.raises(UnprocessableEntityError, match=told):
        call("query_json", document=document, query=query)


@pytest.mark.parametrize(
    ("document", "query", "param"),
    [
        ({}, "a[", "query"),
        ({}, "x" * 501, "query"),
        ({}, "(" * 400, "query"),
        ("{", "a", "document"),
        (1, 'abs(`"a"`)', "query"),
    ],
)
def test_what_is_no_query_or_no_document_is_refused(call: Call, document: Any, query: str, param: str) -> None:
    """By the field that is wrong."""
    with pytest.raises(UnprocessableEntityError) as refused:
        call("query_json", document=document, query=query)
    assert refused.value.param == param
