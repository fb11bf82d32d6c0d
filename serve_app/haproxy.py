"""What Serve's HAProxy is told that Serve has no setting for.

Serve writes the balance line, which can be set, as the last of the section `defaults`; so lines behind it are defaults
as well, and the last of several counts.
"""

from __future__ import annotations

from autoglm.errors import APIStatusError, DeadlineExceededError, UnavailableError, UpstreamError

# HAProxy's own answers, which Serve would have as a 500 in plain text.
ERRORS: dict[type[APIStatusError], str] = {
    UpstreamError: "the router that had this request went away before it answered; send it again",
    UnavailableError: "no router answers at the moment; send it again",
    DeadlineExceededError: "no router answered in time; send it again",
}
RETRY_AFTER_S = 1


def defaults() -> str:
    """The value of RAY_SERVE_HAPROXY_BALANCE_ALGORITHM: the algorithm, and more defaults behind it.

    - Each client's address reaches the router, which limits failed attempts by it.
    - Requests are not spliced: where they are, as Serve has it, HAProxy 2.8 does not tell the router of a client that
      goes before its answer begins. It spins on the closed connection, and the engine goes on for nobody.
    - Its own errors have the documented body, with an id of its own.
    """
    lines = [
        "option forwardfor",
        "no option splice-request",
        "unique-id-format %[uuid()]",
        *(told(*error) for error in ERRORS.items()),
    ]
    return "\n    ".join(["leastconn", *lines])


def told(error: type[APIStatusError], message: str) -> str:
    """The line that has HAProxy answer with this error."""
    body = error(message, request_id="%[unique-id]").body().model_dump_json()
    headers = f"content-type application/json hdr retry-after {RETRY_AFTER_S}"
    return f"http-error status {error.status} {headers} lf-string '{body}'"
