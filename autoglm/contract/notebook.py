"""How results look in a notebook: small HTML, everything in it escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

MAX_ROWS = 100  # a page that scrolls; the rest is counted


def table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of the first `MAX_ROWS` rows."""
    body = "".join(_row("td", row) for row in rows[:MAX_ROWS])
    more = f"<p>… and {len(rows) - MAX_ROWS} more</p>" if len(rows) > MAX_ROWS else ""
    head = f"<caption>{escape(caption)}</caption><thead>{_row('th', columns)}</thead>"
    return f"<table>{head}<tbody>{body}</tbody></table>{more}"


def text(caption: str, content: str) -> str:
    """A text with its line ends kept."""
    return f'<p><small>{escape(caption)}</small></p><div style="white-space: pre-wrap">{escape(content)}</div>'


def _row(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"
