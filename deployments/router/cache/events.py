"""Whether a stream of server-sent events is an answer worth keeping."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

DATA = b"data:"
DONE = b"data: [DONE]"
ERROR = b'"error"'


def is_complete(events: Sequence[bytes]) -> bool:
    """Whether it came to its end, `data: [DONE]`, without an error on the way."""
    return bool(events) and events[-1].rstrip().endswith(DONE) and not any(map(tells_error, events))


def tells_error(event: bytes) -> bool:
    """Whether one of its data lines is an object with the field `error`, as vLLM's and the server's own errors are."""
    return ERROR in event and any(
        is_error(line.removeprefix(DATA)) for line in event.splitlines() if line.startswith(DATA)
    )


def is_error(data: bytes) -> bool:
    """Whether this is such an object; what is no JSON at all is none that should be kept either."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return True
    return isinstance(value, dict) and "error" in value
