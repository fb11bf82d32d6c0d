"""Asking where a text would go."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from autoglm.contract import RouteDecision

pytestmark = pytest.mark.usefixtures("clean_environment")

DECISION = {
    "route": "mood",
    "model": None,
    "task": "sentiment",
    "confidence": 0.9,
    "abstained": False,
    "reason": "most like the examples of 'mood'",
    "candidates": [{"route": "mood", "model": None, "task": "sentiment", "score": 0.7}],
    "nearest": {"route": "mood", "text": "<b>dull</b>", "similarity": 0.8},
}


def test_a_text_is_asked_about_and_the_decision_read_whole(connect: Callable[..., Any]) -> None:
    """`POST /v1/route` with the text; `kind` is sent only where it was given, so that an older server takes it."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json=DECISION)

    client = connect(answer)
    decision = client.route("an awful film")
    client.route("an awful film", kind="task")
    assert decision == RouteDecision.model_validate(DECISION)
    assert decision.nearest.text == "<b>dull</b>"
    assert [request.url.path for request in requests] == ["/v1/route", "/v1/route"]
    sent = [json.loads(request.content) for request in requests]
    assert sent == [{"input": "an awful film"}, {"input": "an awful film", "kind": "task"}]


def test_the_question_is_tried_again_where_the_server_is_briefly_away(connect: Callable[..., Any]) -> None:
    """It runs nothing, so that a second time does no harm."""
    answers = iter([httpx.Response(503), httpx.Response(200, json=DECISION)])
    assert connect(lambda request: next(answers)).route("an awful film").task == "sentiment"
