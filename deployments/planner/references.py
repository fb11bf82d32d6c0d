"""`${id.path[0].field}` in a plan: what it names, and what it stands for once the step is done.

The text of a plan is read once. What takes a reference's place is never read for references again, so that the output
of a tool cannot ask for the result of another step.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from autoglm.errors import BadRequestError, PayloadTooLargeError, UnprocessableEntityError
from deployments.json_value import MAX_DEPTH
from deployments.planner.size import size, text

# An escape, a reference, or the beginning of one that does not end.
MARK = re.compile(r"\$\$\{|\$\{(?P<inside>[^{}]*)\}|\$\{")
INSIDE = re.compile(r"(?P<step>[a-z][a-z0-9_]{0,31})(?P<path>(?:\.[^.\[\]{}]+|\[[0-9]{1,9}\])*)")
PART = re.compile(r"\.(?P<field>[^.\[\]{}]+)|\[(?P<index>[0-9]+)\]")
KEYS_NAMED = 10  # of what is there, in the error about what is not
KEY_LENGTH = 40
MAX_KNOWN_CHARS = 100  # of a string that is kept as it was read


@dataclass(frozen=True, slots=True)
class Reference:
    """A step's result, or the part of it that `path` leads to: fields by name, items by number."""

    step: str
    path: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)
        return f"${{{self.step}{path}}}"

    def value(self, results: Mapping[str, Any]) -> Any:
        """What it stands for, with its type; `results` are by the step's id.

        Raises:
            UnprocessableEntityError: the step has no result, or the result no such part; the message says what it has.
        """
        if self.step not in results:
            raise UnprocessableEntityError(f"{self}: step {self.step!r} has no result", param=str(self))
        value = results[self.step]
        for place, part in enumerate(self.path):
            if not _has(value, part):
                before = Reference(self.step, self.path[:place])
                raise UnprocessableEntityError(
                    f"{self}: the result of step {self.step!r} has no {_quoted(part)} at {before}, which is "
                    f"{_described(value)}",
                    param=str(self),
                )
            value = value[part]
        return value


def parsed(source: str) -> Sequence[str | Reference]:
    """A string of a plan as plain texts and references; escapes are undone.

    Raises:
        BadRequestError: a `${` begins no reference.
    """
    if "${" not in source:
        return (source,)
    return _parsed(source) if len(source) > MAX_KNOWN_CHARS else _known(source)


def _parsed(source: str) -> tuple[str | Reference, ...]:
    parts: list[str | Reference] = []
    plain_from = 0
    for mark in MARK.finditer(source):
        parts.append(source[plain_from : mark.start()])
        parts.append("${" if mark[0] == "$${" else _reference(mark))
        plain_from = mark.end()
    parts.append(source[plain_from:])
    return tuple(part for part in parts if part != "")


# A reference is read when its plan is checked, put in order and run, and often stands in many steps.
_known = lru_cache(maxsize=4096)(_parsed)


def references(template: Any) -> Iterator[Reference]:
    """The references in a step's arguments, a condition's `ref` or an answer: any JSON value; keys are not read.

    Raises:
        BadRequestError: a `${` begins no reference, or it is nested deeper than MAX_DEPTH.
    """
    waiting = [(template, 0)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str):
            yield from (part for part in parsed(value) if isinstance(part, Reference))
        elif isinstance(value, dict | list | tuple):
            _check_depth(depth)
            parts = value.values() if isinstance(value, dict) else value
            waiting.extend((part, depth + 1) for part in parts)


def resolved(template: Any, results: Mapping[str, Any], limit: int) -> Any:
    """The template with every reference replaced: with its type where it is a whole string, else as text.

    `limit` bounds the bytes that all references together put in: one that is named often is put in often.

    Raises:
        BadRequestError: as `references`.
        UnprocessableEntityError: as `Reference.value`.
        PayloadTooLargeError: more than `limit` bytes are referred to.
    """
    return _Resolution(results, limit).of(template)


class _Resolution:
    """One template's."""

    def __init__(self, results: Mapping[str, Any], limit: int) -> None:
        self._results = results
        self._limit = limit
        self._taken = 0

    def of(self, template: Any, depth: int = 0) -> Any:
        if isinstance(template, str):
            return self._string(template)
        if isinstance(template, dict):
            _check_depth(depth)
            return {key: self.of(value, depth + 1) for key, value in template.items()}
        if isinstance(template, list | tuple):
            _check_depth(depth)
            return [self.of(value, depth + 1) for value in template]
        return template

    def _string(self, source: str) -> Any:
        match parsed(source):
            case [Reference() as whole]:
                return self._value(whole)
            case parts:
                return "".join(part if isinstance(part, str) else text(self._value(part)) for part in parts)

    def _value(self, reference: Reference) -> Any:
        value = reference.value(self._results)
        self._taken += size(value, self._limit)
        if self._taken > self._limit:
            raise PayloadTooLargeError(
                f"{reference}: with it, results of more than {self._limit:,} bytes are put in; refer to parts of them",
                param=str(reference),
            )
        return value


def _reference(mark: re.Match[str]) -> Reference:
    inside = INSIDE.fullmatch(mark["inside"] or "")
    if inside is None:
        raise BadRequestError(
            f"{mark[0][:100]!r} is no reference; write ${{id}} or ${{id.path[0].field}}, and $${{ for a plain ${{"
        )
    path = (int(part["index"]) if part["index"] else part["field"] for part in PART.finditer(inside["path"]))
    return Reference(inside["step"], tuple(path))


def _has(value: Any, part: str | int) -> bool:
    if isinstance(part, int):
        return isinstance(value, list) and part < len(value)
    return isinstance(value, dict) and part in value


def _quoted(part: str | int) -> str:
    return f"[{part}]" if isinstance(part, int) else repr(part[:KEY_LENGTH])


def _described(value: Any) -> str:
    """A value by its form: the names of its fields, and nothing of what they hold."""
    if isinstance(value, dict):
        names = ", ".join(repr(str(key)[:KEY_LENGTH]) for key in list(value)[:KEYS_NAMED])
        return f"an object with {names}{', …' if len(value) > KEYS_NAMED else ''}" if value else "an empty object"
    if isinstance(value, list):
        return f"a list of {len(value)} items" if value else "an empty list"
    return {str: "a string", bool: "a boolean", type(None): "null"}.get(type(value), "a number")


def _check_depth(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise BadRequestError(f"it is nested deeper than {MAX_DEPTH} levels; no tool needs that")
