"""A text in one form, for whatever compares what texts say."""

from __future__ import annotations

import unicodedata

# What is asked stands at the start, and the time of a comparison grows with the length. The longest of BANKING77's
# 10,003 questions has 433 characters.
MAX_CHARS = 512


def normalised(text: str) -> str:
    """The first `MAX_CHARS` characters in NFKC, case-folded, with single spaces; half a surrogate pair becomes `?`."""
    whole = text[:MAX_CHARS].encode("utf-8", "replace").decode()
    folded = unicodedata.normalize("NFKC", whole).casefold()
    return " ".join(folded.split())[:MAX_CHARS]  # cut again: NFKC makes 18 characters of some
