"""Lists of words as they are written in this package."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text, which white space parts."""
    return frozenset(text.split())
