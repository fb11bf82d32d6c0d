"""What the OpenAPI documents of both planes say beyond what a run against them can show."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from pydantic import BaseModel

from autoglm.contract import ChatRequest
from serve_app.http.schema import DescribedAPI, body_of, errors, open_to_all, streamed


class Answer(BaseModel):
    """A whole answer."""

    text: str


@pytest.fixture
def document() -> dict[str, Any]:
    """An open path with a parameter, and one that takes a body and may stream."""
    app = DescribedAPI()

    @app.get("/open/{name}", responses=errors(404), openapi_extra=open_to_all())
    async def opened(name: str) -> None: ...

    @app.post("/chat", response_model=Answer, responses=errors(401) | streamed(), openapi_extra=body_of(ChatRequest))
    async def chat() -> None: ...

    return json.loads(json.dumps(app.openapi()))


def responses(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][path][method]["responses"]
    return found


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """The models of a body among them, with those that they refer to in their turn."""
    names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert names >= {"ChatRequest", "ChatMessage", "StreamOptions", "ErrorBody", "ErrorDetail", "Answer"}
    assert names <= document["components"]["schemas"].keys()
    assert "$defs" not in json.dumps(document)


def test_errors_are_ours_and_no_others(document: dict[str, Any]) -> None:
    """No path answers with the framework's 422; what may be wrong with a body needs no word at the path."""
    assert set(responses(document, "get", "/open/{name}")) == {"200", "404", "500"}
    assert set(responses(document, "post", "/chat")) == {"200", "400", "401", "413", "415", "500"}
    for status in ("400", "401"):
        content = responses(document, "post", "/chat")[status]["content"]
        assert content == {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
    assert responses(document, "post", "/chat")["401"]["headers"]["www-authenticate"]["required"]
    assert not [name for name in document["components"]["schemas"] if "Validation" in name]


def test_a_stream_is_the_other_form_of_an_answer(document: dict[str, Any]) -> None:
    """JSON as its model has it, or events."""
    content = responses(document, "post", "/chat")["200"]["content"]
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/Answer"}
    assert content["text/event-stream"]["itemSchema"]["required"] == ["data"]


def test_a_credential_is_asked_for_everywhere_but_on_open_paths(document: dict[str, Any]) -> None:
    """A bearer's or a user's."""
    assert document["security"] == [{"bearer": []}, {"basic": []}]
    assert {scheme["scheme"] for scheme in document["components"]["securitySchemes"].values()} == {"bearer", "basic"}
    assert document["paths"]["/open/{name}"]["get"]["security"] == []
    assert "security" not in document["paths"]["/chat"]["post"]


def test_asked_for_twice_it_is_the_same(document: dict[str, Any]) -> None:
    """Completing it again would find nothing to complete."""
    app = DescribedAPI()
    assert app.openapi() is app.openapi()
