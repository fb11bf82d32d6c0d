"""The schema that a model's plan is held to."""

from __future__ import annotations

from typing import Any

import pytest

from deployments.planner.planning.choices import Choices
from deployments.planner.planning.schema import MAX_ITEMS, REFERENCE, arguments_schema, plan_schema
from tests.deployments.planner.planning.capabilities import CHAT, DAYS

MAX_TEXT = 300


@pytest.mark.parametrize(
    ("declared", "held_to"),
    [
        ({"type": "string"}, {"type": "string", "maxLength": MAX_TEXT}),
        ({"type": "string", "maxLength": 9999}, {"type": "string", "maxLength": 9999}),
        ({"type": "string", "enum": ["a"]}, {"type": "string", "enum": ["a"]}),
        ({"type": "string", "pattern": "^a*$"}, {"type": "string", "pattern": "^a*$"}),
        (
            {"type": "array", "items": {"type": "string"}},
            {"type": "array", "items": {"type": "string", "maxLength": MAX_TEXT}, "maxItems": MAX_ITEMS},
        ),
        ({"type": "array", "minItems": 99}, {"type": "array", "minItems": 99, "maxItems": 99}),
        ({"enum": [{"type": "string"}]}, {"enum": [{"type": "string"}]}),
    ],
)
def test_every_text_and_list_comes_to_an_end(declared: dict[str, Any], held_to: dict[str, Any]) -> None:
    """A small model repeats itself otherwise, and what is cut off is no JSON."""
    schema = arguments_schema({"type": "object", "properties": {"value": declared}}, MAX_TEXT, may_refer=True)
    assert schema["properties"]["value"] == {"anyOf": [held_to, REFERENCE]}


def test_a_first_step_refers_to_nothing_unless_there_are_results() -> None:
    """A reference to itself is what a small model writes else."""
    for has_results in (False, True):
        steps = plan_schema(Choices([DAYS], [CHAT]), 4, MAX_TEXT, has_results=has_results)["properties"]["steps"]
        [first], later = steps["prefixItems"], steps["items"]
        assert (first == later) is has_results
        arguments = later["anyOf"][0]["properties"]["arguments"]["properties"]
        assert arguments["start"]["anyOf"][1] == REFERENCE
