"""How an instruction lies on the page: a request, and the texts or numbers below it that it speaks of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from deployments.planner.planning.rules.lexer import Lexer
from deployments.planner.planning.rules.pattern import Match, Pattern
from deployments.planner.planning.rules.scene import Scene
from deployments.planner.planning.rules.slots import SLOTS
from deployments.planner.planning.rules.token import Token, escaped
from deployments.planner.planning.words import words

MAX_TEXTS = 200  # each becomes a step
SEPARATORS = (",", ";", ".", "and", "or", "|", "和")
MAX_BREAKS = 20  # colons and lines that are looked at
MARKER = r"(?:\d{1,3}[.)]|[-*•])\s+"
BREAK = re.compile(rf"[:：](?=\s)|[：]|\n(?=\s*{MARKER})")  # noqa: RUF001
ITEM = re.compile(rf"(?:^|\n)\s*(?:{MARKER})?")
INLINE_ITEM = re.compile(r"\s*(?:;|；|\||(?:(?<=\s)|^)\(?\d{1,2}[.)])\s+")  # noqa: RUF001

TEXTS = (
    "(review|reviews|comment|comments|text|texts|sentence|sentences|statement|statements|paragraph|message|messages|tweet"
    "|tweets|opinions|feedback|phrase|passage)"
)
SORT = "[customer|product|film|movie|user|hotel|book|restaurant|short|guest]"
POINTING = "(this|these|those|following|below) [following|below]"
SPOKEN_OF = (
    f"{POINTING} [{{n:number}}] {SORT} {TEXTS} [below]",
    "(这|以下|下面|下列) [{n:number}|几|些] [条|段|篇|句|则] (评论|评价|影评|文字|句子|话|文本|短文)",
)
LISTED = (
    f"{POINTING} [{{n:number}}] (numbers|values|figures|json|document|object|list|array)",
    "(这|以下|下面|下列) [{n:number}|几|些] (数字|数)",
)
SINGULAR = words(
    """
    this review comment text sentence statement paragraph message tweet feedback phrase passage
    """
)
NOUNS = frozenset(re.findall(r"\w+", TEXTS)) | {"sentiment", "mood", "tone", "words", "characters", "liked", "情", "评"}


@dataclass(frozen=True)
class Layout:
    """Reads an instruction's tokens, with what it points to in the place of the words that point to it."""

    lexer: Lexer
    spoken_of: tuple[Pattern, ...] = field(default=tuple(Pattern(source, SLOTS) for source in SPOKEN_OF))
    listed: tuple[Pattern, ...] = field(default=tuple(Pattern(source, SLOTS) for source in LISTED))

    def tokens(self, instruction: str) -> list[Token]:
        """All of its tokens."""
        parted = _parted(instruction)
        if parted is None:
            return self.lexer.tokens(instruction)
        head, below = self.lexer.tokens(parted[0]), parted[1]
        if match := _first(self.spoken_of, head):
            texts = self._texts(below, head[match.start : match.end])
            if _are_so_many(texts, match):
                return [*head[: match.start], Token("texts", "", texts), *head[match.end :]]
        if match := _first(self.listed, head):
            return [*head[: match.start], *self.lexer.tokens(below), *head[match.end :]]
        if any(token.text in NOUNS for token in head) and not self._has_values(below):
            return [*head, Token("sign", ":"), Token("texts", "", (escaped(below.strip()),))]
        return self.lexer.tokens(instruction)

    def _texts(self, below: str, pointing: Sequence[Token]) -> tuple[str, ...]:
        """The texts below: where only texts in quotes are there, these; where one is spoken of, all; else a list's."""
        tokens = self.lexer.tokens(below)
        quoted = tuple(token.value for token in tokens if token.kind == "text")
        if quoted and all(token.kind == "text" or token.is_word(*SEPARATORS) for token in tokens):
            return quoted
        if any(token.text in SINGULAR for token in pointing):
            return (escaped(below.strip()),)
        lines = [line.strip() for line in ITEM.split(below.strip()) if line.strip()]
        if len(lines) == 1:
            lines = [item.strip() for item in INLINE_ITEM.split(lines[0]) if item.strip()]
        return tuple(escaped(line) for line in lines)

    def _has_values(self, below: str) -> bool:
        tokens = self.lexer.tokens(below)
        return bool(tokens) and tokens[0].kind not in ("word", "sign")


def _parted(instruction: str) -> tuple[str, str] | None:
    """What stands before and after the first colon or list that is not inside of a quoted text."""
    for found in islice(BREAK.finditer(instruction), MAX_BREAKS):
        before = instruction[: found.start()]
        if before.count('"') % 2 == 0 and before.count("“") == before.count("”") and instruction[found.end() :].strip():
            return before, instruction[found.end() :]
    return None


def _first(patterns: tuple[Pattern, ...], tokens: list[Token]) -> Match | None:
    scene = Scene(tokens)
    found = (pattern.match(scene, at) for at in range(len(tokens)) for pattern in patterns)
    return next((match for match in found if match is not None), None)


def _are_so_many(texts: Sequence[str], match: Match) -> bool:
    """Whether they are as many as were spoken of, where a number was said: else they were parted wrongly."""
    spoken_of = match.captures.get("n")
    return len(texts) <= MAX_TEXTS and (spoken_of is None or spoken_of.literal == len(texts))
