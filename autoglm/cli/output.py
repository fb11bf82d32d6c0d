"""What the commands print: answers to stdout, errors to stderr."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from autoglm.errors import AutoGLMError


def print_error(error: AutoGLMError) -> None:
    """One red line: the message says what to do."""
    line = " ".join(error.message.split())
    Console(stderr=True).print(Text(f"error: {line}", style="red"), soft_wrap=True)


def print_table(columns: Sequence[str | Column], rows: Iterable[Sequence[str | Text]]) -> None:
    """A table whose cells are taken literally, not as markup."""
    table = Table(*columns)
    for row in rows:
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    Console().print(table)


def whole(name: str) -> Column:
    """A column of words to be copied: a narrow terminal does not break them."""
    return Column(name, no_wrap=True, overflow="ignore")


def shown_moment(moment: datetime | None) -> str:
    """A moment to the minute, in UTC as it came."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""
