"""The tokens of an instruction as they are being reduced, and what was said before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from deployments.planner.planning.rules.token import Kind, Token, is_ideograph

SENTENCE_ENDS = (".", "?", "!", ";")


@dataclass(slots=True)
class Scene:
    """`tokens` now; `spoken` are the values that were put into others, the latest last: they may be referred to."""

    tokens: list[Token]
    spoken: list[Token] = field(default_factory=list)

    def reduce(self, start: int, end: int, value: Token) -> None:
        """Put a value in the place of a span; it is written as that was."""
        self.spoken += [token for token in self.tokens[start:end] if token.kind not in ("word", "sign")]
        self.tokens[start:end] = [replace(value, written=self.words(start, end))]

    def words(self, start: int, end: int) -> str:
        """A span as it stood in the instruction, but for its spaces."""
        written = [token.lead + token.written for token in self.tokens[start:end]]
        return ("" if any(map(is_ideograph, written)) else " ").join(written).strip()

    def before(self, at: int, kinds: Collection[Kind], *, only_results: bool = False) -> Token | None:
        """The nearest value of these kinds before a place, or else the one that was put into another last."""
        for token in (*reversed(self.tokens[:at]), *reversed(self.spoken)):
            if token.kind in kinds and (token.is_result or not only_results):
                return token
        return None

    def is_at(self, at: int, *texts: str) -> bool:
        """Whether one of these words or signs stands there."""
        return at < len(self.tokens) and self.tokens[at].is_word(*texts)

    def kind_at(self, at: int) -> Kind | None:
        """The kind of what stands there; None behind the end."""
        return self.tokens[at].kind if at < len(self.tokens) else None

    def sentence_end(self, at: int) -> int:
        """The place of the sign that ends the sentence, or the end."""
        ends = (place for place in range(at, len(self.tokens)) if self.tokens[place].is_word(*SENTENCE_ENDS))
        return next(ends, len(self.tokens))

    def sentences(self) -> Sequence[Sequence[Token]]:
        """The tokens between the signs that end sentences, without empty ones."""
        found, at = [], 0
        while at < len(self.tokens):
            end = self.sentence_end(at)
            if end > at:
                found.append(self.tokens[at:end])
            at = end + 1
        return found
