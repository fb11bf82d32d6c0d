"""Parameters of an operation, and how their values are written into a request (OpenAPI's styles, RFC 6570)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from autoglm.errors import UnprocessableEntityError

Place = Literal["path", "query", "header", "cookie"]
# The first of each place is the one that holds where none is named.
STYLES: Mapping[str, Sequence[str]] = {
    "path": ("simple",),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}
_SEPARATORS = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """`argument` is the tool's name for it, `name` the service's; with `is_json` its value is written as JSON."""

    argument: str
    name: str
    place: Place
    style: str
    explode: bool
    is_json: bool = False

    def segment(self, value: Any) -> str:
        """A value as part of a path: escaped, and never a step up or down in it.

        Raises:
            UnprocessableEntityError: it would make the path another one.
        """
        text = ",".join(self._pieces(value, "=" if self.explode else ","))
        plain = ",".join(_flat(value))
        if not plain or {".", ".."} & set(plain.replace("\\", "/").split("/")):
            raise UnprocessableEntityError(
                f"{self.argument}: got {plain[:100]!r}, which would lead to another path", param=self.argument
            )
        return text

    def pairs(self, value: Any) -> list[tuple[str, str]]:
        """A value as pairs of a query, or of cookies, both sides escaped."""
        name = _escaped(self.name)
        if self.is_json or not isinstance(value, list | dict):
            return [(name, self._text(value))]
        if self.style == "deepObject" and isinstance(value, dict):
            return [(f"{name}[{_escaped(key)}]", self._text(each)) for key, each in value.items() if each is not None]
        if not self.explode:
            return [(name, _SEPARATORS.get(self.style, ",").join(self._pieces(value, ",")))]
        if isinstance(value, list):
            return [(name, self._text(each)) for each in value]
        return [(_escaped(key), self._text(each)) for key, each in value.items() if each is not None]

    def field(self, value: Any) -> str:
        """A value as that of a header field.

        Raises:
            UnprocessableEntityError: a field cannot hold it.
        """
        text = json.dumps(value) if self.is_json else ",".join(_flat(value, "=" if self.explode else ","))
        if not (text.isascii() and text.isprintable()):
            raise UnprocessableEntityError(
                f"{self.argument}: a header field holds printable ASCII alone", param=self.argument
            )
        return text.strip()

    def _text(self, value: Any) -> str:
        return _escaped(json.dumps(value, ensure_ascii=False) if self.is_json else plain_text(value))

    def _pieces(self, value: Any, join: str) -> Iterator[str]:
        if self.is_json or not isinstance(value, list | dict):
            yield self._text(value)
        elif isinstance(value, list):
            yield from map(self._text, value)
        else:
            yield from (f"{_escaped(key)}{join}{self._text(each)}" for key, each in value.items())


def plain_text(value: Any) -> str:
    """A value as text: JSON's words for what is no text, nothing for null."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _flat(value: Any, join: str = "=") -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{key}{join}{plain_text(each)}" for key, each in value.items())
    elif isinstance(value, list):
        yield from map(plain_text, value)
    else:
        yield plain_text(value)


def _escaped(text: str) -> str:
    return quote(text, safe="")
