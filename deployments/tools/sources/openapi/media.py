"""Kinds of content."""

from __future__ import annotations


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON or built on it (RFC 6839)."""
    kind = media_type.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def is_text(media_type: str) -> bool:
    """Whether a media type is made to be read."""
    kind = media_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind.endswith(("/xml", "+xml", "/yaml", "/x-yaml"))
