"""Numbers that are written in words, in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Sequence

ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SMALL = {word: value for value, word in enumerate(ONES)} | {word: 10 * i for i, word in enumerate(TENS, start=2)}
SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
DOZEN = {"dozen": 12}
WORDS = frozenset(SMALL) | frozenset(SCALES) | frozenset(DOZEN)

DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}  # noqa: RUF001
UNITS = {"十": 10, "百": 100, "千": 1_000}
MYRIADS = {"万": 10_000, "亿": 100_000_000}
# A lone 一 is an article more often than a number (一共, 哪一天), and after 星期 or 周 a digit is the name of a day.
CHINESE = re.compile(r"(?<![期周])(?:[零〇一二两三四五六七八九十百千万亿]{2,}|[二两三四五六七八九十])(?![年月日号点])")


def english(words: Sequence[str]) -> int:
    """The number that these words say, each of WORDS: twenty five, three hundred, two dozen."""
    total, group = 0, 0
    for word in words:
        if word in SMALL:
            group += SMALL[word]
        elif word == "hundred" or word in DOZEN:
            group = max(group, 1) * {**SCALES, **DOZEN}[word]
        else:
            total, group = total + max(group, 1) * SCALES[word], 0
    return total + group


def chinese(text: str) -> int:
    """The number that a text of Chinese numerals says: 三百二十, 一万五千, 两千零五."""
    total, group, digit = 0, 0, 0
    for sign in text:
        if sign in DIGITS:
            digit = DIGITS[sign]
        elif sign in UNITS:
            group, digit = group + (digit or 1) * UNITS[sign], 0
        else:
            total, group, digit = (total + (group + digit or 1)) * MYRIADS[sign], 0, 0
    return total + group + digit
