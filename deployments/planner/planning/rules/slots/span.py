"""Spans of words and values, and words that refer back, as several slots read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deployments.planner.planning.rules.scene import Scene
from deployments.planner.planning.rules.token import Kind, Token, escaped, is_ideograph

Found = Iterator[tuple[int, Any]]

BACK = ("that", "this", "it", "result", "结", "它", "这", "那")
# What a word that refers back may be followed by: that number, the resulting date, 结果.
NOUNS = {
    "number": ("number", "amount", "value", "result", "figure", "total", "sum", "数", "果", "值"),
    "date": ("date", "day", "天", "日"),
    "text": ("text", "sentence", "poem", "story", "passage", "answer", "话"),
    "time": ("time", "moment"),
    "measure": ("distance", "amount", "weight", "length", "temperature", "value", "result", "果"),
}
COMMAS = (",", "and", "or", ";", "和", "与", "及")


def after_back(scene: Scene, at: int, noun: str) -> int | None:
    """The place behind `it`, `that number`, `结果`; None where nothing refers back."""
    if not scene.is_at(at, *BACK):
        return None
    return at + 2 if scene.is_at(at + 1, *NOUNS[noun]) else at + 1


def typed(scene: Scene, at: int, kind: Kind) -> Found:
    """A value of a kind, or the nearest before where words refer back to one."""
    if scene.kind_at(at) == kind:
        yield at + 1, scene.tokens[at].value
    elif (end := after_back(scene, at, kind)) and (before := scene.before(at, (kind,))):
        yield end, before.value


def listed(scene: Scene, at: int, kind: Kind) -> list[tuple[int, Token]]:
    """Tokens of one kind with commas or `and` between them, each with the place behind it."""
    found = []
    while scene.kind_at(at) == kind:
        found.append((at + 1, scene.tokens[at]))
        at = skip(scene, skip(scene, at + 1, *COMMAS), *COMMAS)
    return found


def names(scene: Scene, at: int, longest: int) -> Iterator[tuple[int, str]]:
    """What the words that begin here are called together, the longest first."""
    parts: list[str] = []
    while len(parts) < longest and scene.kind_at(at + len(parts)) == "word":
        parts.append(scene.tokens[at + len(parts)].text)
    for count in range(len(parts), 0, -1):
        glue = "" if is_ideograph(parts[0]) else " "
        yield at + count, glue.join(parts[:count])


def words(scene: Scene, start: int, end: int) -> Found:
    """A span as it stands in the instruction, in a plan."""
    if end > start and all(token.written for token in scene.tokens[start:end]):
        yield end, escaped(scene.words(start, end))


def skip(scene: Scene, at: int, *texts: str) -> int:
    """The place behind one of these words, or the same where none stands there."""
    return at + 1 if scene.is_at(at, *texts) else at
