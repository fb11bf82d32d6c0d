"""Patterns over tokens: `time [is it] in {to:place} when it is {at:time}`.

`[…]` may be missing, `(a|b c)` is one of these, `{name:slot}` is filled by a value; the rest are words. Matching goes
back as often as it must, and patterns are short: the number of ways through one is bounded by its options.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from deployments.planner.planning.rules.lexer import FILLERS
from deployments.planner.planning.rules.scene import Scene

Captures = Mapping[str, Any]
PART = re.compile(r"\{(?P<name>\w+):(?P<slot>\w+)\}|(?P<sign>[\[\](|)])|(?P<word>[㐀-鿿]|[^\s\[\](|){}㐀-鿿]+)")


class Slot(Protocol):
    """What may stand in one place of a pattern."""

    def __call__(self, scene: Scene, at: int) -> Iterator[tuple[int, Any]]:
        """The values that begin here, each with the place after it, the longest first."""
        ...


@dataclass(frozen=True, slots=True)
class Word:
    """One word or sign."""

    text: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A slot's value under a name."""

    name: str
    slot: Slot


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several sequences."""

    options: tuple[tuple[Node, ...], ...]


Node = Word | Filled | Choice


@dataclass(frozen=True, slots=True)
class Match:
    """A span of tokens, and what filled the slots."""

    start: int
    end: int
    captures: dict[str, Any] = field(default_factory=dict)


class Pattern:
    """One, compiled."""

    def __init__(self, source: str, slots: Mapping[str, Slot]) -> None:
        """Compile.

        Raises:
            ValueError: a bracket is not closed, or a slot is not known.
        """
        self._source = source
        self._slots = slots
        parts = list(PART.finditer(source))
        self._nodes, rest = self._sequence(parts, 0)
        if rest != len(parts):
            raise ValueError(f"the pattern {source!r} closes a bracket that it does not open")
        self._required = tuple(_required(self._nodes))
        self._first = _first(self._nodes)

    def may_match(self, words: Collection[str]) -> bool:
        """Whether the words of a scene are enough for it: a quick look before a thorough one."""
        return all(not options.isdisjoint(words) for options in self._required)

    def match(self, scene: Scene, start: int) -> Match | None:
        """The longest match that begins here."""
        if self._first is not None and not scene.is_at(start, *self._first):
            return None
        found = [Match(start, end, captures) for end, captures in _ways(self._nodes, scene, start, {}) if end > start]
        return max(found, key=lambda match: match.end, default=None)

    def _sequence(self, parts: Sequence[re.Match[str]], at: int) -> tuple[tuple[Node, ...], int]:
        nodes: list[Node] = []
        while at < len(parts):
            part = parts[at]
            if part["sign"] in ("]", ")", "|"):
                break
            if part["sign"]:
                options, at = self._options(parts, at + 1)
                nodes.append(Choice((*options, ()) if part["sign"] == "[" else options))
            else:
                nodes.extend(self._single(part))
                at += 1
        return tuple(nodes), at

    def _options(self, parts: Sequence[re.Match[str]], at: int) -> tuple[tuple[tuple[Node, ...], ...], int]:
        options = []
        while True:
            option, at = self._sequence(parts, at)
            options.append(option)
            if at == len(parts):
                raise ValueError(f"the pattern {self._source!r} does not close a bracket")
            if parts[at]["sign"] != "|":
                return tuple(options), at + 1
            at += 1

    def _single(self, part: re.Match[str]) -> Iterator[Node]:
        if part["name"]:
            if part["slot"] not in self._slots:
                raise ValueError(f"the pattern {self._source!r} has the unknown slot {part['slot']!r}")
            yield Filled(part["name"], self._slots[part["slot"]])
        elif part["word"] not in FILLERS:
            yield Word(part["word"])


def _first(nodes: tuple[Node, ...]) -> frozenset[str] | None:
    """The words that a match may begin with; None where a slot may."""
    words: frozenset[str] = frozenset()
    for node in nodes:
        match node:
            case Word(text):
                return words | {text}
            case Choice(options):
                begun = [_first(option) for option in options if option]
                if None in begun:
                    return None
                words = words.union(*(first for first in begun if first is not None))
                if () not in options:
                    return words
            case _:
                return None
    return None


def _required(nodes: tuple[Node, ...]) -> Iterator[frozenset[str]]:
    """For each node that cannot be missing, words of which one must be there."""
    for node in nodes:
        match node:
            case Word(text):
                yield frozenset((text,))
            case Choice(options):
                first = [next(_required(option), None) for option in options]
                if None not in first:
                    yield frozenset().union(*(words for words in first if words))
            case _:
                pass


def _ways(
    nodes: tuple[Node, ...], scene: Scene, at: int, captures: dict[str, Any]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every way through the nodes: where it ends, and its captures."""
    if not nodes:
        yield at, captures
        return
    head, rest = nodes[0], nodes[1:]
    match head:
        case Word(text):
            if at < len(scene.tokens) and scene.tokens[at].is_word(text):
                yield from _ways(rest, scene, at + 1, captures)
        case Filled(name, slot):
            for end, value in slot(scene, at):
                yield from _ways(rest, scene, end, {**captures, name: value})
        case Choice(options):
            for option in options:
                yield from _ways(option + rest, scene, at, captures)
