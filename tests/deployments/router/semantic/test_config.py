"""What a declaration of routes may not say."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from deployments.router.semantic import RoutingConfig
from deployments.router.semantic.config import MAX_EXAMPLES
from tests.deployments.router.semantic.conftest import routing

ROUTE: dict[str, Any] = {"name": "a", "model": "chat", "examples": ["hi"]}


@pytest.mark.parametrize(
    ("routes", "message"),
    [
        ([{**ROUTE, "task": "sentiment"}], "route 'a' names both of model and task; name one of them"),
        ([{"name": "a", "examples": ["hi"]}], "route 'a' names neither of model and task"),
        ([{**ROUTE, "examples": []}], "at least 1 item"),
        ([{**ROUTE, "examples": ["hi", " \n"]}], r"examples of route 'a': got ' \\n', which is blank"),
        ([ROUTE, {**ROUTE, "examples": ["hello"]}], "the route 'a' is declared twice"),
        ([ROUTE, {**ROUTE, "name": "b", "examples": [" HI"]}], "the example ' HI' is in the routes 'a' and 'b'"),
        ([{**ROUTE, "examples": [f"text {n}" for n in range(MAX_EXAMPLES + 1)]}], "got 2,001 examples, at most 2,000"),
        ([{**ROUTE, "thresold": 0.5}], "thresold"),
    ],
)
def test_a_contradiction_is_named(routes: list[dict[str, Any]], message: str) -> None:
    """At the start, not by a request that goes astray."""
    with pytest.raises(ValidationError, match=message):
        RoutingConfig.model_validate({"routes": routes})


def test_the_names_that_routes_lead_to_are_told_by_kind() -> None:
    """So that the file which declares models and tasks can check them."""
    config = routing()
    assert config.models() == {"chat", "coder", "general"}
    assert config.tasks() == {"sentiment"}
