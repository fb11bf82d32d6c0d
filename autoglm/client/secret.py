"""What keeps a secret out of sight."""

from __future__ import annotations

import re

from autoglm.errors import ConfigError

# What RFC 9110 lets into a header. Checked here, since the HTTP library would show a wrong value in its message.
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")


class Secret:
    """A text that shows itself in no repr, log or traceback, not even one that lists local variables."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret('…')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def reveal(self) -> str:
        """The text itself."""
        return self._text


def header_safe(secret: Secret, place: str) -> Secret:
    """The secret, if it can stand in an HTTP header.

    Raises:
        ConfigError: it cannot. The message names the `place` and does not show it.
    """
    if not _HEADER_SAFE.fullmatch(secret.reveal()):
        raise ConfigError(
            f"{place}: got a value that is empty or holds spaces, line ends or non-ASCII characters; "
            "give the secret alone, as it was issued"
        )
    return secret
