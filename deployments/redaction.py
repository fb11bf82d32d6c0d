"""JSON as it may be logged and kept: without what looks like a secret, and cut where it is long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

SECRET_NAMES = re.compile(
    r"password|passwd|secret|token$|authorization|credential|api_?key|private_?key|cookie|hash|digest", re.IGNORECASE
)
SECRET_TEXT = re.compile(
    r"(ag_[A-Za-z0-9]{8})[A-Za-z0-9_-]{16,}|\$argon2[^\s]*|(Bearer|Basic)\s+\S+|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)",
    re.IGNORECASE,
)
HIDDEN = "[hidden]"
MAX_TEXT = 500  # characters of one value
MAX_ITEMS = 100  # of one list or mapping
MAX_DEPTH = 4


def without_secrets(value: Any, depth: int = 0) -> Any:
    """The same JSON without what looks like a secret, by its name or by its form."""
    if depth > MAX_DEPTH:
        return HIDDEN
    if isinstance(value, Mapping):
        return {
            cleaned(str(name)): HIDDEN if SECRET_NAMES.search(str(name)) else without_secrets(item, depth + 1)
            for name, item in list(value.items())[:MAX_ITEMS]
        }
    if isinstance(value, list | tuple):
        return [without_secrets(item, depth + 1) for item in value[:MAX_ITEMS]]
    return value if value is None or isinstance(value, bool | int | float) else cleaned(str(value))


def cleaned(text: str) -> str:
    """A text without keys' secrets, passwords' hashes, credentials' headers and the user of a URL."""
    # Looked through as far as a secret that begins in what is kept may reach: a text may have megabytes.
    return SECRET_TEXT.sub(lambda found: (found[1] or "") + HIDDEN, text[: 4 * MAX_TEXT])[:MAX_TEXT]
