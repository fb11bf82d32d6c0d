"""What went wrong on the wire, as the error tree says it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from pydantic import ValidationError

from autoglm.contract.error import ErrorBody, ErrorDetail
from autoglm.contract.task_run import TaskRun
from autoglm.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    InternalServerError,
    NotFoundError,
    UnavailableError,
    error_class,
)

_EXCERPT = 200  # characters of a foreign body that a message shows
_UNROUTED = "/-/routes for available routes"  # how Ray Serve ends a 404 for an address at which it runs nothing
_UNROUTED_RETRY_S = 1.0


def connection_error(request: httpx.Request, error: httpx.HTTPError) -> APIConnectionError:
    """No whole answer came: the address, why, and what to do."""
    where = f"{request.method} {request.url}"
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        kind = APITimeoutError if isinstance(error, httpx.TimeoutException) else APIConnectionError
        return kind(
            f"{where}: nothing answers there ({_reason(error)}); start a cluster with `make serve` or "
            "`python -m serve_app up`, or give the address of a running one as base_url"
        )
    if isinstance(error, httpx.TimeoutException):
        return APITimeoutError(
            f"{where}: no answer within the time-out ({_reason(error)}); give the client a longer `timeout`, in seconds"
        )
    return APIConnectionError(f"{where}: the connection broke ({_reason(error)}); see the server's log, then ask again")


def unreadable(response: httpx.Response, why: str) -> APIConnectionError:
    """A success that is not what was asked for, as when the address is another server's."""
    return APIConnectionError(
        f"{response.request.method} {response.url}: got {response.status_code} with {why}; "
        "is base_url an Open-AutoGLM server of this version?"
    )


def response_error(response: httpx.Response) -> APIStatusError | APIConnectionError:
    """The error of a response (read whole) that is not a success."""
    if response.has_redirect_location:
        return unreadable(response, f"a redirect to {response.headers['location']}, which is not followed")
    if response.status_code == NotFoundError.status and _UNROUTED in response.text:
        return unrouted(response)
    try:
        detail = ErrorBody.model_validate_json(response.content).error
    except ValidationError:
        detail = ErrorDetail(message=_foreign(response))
    return _status_error(response, detail)


def unrouted(response: httpx.Response) -> UnavailableError:
    """Ray Serve runs, and no router yet: as while a cluster starts, also again after all of it was killed."""
    return UnavailableError(
        f"{response.request.method} {response.url}: the cluster there has no router at the moment; send it again",
        retry_after=_UNROUTED_RETRY_S,
    )


def event_error(response: httpx.Response, event: str) -> APIStatusError:
    """The error that a server sent in the middle of a stream, after its 200."""
    try:
        detail = ErrorBody.model_validate_json(event).error
    except ValidationError:
        return InternalServerError(
            f"{response.url}: the stream broke off with {_excerpt(event)!r}",
            request_id=response.headers.get("x-request-id"),
        )
    return _status_error(response, detail)


def run_error(run: TaskRun) -> APIStatusError:
    """What a run failed with."""
    return told_error(run.error or ErrorDetail(message=f"{run.id}: it failed, and the server does not say why"))


def told_error(detail: ErrorDetail) -> APIStatusError:
    """An error that was told in the middle of an answer, as the class of its code."""
    cls = error_class(InternalServerError.status, detail.code)
    return cls(detail.message, param=detail.param, request_id=detail.request_id)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """`Retry-After` in seconds from now, from either of RFC 9110's forms (seconds or a date); None without one."""
    value = headers.get("retry-after", "").strip()
    if value.replace(".", "", 1).isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _status_error(response: httpx.Response, detail: ErrorDetail) -> APIStatusError:
    status = response.status_code if response.is_error else InternalServerError.status
    return error_class(status, detail.code)(
        detail.message,
        param=detail.param,
        request_id=detail.request_id or response.headers.get("x-request-id"),
        retry_after=retry_after(response.headers, datetime.now(UTC)),
    )


def _foreign(response: httpx.Response) -> str:
    """A message for a body that is not ours: a proxy's page, or nothing."""
    body = f"the body {_excerpt(response.text)!r}" if response.text.strip() else "an empty body"
    return f"{response.request.method} {response.url}: got {response.status_code} {response.reason_phrase} with {body}"


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else line[:_EXCERPT] + "…"


def _reason(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__
