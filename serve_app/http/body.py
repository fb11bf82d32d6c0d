"""From a request's body to a contract model, with errors that name the field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from autoglm import suggestion
from autoglm.errors import BadRequestError, PayloadTooLargeError, UnsupportedMediaTypeError
from serve_app.http.header import first_of

Model = TypeVar("Model", bound=BaseModel)

MAX_SHOWN = 60  # characters of a wrong value that a message repeats
# A refused body is read to its end up to this many times the limit, so that the client hears the answer
# instead of a reset connection.
DRAINED = 8


async def parse_body(request: Request, model: type[Model], max_bytes: int) -> Model:
    """The request's JSON as `model`.

    Raises:
        UnsupportedMediaTypeError: the content type is not JSON.
        PayloadTooLargeError: more than `max_bytes`.
        BadRequestError: not JSON, or not of the model's form; `param` names the first wrong field.
    """
    check_content_type(first_of(request.scope, b"content-type"))
    body = await read_body(request, max_bytes)
    try:
        # Strict: what the schema calls an integer is no "5" and no `true`.
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise wrong_field(error, model) from None


def check_content_type(content_type: str) -> None:
    """JSON, whatever its parameters."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != "application/json":
        got = repr(media_type) if media_type else "none"
        raise UnsupportedMediaTypeError(
            f"content-type: got {got}; send application/json (curl: -H 'Content-Type: application/json')",
            param="content-type",
        )


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body, at most `max_bytes`."""
    chunks: list[bytes] = []
    size = 0
    is_whole = False
    while not is_whole and size <= max_bytes * DRAINED:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= max_bytes:
            chunks.append(chunk)
        is_whole = not message.get("more_body", False)
    if size > max_bytes:
        raise PayloadTooLargeError(
            f"body: got more than {max_bytes:,} bytes, the most that is taken; send several smaller requests",
            param="body",
        )
    return b"".join(chunks)


def wrong_field(error: ValidationError, model: type[BaseModel]) -> BadRequestError:
    """One fault of a body, in words: the field, what it got, what would do."""
    faults = error.errors(include_url=False)
    # A misspelt field is both unknown and missing; to hear of the first helps more.
    fault = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
    param = field_path(fault["loc"]) or "body"
    if fault["type"] == "json_invalid":
        return BadRequestError(f"body: not valid JSON ({fault['ctx']['error']})", param="body")
    if fault["type"] == "extra_forbidden":
        return BadRequestError(f"{param}: unknown field{nearest(fault['loc'], model)}", param=param)
    if fault["type"] == "missing":
        return BadRequestError(f"{param}: this field is required", param=param)
    return BadRequestError(f"{param}: {fault['msg']}; got {shown(fault['input'])}", param=param)


def field_path(location: Iterable[int | str]) -> str:
    """`messages[0].content` for ("messages", 0, "content"); union branches such as `str` are left out."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part.isidentifier() and part not in {"str", "int", "float", "bool"}:
            path += f".{part}" if path else part
    return path


def nearest(location: tuple[int | str, ...], model: type[BaseModel]) -> str:
    """The known field that an unknown one of the top level was probably meant to be."""
    if len(location) != 1:
        return ""
    return "; " + suggestion.nearest(str(location[0]), model.model_fields)


def shown(value: Any) -> str:
    """A wrong value, short enough for a message."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
