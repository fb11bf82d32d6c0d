"""Docstrings in Google's style, as far as a tool's description needs them: the text, and a line for each argument."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# https://google.github.io/styleguide/pyguide.html, section 3.8.3, and the headings that Sphinx's napoleon adds.
SECTION = re.compile(r"(Args|Arguments|Parameters|Returns|Yields|Raises|Examples?|Notes?):")
ARGUMENTS = frozenset({"Args", "Arguments", "Parameters"})
ARGUMENT = re.compile(r"(\w+)\s*(?:\([^)]*\))?:\s*(.*)")


@dataclass(frozen=True, slots=True)
class Docstring:
    """What stands before the first section, and the arguments' descriptions by name, each on one line."""

    text: str = ""
    arguments: dict[str, str] = field(default_factory=dict)


def parse(docstring: str | None) -> Docstring:
    """Whatever does not look like a section is text."""
    sections = list(_sections(inspect.cleandoc(docstring or "")))
    lines = [line for title, body in sections if title in ARGUMENTS for line in body]
    return Docstring("\n".join(sections[0][1]).strip(), _arguments(lines))


def _sections(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each section's title with its lines; first the text before them all, without a title."""
    title, lines = "", list[str]()
    for line in text.splitlines():
        if heading := SECTION.fullmatch(line.rstrip()):
            yield title, lines
            title, lines = heading[1], []
        else:
            lines.append(line)
    yield title, lines


def _arguments(lines: list[str]) -> dict[str, str]:
    """A line that is indented further than the first goes on with the argument before it."""
    found: dict[str, list[str]] = {}
    name, outer = "", _indent(lines[0]) if lines else 0
    for line in filter(str.strip, lines):
        match = ARGUMENT.fullmatch(line.strip()) if _indent(line) <= outer else None
        if match:
            name = match[1]
            found[name] = [match[2].strip()]
        elif name:
            found[name].append(line.strip())
    return {name: " ".join(parts).strip() for name, parts in found.items()}


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
