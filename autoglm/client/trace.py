"""The W3C trace context that each call carries, so that a trace begun by the caller goes on in the cluster."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable

from autoglm.errors import ConfigError

Trace = Callable[[], str | None]

# W3C Trace Context, section 3.2.2: version, trace id, parent id, flags; ids of zeros only are invalid.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def traceparent(trace: Trace | None) -> str:
    """The header's value: what `trace` gives, else OpenTelemetry's current span, else a new trace.

    Raises:
        ConfigError: `trace` gave something else than a traceparent.
    """
    given = trace() if trace is not None else None
    if given is None:
        return _current_span() or _new()
    if not _TRACEPARENT.fullmatch(given):
        raise ConfigError(f"trace: got {given!r}; a W3C traceparent such as {_new()!r} does")
    return given


def _new() -> str:
    ids = os.urandom(24).hex()
    return f"00-{ids[:32]}-{ids[32:]}-01"


def _current_span() -> str | None:
    """None where the program has not imported OpenTelemetry itself, or no span is open."""
    if "opentelemetry.trace" not in sys.modules:
        return None
    from opentelemetry import trace as telemetry

    context = telemetry.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
