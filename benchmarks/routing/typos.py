"""Slips of the finger: two letters swapped, one dropped, one doubled, a neighbouring key."""

from __future__ import annotations

import random
from collections.abc import Callable

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
PLACES = {key: (row, column) for row, keys in enumerate(ROWS) for column, key in enumerate(keys)}


def neighbours(key: str) -> list[str]:
    """The keys that touch it, on a QWERTY keyboard."""
    row, column = PLACES[key]
    return [other for other, (r, c) in PLACES.items() if other != key and abs(r - row) <= 1 and abs(c - column) <= 1]


def swapped(text: str, at: int, generator: random.Random) -> str:
    """The letter and what follows it."""
    return text[:at] + text[at + 1 : at + 2] + text[at] + text[at + 2 :]


def dropped(text: str, at: int, generator: random.Random) -> str:
    """Without the letter."""
    return text[:at] + text[at + 1 :]


def doubled(text: str, at: int, generator: random.Random) -> str:
    """The letter twice."""
    return text[:at] + text[at] + text[at:]


def beside(text: str, at: int, generator: random.Random) -> str:
    """A key beside the letter's."""
    return text[:at] + generator.choice(neighbours(text[at].lower())) + text[at + 1 :]


SLIPS: tuple[Callable[[str, int, random.Random], str], ...] = (swapped, dropped, doubled, beside)


def mistyped(text: str, count: int, generator: random.Random) -> str:
    """The text with `count` slips, each at a letter drawn at random."""
    for _ in range(count):
        places = [place for place, letter in enumerate(text) if letter.lower() in PLACES]
        if places:
            text = generator.choice(SLIPS)(text, generator.choice(places), generator)
    return text
