"""What a function raised, as an error of the tree."""

from __future__ import annotations

from autoglm.errors import APIStatusError, UnavailableError, UnprocessableEntityError, UpstreamError
from deployments.tools.sources.listing import cut

# What a tool may say of itself; another status, a 403 of some service that it asked, is no verdict of this system.
TOLD = (UnprocessableEntityError, UpstreamError, UnavailableError)
# What a function may raise: SystemExit, which ends an event loop that it reaches, is a tool's failure like any other.
RAISED = (Exception, SystemExit, KeyboardInterrupt)


def told(name: str, fault: BaseException) -> APIStatusError:
    """The tool's failure. That it refuses its arguments it says by an UnprocessableEntityError."""
    if isinstance(fault, TOLD):
        return fault
    text = cut(str(fault))
    return UpstreamError(f"{name} failed: {type(fault).__name__}{': ' + text if text else ''}")
