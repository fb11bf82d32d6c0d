"""One operation as a tool: its arguments, and the request that they become."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2

from autoglm.contract.tool import ToolCard
from autoglm.errors import UnprocessableEntityError
from deployments.tools.sources.openapi.parameter import Parameter
from deployments.tools.sources.openapi.security import Scheme

IDEMPOTENT = frozenset({"get", "head", "put", "delete"})  # RFC 9110, 9.2.2
_TEMPLATE = re.compile(r"\{([^{}]+)\}")
_LITERAL = "/%:@!$&'()*+,;=~"  # of a path's template, which is the document's own, kept as they are


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON body: the whole of the argument, or an object of the arguments that `fields` maps to its properties."""

    media_type: str
    argument: str | None = None
    fields: Mapping[str, str] | None = None

    def content(self, arguments: Mapping[str, Any]) -> bytes | None:
        """The body in JSON; None where its argument is not given."""
        if self.fields is not None:
            given = {name: arguments[argument] for argument, name in self.fields.items() if argument in arguments}
            return json.dumps(given).encode()
        if self.argument is None or self.argument not in arguments:
            return None
        return json.dumps(arguments[self.argument]).encode()


@dataclass(frozen=True, slots=True)
class Operation:
    """What a call needs: the card by which it is listed, and how its request is written."""

    card: ToolCard
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: Body | None
    schemes: tuple[Scheme, ...]

    def request(self, base: httpx2.URL, arguments: Mapping[str, Any], key: str) -> httpx2.Request:
        """The request without its credential; POST and PATCH bear the key, which other methods need not.

        Raises:
            UnprocessableEntityError: an argument cannot be written where it belongs.
        """
        headers = {"accept": "application/json, text/*;q=0.5, */*;q=0.1"}
        headers |= {each.name.lower(): each.field(value) for each, value in self._given("header", arguments)}
        cookies = [f"{name}={value}" for name, value in self._pairs("cookie", arguments)]
        if cookies:
            headers["cookie"] = "; ".join(cookies)
        if self.method not in IDEMPOTENT:
            headers["idempotency-key"] = key
        content = self.body.content(arguments) if self.body else None
        if self.body and content is not None:
            headers["content-type"] = self.body.media_type
        return httpx2.Request(self.method.upper(), self._url(base, arguments), headers=headers, content=content)

    def _url(self, base: httpx2.URL, arguments: Mapping[str, Any]) -> httpx2.URL:
        root = str(base.copy_with(query=None, fragment=None)).rstrip("/")
        secret = {scheme.name for scheme in self.schemes if scheme.place == "query"}
        query = "&".join(f"{name}={value}" for name, value in self._pairs("query", arguments) if name not in secret)
        try:
            return httpx2.URL(f"{root}{self._filled(arguments)}{'?' if query else ''}{query}")
        except httpx2.InvalidURL as error:  # one that is too long
            raise UnprocessableEntityError(f"the arguments of {self.card.name} make no address: {error}") from error

    def _filled(self, arguments: Mapping[str, Any]) -> str:
        values = {each.name: each.segment(value) for each, value in self._given("path", arguments)}
        parts = _TEMPLATE.split(self.path)  # literals at even places, names at odd ones
        return "".join(values[part] if odd % 2 else quote(part, safe=_LITERAL) for odd, part in enumerate(parts))

    def _pairs(self, place: str, arguments: Mapping[str, Any]) -> list[tuple[str, str]]:
        return [pair for each, value in self._given(place, arguments) for pair in each.pairs(value)]

    def _given(self, place: str, arguments: Mapping[str, Any]) -> list[tuple[Parameter, Any]]:
        return [
            (each, arguments[each.argument])
            for each in self.parameters
            if each.place == place and arguments.get(each.argument) is not None
        ]


def names_in(path: str) -> set[str]:
    """The names of a path's parameters."""
    return set(_TEMPLATE.findall(path))
