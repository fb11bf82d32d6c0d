"""A service's answer as a tool's result, or as its error."""

from __future__ import annotations

from typing import Any

import httpx2

from autoglm.errors import APIStatusError, UnprocessableEntityError, UpstreamError
from deployments.tools.sources.listing import cut
from deployments.tools.sources.openapi.media import is_json, is_text

REFUSED = (400, 422)  # a service's words for arguments that it cannot use


def value_of(tool: str, response: httpx2.Response) -> Any:
    """JSON as it is, text as a string, None for an answer without content.

    Raises:
        UnprocessableEntityError: the service refused the arguments.
        UpstreamError: it failed, or answered neither JSON nor text.
    """
    if not response.is_success:
        raise _failed(tool, response)
    if not response.content:
        return None
    kind = response.headers.get("content-type", "")
    if is_json(kind):
        return _json(tool, response)
    if is_text(kind):
        return response.text
    raise UpstreamError(f"{tool} answered {kind[:100] or 'no content type'}, which is neither JSON nor text")


def _json(tool: str, response: httpx2.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        raise UpstreamError(f"{tool} answered what it calls JSON and is none: {cut(str(error), 200)}") from error


def _failed(tool: str, response: httpx2.Response) -> APIStatusError:
    kind = UnprocessableEntityError if response.status_code in REFUSED else UpstreamError
    words = cut(response.text.strip())
    return kind(f"{tool} answered {response.status_code}{': ' + words if words else ''}")
