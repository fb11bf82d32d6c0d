"""How a call ended, as far as it says something about its target."""

from __future__ import annotations

from dataclasses import dataclass

from autoglm.errors import APIStatusError, CircuitOpenError

SERVER_FAULT = 500  # the first status that is the server's own fault (RFC 9110, section 15.6)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A success or a failure, after `seconds`."""

    failed: bool
    seconds: float


def counts_as_failure(error: APIStatusError) -> bool:
    """Whether a call that ended so is a failure of its target: 500, 502, 503 and 504 are.

    What the caller did wrong (4xx), a limit of the caller's (429) and a breaker's refusal, which reached no target, say
    nothing about it.
    """
    return error.status >= SERVER_FAULT and not isinstance(error, CircuitOpenError)
