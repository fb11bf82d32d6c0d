"""The embedded encoder, loaded once, and a few routes."""

from __future__ import annotations

from typing import Any

import pytest

from deployments.meaning import Encoder, load_encoder
from deployments.router.semantic import RouteIndex, RoutingConfig

ROUTES: list[dict[str, Any]] = [
    {
        "name": "small-talk",
        "model": "chat",
        "examples": ["hi", "how are you?", "thanks a lot", "good morning", "nice to meet you"],
    },
    {
        "name": "programming",
        "model": "coder",
        "examples": [
            "write a python function",
            "fix this bug in my code",
            "explain this stack trace",
            "refactor this class",
            "how do I sort a list in Java?",
        ],
    },
    {
        "name": "mood",
        "task": "sentiment",
        "examples": [
            "is this review positive?",
            "the film was great",
            "I hated this movie",
            "a dull and boring plot",
            "what a wonderful book",
        ],
    },
]


def routing(**settings: Any) -> RoutingConfig:
    """The routes above; an undecided text goes to `general`."""
    return RoutingConfig.model_validate({"routes": ROUTES, "abstain": "general", **settings})


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The embedded static vectors."""
    return load_encoder("wordllama")


@pytest.fixture(scope="session")
def index(encoder: Encoder) -> RouteIndex:
    """The routes above, fitted."""
    return RouteIndex(routing(), encoder)
