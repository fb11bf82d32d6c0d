"""The words of a text: what stands between spaces and signs; in Chinese, which writes none, each character."""

from __future__ import annotations

import re
from itertools import pairwise

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # CJK unified ideographs, extension A, compatibility
WORD = re.compile(rf"[{HAN}]|\d+(?:[.,]\d+)+|[^\W_{HAN}]+(?:['\u2019-][^\W_{HAN}]+)*")
IS_HAN = re.compile(rf"[{HAN}]")


def words(text: str) -> list[str]:
    """In their order, as they are written."""
    return WORD.findall(text)


def terms(text: str) -> list[str]:
    """What a search compares: words without case, and pairs of Chinese characters, for one alone says little."""
    single = [word.casefold() for word in words(text)]
    pairs = [a + b for a, b in pairwise(single) if IS_HAN.match(a) and IS_HAN.match(b)]
    return single + pairs
