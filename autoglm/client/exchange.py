"""One exchange with the server, written once: the sync and the async client only carry it out.

The manner is that of httpx's auth flows: a generator yields what is to be done, is sent what came of it, and returns
the answer. What an exchange decides (what is an error, what is tried again and when) stands here; a driver only
performs input and output, and waits.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import httpx

from autoglm.client.config import ClientConfig
from autoglm.client.failure import connection_error, response_error
from autoglm.client.file_body import FileBody
from autoglm.client.hooks import ErrorDetails, RequestDetails, ResponseDetails, RetryDetails
from autoglm.client.retry import may_retry
from autoglm.client.step import Broken, Limit, Send, Step, Wait
from autoglm.client.trace import traceparent
from autoglm.errors import AutoGLMError, UnprocessableEntityError

T = TypeVar("T")

DEADLINE = "x-request-timeout-s"

Exchange = Generator[Step, Any, T]  # a Send is answered with what came of it, a Wait with None
BuildRequest = Callable[..., httpx.Request]


@dataclass(frozen=True)
class Call(Generic[T]):
    """One call of the API: what is sent, and how the answer is read.

    `path` starts at the server's root. The body of a `streamed` call is left to `read`. An `idempotent` call changes
    nothing that it has not changed before and gives the same answer again; one that is sent `once` is not repeated if
    the server may have begun with it. `body` is sent instead of `payload`, and `headers` beside the client's own. No
    repr shows the payload, which may hold a password.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    payload: Mapping[str, Any] | None = field(default=None, repr=False)
    streamed: bool = False
    idempotent: bool = False
    once: bool = False
    query: Mapping[str, Any] | None = None
    body: FileBody | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Run(Protocol):
    """The synchronous client's way to make a call."""

    def __call__(self, call: Call[T], /) -> T: ...


class AsyncRun(Protocol):
    """The asynchronous client's."""

    def __call__(self, call: Call[T], /) -> Awaitable[T]: ...


def exchange(call: Call[T], config: ClientConfig, build_request: BuildRequest) -> Exchange[T]:
    """Sends the request until there is an answer or a reason to give up, and reads the answer.

    Raises:
        UnprocessableEntityError: the payload cannot be written as JSON.
        APIConnectionError: no whole answer came, or not one of this API.
        APIStatusError: the server refused, or failed.
    """
    attempts = _Attempts(call, config, build_request)
    while True:
        outcome: httpx.Response | Broken = yield attempts.send()
        attempts.note(outcome)
        if isinstance(outcome, httpx.Response) and outcome.is_success:
            return attempts.answer(outcome)
        yield attempts.wait_or_raise(outcome)


class _Attempts(Generic[T]):
    """The attempts of one call: one request, sent under one idempotency key and one trace."""

    def __init__(self, call: Call[T], config: ClientConfig, build_request: BuildRequest) -> None:
        self._call = call
        self._config = config
        self._hooks = config.hooks
        self._now = config.clock.now
        self._started = self._sent = self._now()
        self._number = 0
        self._limit = self._total()
        self._key = str(uuid.uuid4()) if call.method == "POST" else None
        self._trace = traceparent(config.trace)
        self._request = self._build(build_request)

    def send(self) -> Send:
        """The next attempt."""
        self._number += 1
        if self._limit is not None:
            self._request.extensions["timeout"] = self._config.timeouts.http(self._limit).as_dict()
            # The server stops working for a caller whose time is over.
            self._request.headers[DEADLINE] = f"{self._limit.left():.3f}"
        if self._hooks is not None:
            self._sent = self._now()
            self._hooks.on_request(self._details())
        return Send(self._request, self._call.streamed, self._limit)

    def note(self, outcome: httpx.Response | Broken) -> None:
        """Tells the hooks of an answer."""
        if self._hooks is not None and isinstance(outcome, httpx.Response):
            found = outcome.headers.get("x-request-id")
            seconds = self._now() - self._sent
            self._hooks.on_response(ResponseDetails(self._details(), outcome.status_code, seconds, found))

    def answer(self, response: httpx.Response) -> T:
        """What the caller gets."""
        try:
            return self._call.read(response)
        except AutoGLMError as error:
            self._report(error)
            raise

    def wait_or_raise(self, outcome: httpx.Response | Broken) -> Wait:
        """The pause before the next attempt; raises what this one failed with where there is none."""
        error, wait = self._error(outcome), None
        if may_retry(outcome, error, idempotent=self._call.idempotent, once=self._call.once):
            wait = self._config.retry.wait_s(self._number, error, self._time_left())
        if wait is None:
            self._report(error)
            raise error
        if self._hooks is not None:
            self._hooks.on_retry(RetryDetails(self._details(), error, wait))
        return Wait(wait)

    def _error(self, outcome: httpx.Response | Broken) -> AutoGLMError:
        if isinstance(outcome, httpx.Response):
            return response_error(outcome)
        error = connection_error(self._request, outcome.error)
        error.__cause__ = outcome.error
        return error

    def _build(self, build_request: BuildRequest) -> httpx.Request:
        call = self._call
        sent = {"params": call.query, "json": call.payload, "content": call.body, "headers": self._headers()}
        try:
            request = build_request(call.method, call.path, **sent)
        except (TypeError, ValueError) as error:
            raise UnprocessableEntityError(f"{call.path}: the request cannot be written as JSON: {error}") from error
        if call.body is not None:
            request.stream = call.body  # httpx has taken it for a synchronous one, which an async client refuses
        return request

    def _headers(self) -> dict[str, str]:
        call = self._call
        headers = {"traceparent": self._trace, **call.headers, **({} if call.body is None else call.body.headers)}
        return headers if self._key is None else headers | {"idempotency-key": self._key}

    def _total(self) -> Limit | None:
        total = self._config.timeouts.total
        return None if total is None else Limit(total, self._started + total, self._now)

    def _time_left(self) -> float:
        """Seconds in which another attempt may begin."""
        total = self._limit.total if self._limit is not None else math.inf
        return self._started + min(self._config.retry.max_time_s, total) - self._now()

    def _details(self) -> RequestDetails:
        return RequestDetails(self._call.method, self._call.path, self._number, self._trace, self._key)

    def _report(self, error: AutoGLMError) -> None:
        if self._hooks is not None:
            self._hooks.on_error(ErrorDetails(self._details(), error, self._now() - self._started))
