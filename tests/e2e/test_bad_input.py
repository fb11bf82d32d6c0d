"""Every kind of bad input gets its documented status and a message that names the field."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from tests.e2e.running_cluster import Cluster

CHAT = "/v1/chat/completions"
NO_IMAGE = base64.b64encode(b"this is no image").decode()
LONG = "x" * 1_000_000


@pytest.mark.parametrize(
    ("path", "body", "status", "param"),
    [
        ("/v1/predict", {"task": "sentimant", "inputs": ["x"]}, 404, "task"),
        (CHAT, {"model": "gpt-4", "messages": [{"role": "user", "content": "x"}]}, 404, "model"),
        ("/v1/predict", {"task": "sentiment", "input": ["x"]}, 400, "input"),
        ("/v1/predict", {"task": "sentiment", "inputs": []}, 400, "inputs"),
        ("/v1/predict", {"task": "sentiment", "inputs": ["x" * 9 * 1024 * 1024]}, 413, "body"),
        ("/v1/predict", {"task": "sentiment", "inputs": ["fine", LONG]}, 422, "inputs[1]"),
        (CHAT, {"model": "chat", "messages": [{"role": "user", "content": LONG}]}, 422, "messages[0].content"),
        ("/v1/embeddings", {"model": "embed", "input": [LONG]}, 422, "input[0]"),
        ("/v1/predict", {"task": "image", "inputs": [NO_IMAGE]}, 422, "inputs[0]"),
        ("/v1/predict", {"task": "iris", "inputs": [[1, 2, 3]]}, 422, "inputs[0]"),
        (CHAT, {"model": "chat", "temperature": 9, "messages": [{"role": "user", "content": "x"}]}, 400, "temperature"),
    ],
)
def test_bad_input_is_named(http: httpx.Client, path: str, body: Any, status: int, param: str) -> None:
    """The status is the table's, `param` and message name the field, and the server answers the next request."""
    response = http.post(path, json=body)
    error = response.json()["error"]
    assert (response.status_code, error["param"]) == (status, param), error
    assert error["message"].startswith(param)
    assert error["request_id"] == response.headers["x-request-id"]
    assert http.post("/v1/predict", json={"task": "iris", "inputs": [[5.1, 3.5, 1.4, 0.2]]}).status_code == 200


@pytest.mark.parametrize(
    ("content", "content_type", "status", "param"),
    [
        (b'{"task": "iris", "inputs": [[1, 2, 3, NaN]]}', "application/json", 422, "inputs[0][3]"),
        (b'{"task": "iris", ', "application/json", 400, "body"),
        (b"task=iris", "application/x-www-form-urlencoded", 415, "content-type"),
    ],
)
def test_bad_body_is_named(http: httpx.Client, content: bytes, content_type: str, status: int, param: str) -> None:
    """What no JSON encoder would send."""
    response = http.post("/v1/predict", content=content, headers={"content-type": content_type})
    error = response.json()["error"]
    assert (response.status_code, error["param"]) == (status, param), error


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic eDp5"}])
def test_without_the_key_only_health_is_open(cluster: Cluster, headers: dict[str, str]) -> None:
    """No key, a wrong one and a wrong scheme: 401; `/health` and `/ready` ask for none."""
    with httpx.Client(base_url=cluster.url, headers=headers, trust_env=False) as stranger:
        refused = stranger.get("/v1/models")
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "unauthenticated")
        assert stranger.get("/health").json()["status"] == "ok"
        assert stranger.get("/ready").json() == {"status": "ready", "version": "0.1.0", "missing": []}
