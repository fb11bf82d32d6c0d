"""What an instruction is read into: words, and values that have a type."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

# `number` bears an Expression, `texts` and `labels` tuples, `json` a document, the others a text or a reference; `said`
# is what a model writes, `name` what a step finds out that is neither a number nor a text to work on.
Kind = Literal["word", "sign", "number", "date", "time", "text", "texts", "labels", "json", "path", "said", "name"]


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a sign by its `text`, case-folded; a value by its kind. `written` is how it stood in the instruction,
    `lead` the fillers before it.

    `says` is the text, with references, that tells what it came to; None where it was given, not found out.
    """

    kind: Kind
    text: str
    value: Any = None
    written: str = ""
    lead: str = ""
    says: str | None = None

    def is_word(self, *texts: str) -> bool:
        """Whether it is one of these words or signs."""
        return self.kind in ("word", "sign") and self.text in texts

    @property
    def is_result(self) -> bool:
        """Whether a step finds it out."""
        return self.says is not None

    def led(self, lead: str) -> Token:
        """The same behind these fillers."""
        return replace(self, lead=lead)


@dataclass(frozen=True, slots=True)
class Expression:
    """An arithmetic expression of the tool `calculate`: its text with references, and whether it has an operator."""

    text: str
    compound: bool = False

    @classmethod
    def of(cls, number: float) -> Expression:
        """A number as it is written: 3, not 3.0."""
        return cls(f"{int(number)}" if float(number).is_integer() and abs(number) < 1e15 else repr(number))

    @property
    def operand(self) -> str:
        """Its text as the part of a larger expression."""
        return f"({self.text})" if self.compound else self.text

    @property
    def literal(self) -> int | float | None:
        """The number, where it is one that is written out."""
        if self.compound or self.text.startswith("$"):
            return None
        number = float(self.text)
        return int(number) if number.is_integer() and abs(number) < 1e15 else number


def is_ideograph(text: str) -> bool:
    """Whether a text begins with a sign that is a word of its own."""
    return "㐀" <= text[:1] <= "鿿"


def escaped(value: Any) -> Any:
    """What a user wrote, a text or a JSON value, inside of a plan, where `${` would begin a reference."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, list):
        return [escaped(item) for item in value]
    if isinstance(value, dict):
        return {key: escaped(item) for key, item in value.items()}
    return value
