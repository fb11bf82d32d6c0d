"""What the OpenAPI document says beyond FastAPI's own: bodies are parsed, and errors made, by this package itself."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from autoglm.contract import ErrorBody
from autoglm.errors import error_class

COMPONENTS = "#/components/schemas/"
JSON = "application/json"
EVENTS = "text/event-stream"
EVENT = {
    "type": "object",
    "description": "`data` is a chunk as JSON, then `[DONE]`; where the stream broke, an error's body and no `[DONE]`",
    "properties": {"data": {"type": "string"}},
    "required": ["data"],
}
SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key or a JWT"},
    "basic": {"type": "http", "scheme": "basic", "description": "A user's name and password"},
}
CHALLENGE = {"www-authenticate": {"schema": {"type": "string"}, "required": True}}
RETRY_AFTER = {"retry-after": {"schema": {"type": "integer", "minimum": 0}, "description": "In seconds"}}
HEADERS: dict[int, dict[str, Any]] = {401: CHALLENGE, 429: RETRY_AFTER, 502: RETRY_AFTER, 503: RETRY_AFTER}
FRAMEWORKS = ("HTTPValidationError", "ValidationError")  # FastAPI's own refusal, which no path answers with

Responses = dict[int | str, dict[str, Any]]


class DescribedAPI(FastAPI):
    """An application whose document names every body, credential and error as they are."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = completed(super().openapi())
        return self.openapi_schema


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """An operation's request body and the errors that `parse_body` answers it with."""
    schema = model.model_json_schema(ref_template=COMPONENTS + "{model}")
    body = {"required": True, "content": {JSON: {"schema": schema}}}
    return {"requestBody": body, "responses": {str(status): error(status) for status in (400, 413, 415)}}


def errors(*statuses: int) -> Responses:
    """The error responses of a path: the statuses given, and the one that every path may have."""
    return {status: error(status) for status in (*statuses, 500)}


def error(status: int) -> dict[str, Any]:
    """One of them; its description is that of the error class."""
    description = (error_class(status).__doc__ or "").partition(": ")[2]
    content = {JSON: {"schema": {"$ref": COMPONENTS + ErrorBody.__name__}}}
    return {"description": description, "content": content, "headers": HEADERS.get(status, {})}


def streamed(event: dict[str, Any] = EVENT) -> Responses:
    """The other form of a successful answer, where the request has `stream: true`."""
    return {200: {"content": {EVENTS: {"itemSchema": event}}}}


def open_to_all() -> dict[str, Any]:
    """An operation that asks for no credential."""
    return {"security": []}


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """FastAPI's document with the bodies' models among the components, the credentials, and no error but our own."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    lifted(ErrorBody.model_json_schema(ref_template=COMPONENTS + "{model}"), schemas)
    for operation in (operation for path in document["paths"].values() for operation in path.values()):
        body = operation.get("requestBody", {}).get("content", {}).get(JSON)
        if body is not None:
            body["schema"] = lifted(body["schema"], schemas)
        if FRAMEWORKS[0] in str(operation["responses"].get("422")):
            del operation["responses"]["422"]
    for name in FRAMEWORKS:
        schemas.pop(name, None)
    components["securitySchemes"] = SECURITY_SCHEMES
    document["security"] = [{scheme: []} for scheme in SECURITY_SCHEMES]
    return document


def lifted(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """A reference to the schema, which goes among `schemas` with those that it refers to."""
    definitions = schema.pop("$defs", {})
    schemas.update(definitions | {schema["title"]: schema})
    return {"$ref": COMPONENTS + schema["title"]}
