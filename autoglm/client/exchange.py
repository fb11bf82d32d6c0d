"""One exchange with the server, written once: the sync and the async client only carry it out.

The manner is that of httpx's auth flows: a generator yields the request to be sent, is sent what came of it, and
returns the answer. What an exchange decides (what is an error, later what is tried again) stands here; a driver
only performs input and output.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx

from autoglm.client.failure import connection_error, response_error
from autoglm.errors import UnprocessableEntityError

T = TypeVar("T")

Outcome = httpx.Response | httpx.HTTPError
Exchange = Generator[httpx.Request, Outcome, T]


@dataclass(frozen=True)
class Call(Generic[T]):
    """One call of the API: what is sent, and how the answer is read.

    `path` starts at the server's root. The body of a `streamed` call is left to `read`.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    payload: Mapping[str, Any] | None = None
    streamed: bool = False


def exchange(call: Call[T], build_request: Callable[..., httpx.Request]) -> Exchange[T]:
    """Sends one request and reads its answer.

    Raises:
        UnprocessableEntityError: the payload cannot be written as JSON.
        APIConnectionError: no whole answer came, or not one of this API.
        APIStatusError: the server refused, or failed.
    """
    try:
        request = build_request(call.method, call.path, json=call.payload)
    except (TypeError, ValueError) as error:
        raise UnprocessableEntityError(f"{call.path}: the request cannot be written as JSON: {error}") from error
    outcome = yield request
    if isinstance(outcome, httpx.HTTPError):
        raise connection_error(request, outcome) from outcome
    if not outcome.is_success:
        raise response_error(outcome)
    return call.read(outcome)
