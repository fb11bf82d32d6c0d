"""From a request's headers to the context that goes with it through the router."""

from __future__ import annotations

import math

from fastapi import Request

from autoglm.errors import BadRequestError
from deployments.access import Principal
from deployments.router import Call, Deadline, Priority, directives_of
from serve_app.http.header import header_of

TIMEOUT = "x-request-timeout-s"
PRIORITY = "x-autoglm-priority"
STRICT = "x-autoglm-strict"
SESSION = "x-session-id"
TRUE, FALSE = "true", "false"


def call_of(request: Request, caller: Principal, *, longest_s: float) -> Call:
    """A request's deadline, priority, cache directives and what a consistent hash may go by.

    Raises:
        BadRequestError: a header is not of its form; `param` names it.
    """
    scope = request.scope
    return Call(
        deadline=Deadline(timeout_of(header_of(scope, TIMEOUT.encode()), longest_s)),
        tenant=caller.tenant,
        permissions=caller.permissions,
        priority=priority_of(header_of(scope, PRIORITY.encode())),
        session=header_of(scope, SESSION.encode()) or None,
        key=str(caller),
        address=scope["state"]["address"],
        directives=directives_of(header_of(scope, b"cache-control")),
        is_strict=strictness_of(header_of(scope, STRICT.encode())),
        may_use=caller.may_use,
    )


def timeout_of(header: str, longest_s: float) -> float:
    """The seconds that the caller waits, at most `longest_s`; that many for who does not say."""
    if not header:
        return longest_s
    try:
        seconds = float(header)
    except ValueError:
        seconds = math.nan
    if not seconds > 0:
        raise BadRequestError(f"{TIMEOUT}: got {header[:40]!r}; give a positive number of seconds", param=TIMEOUT)
    return min(seconds, longest_s)


def priority_of(header: str) -> Priority:
    """How urgent it is."""
    try:
        return Priority(header or Priority.INTERACTIVE)
    except ValueError:
        known = " or ".join(Priority)
        raise BadRequestError(f"{PRIORITY}: got {header[:40]!r}; give {known}", param=PRIORITY) from None


def strictness_of(header: str) -> bool:
    """Whether no fallback may answer."""
    if header not in ("", TRUE, FALSE):
        raise BadRequestError(f"{STRICT}: got {header[:40]!r}; give {TRUE} or {FALSE}", param=STRICT)
    return header == TRUE
