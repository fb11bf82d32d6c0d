"""The words of a text as retrieval compares them."""

from __future__ import annotations

import re

from deployments.planner.planning.words import words

# A word of letters, a run of digits, or two neighbouring ideographs: Chinese has no spaces, and pairs are what its
# search engines index where nothing cuts it into words.
WORD = re.compile(r"[^\W\d_㐀-鿿]+|\d+")
IDEOGRAPHS = re.compile(r"[㐀-鿿]+")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
COMMON = words(
    """
    a an and are as at be by can do does for from get has have how i if in is it its me my of on or please so tell
    that the their them there this to us was what when where which who will with you your
    """
)
STEM = 5  # letters that plurals and forms of a verb have in common


def terms(text: str) -> frozenset[str]:
    """The telling words of a text, cut to their first letters, and the pairs of its ideographs."""
    parted = CAMEL.sub(" ", text).casefold()
    words = {word[:STEM] for word in WORD.findall(parted) if word not in COMMON and len(word) > 1}
    pairs = {run[at : at + 2] for run in IDEOGRAPHS.findall(parted) for at in range(max(len(run) - 1, 1))}
    return frozenset(words | pairs)
