"""Where a program hears of the client's calls, for its logs and metrics."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

from autoglm.errors import AutoGLMError

_log = logging.getLogger("autoglm.client")


@dataclass(frozen=True, slots=True)
class RequestDetails:
    """An attempt (from 1) that is about to be sent. No headers but `traceparent`: the others hold the credential."""

    method: str
    path: str
    attempt: int
    traceparent: str
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class ResponseDetails:
    """An answer of any status; `seconds` since its attempt was sent, to the end of the body or a stream's beginning."""

    request: RequestDetails
    status: int
    seconds: float
    request_id: str | None


@dataclass(frozen=True, slots=True)
class RetryDetails:
    """An attempt failed and another follows after `wait_s` seconds."""

    request: RequestDetails
    error: AutoGLMError
    wait_s: float


@dataclass(frozen=True, slots=True)
class ErrorDetails:
    """A call failed for good; `seconds` since it began."""

    request: RequestDetails
    error: AutoGLMError
    seconds: float


class Hooks(Protocol):
    """Called in the order of events, by the thread or task that makes the call; each should return at once.

    A class that names it as its base needs only the methods that it wants. One that raises is logged, once, and
    disturbs no call.
    """

    # Each ends in a bare return, since type checkers take a method of nothing but a docstring for abstract.

    def on_request(self, details: RequestDetails, /) -> None:
        """Before each attempt."""
        return

    def on_response(self, details: ResponseDetails, /) -> None:
        """After each answer, errors included."""
        return

    def on_retry(self, details: RetryDetails, /) -> None:
        """Before the wait for another attempt."""
        return

    def on_error(self, details: ErrorDetails, /) -> None:
        """When a call ends in an error."""
        return


class GuardedHooks:
    """The user's hooks, kept from disturbing the calls that they watch."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self._failed: set[str] = set()

    def on_request(self, details: RequestDetails, /) -> None:
        self._call("on_request", details)

    def on_response(self, details: ResponseDetails, /) -> None:
        self._call("on_response", details)

    def on_retry(self, details: RetryDetails, /) -> None:
        self._call("on_retry", details)

    def on_error(self, details: ErrorDetails, /) -> None:
        self._call("on_error", details)

    def _call(self, name: str, details: object) -> None:
        try:
            getattr(self._hooks, name)(details)
        except Exception:
            if name not in self._failed:
                self._failed.add(name)
                _log.exception("the hook %s raised; calls go on, and it is not logged again", name)
