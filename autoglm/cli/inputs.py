"""What the user gave, as inputs: words of the command line, or lines of a pipe."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer


def given_texts(words: list[str]) -> list[str]:
    """The words, or stdin's lines where there is none or only `-`.

    Raises:
        typer.BadParameter: there is no input.
    """
    return _piped_lines() if _from_stdin(words) else words


def given_inputs(words: list[str]) -> list[Any]:
    """The same with rows as lists, and `@FILE` among the words as the file's bytes.

    `@` means nothing in a pipe: data must not choose which files are sent.

    Raises:
        typer.BadParameter: there is no input, or a file cannot be read.
    """
    if _from_stdin(words):
        return [_row_or_text(line) for line in _piped_lines()]
    return [_file(Path(word[1:])) if word.startswith("@") else _row_or_text(word) for word in words]


def piped_text() -> str:
    """All of stdin; bytes that are no UTF-8 become replacement characters."""
    return sys.stdin.buffer.read().decode("utf-8", errors="replace")


def _from_stdin(words: list[str]) -> bool:
    if not words and sys.stdin.isatty():
        raise typer.BadParameter("got no input; give it as arguments, or pipe it in, one input a line")
    return not words or words == ["-"]


def _piped_lines() -> list[str]:
    # Not splitlines(), which also parts a text at characters such as U+2028.
    lines = [line.removesuffix("\r") for line in piped_text().split("\n") if line.strip()]
    if not lines:
        raise typer.BadParameter("got no input on stdin; pipe one input a line")
    return lines


def _row_or_text(word: str) -> Any:
    if not word.lstrip().startswith("["):
        return word
    try:
        return json.loads(word)
    except ValueError:
        return word


def _file(path: Path) -> bytes:
    try:
        return path.expanduser().read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"@{path}: {error.strerror}; give the path of a readable file") from error
