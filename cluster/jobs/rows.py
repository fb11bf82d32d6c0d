"""The rows of an input file, JSON lines or CSV: read one at a time, from any place between two of them.

A row that cannot be read comes out with its fault, so that one bad row does not end the reading.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from autoglm.errors import ConfigError
from autoglm.suggestion import nearest

MAX_RECORD_BYTES = 8 * 2**20  # as much as the HTTP surface takes in one body
MAX_DEPTH = 32  # of lists in lists; far above any input's, and far below the few hundred at which pickle fails
SKIP_BYTES = 2**16
BOM = b"\xef\xbb\xbf"
DEFAULT_FIELDS = ("input", "text")


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two lines: the bytes and the lines before it."""

    offset: int = 0
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its first line (from 1), the place after it, and its input, or the `fault` that hides it."""

    line: int
    end: Position
    value: Any = None
    fault: str | None = None


def read_rows(path: Path, fields: Sequence[str], start: Position) -> Generator[Row, None, None]:
    """The rows after `start`; blank lines are none.

    `fields` names where a JSON object or a CSV record holds the input; several make a row of a table. Without any it
    is `input`, else `text`, else the only field. A JSON line that holds no object is the input itself.

    Raises:
        ConfigError: the file is of another format, or its CSV header is unreadable or lacks a field.
    """
    open_values = FORMATS.get(path.suffix.lower())
    if open_values is None:
        raise ConfigError(f"input: got {path.name!r}; a {' or '.join(FORMATS)} file is expected")
    with path.open("rb") as file:
        lines = Lines(file)
        values = open_values(lines, fields)
        if start.lines:
            lines.move(start)
        while (row := next_row(lines, values)) is not None:
            yield row


def next_row(lines: Lines, values: JsonValues | CsvValues) -> Row | None:
    """The next value as a row; None at the end."""
    try:
        value = next(values)
    except StopIteration:
        return None
    except (ValueError, csv.Error) as error:
        return Row(lines.first, lines.position, fault=str(error))
    return Row(lines.first, lines.position, value)


class Lines:
    """The lines of a file, with a bound on the bytes of each record, and the place after the last one read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.position = Position()
        self.begin()

    def begin(self) -> None:
        """The next line begins a record."""
        self.first = self.position.lines + 1
        self._room = MAX_RECORD_BYTES

    def move(self, position: Position) -> None:
        """Go on from a place that an earlier reading of the file had reached."""
        self._file.seek(position.offset)
        self.position = position

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """Raises ValueError where the record has grown too long; its line is then skipped, and never held whole."""
        line = self._file.readline(self._room + 1)
        if not line:
            raise StopIteration
        self._room -= len(line)
        if self._room < 0:
            self._skip_rest(line)
        self.position = Position(self._file.tell(), self.position.lines + 1)
        if self._room < 0:
            raise ValueError(f"the row is longer than {MAX_RECORD_BYTES:,} bytes; shorten it")
        return line.removeprefix(BOM) if self.position.lines == 1 else line

    def _skip_rest(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self._file.readline(SKIP_BYTES)


class JsonValues:
    """The inputs of JSON lines. An iterator of its own, as a generator would end at its first bad line."""

    def __init__(self, lines: Lines, fields: Sequence[str]) -> None:
        self._lines = lines
        self._fields = fields

    def __next__(self) -> Any:
        """Raises ValueError where the line is no JSON, lacks a field or is nested too deeply to be sent."""
        line = b""
        while not line.strip():
            self._lines.begin()
            line = next(self._lines)
        try:
            item = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise ValueError(f"not JSON: {error}") from error
        if not nested_within(item, MAX_DEPTH):
            raise ValueError(f"the row is nested deeper than {MAX_DEPTH} levels")
        return self._input(item) if isinstance(item, dict) else item

    def _input(self, item: dict[str, Any]) -> Any:
        names = self._fields or default_fields(item)
        for name in names:
            if name not in item:
                raise ValueError(f"field {name!r} is missing; {nearest(name, item)}")
        values = [item[name] for name in names]
        return values[0] if len(values) == 1 else values


class CsvValues:
    """The inputs of a CSV file with a header (RFC 4180, UTF-8): one column is text, several are a row of numbers."""

    def __init__(self, lines: Lines, fields: Sequence[str]) -> None:
        # The limit is the whole process's, so it is only ever raised; what bounds a record is Lines.
        csv.field_size_limit(max(csv.field_size_limit(), MAX_RECORD_BYTES))
        self._lines = lines
        # strict: a quote that is never closed is an error, and does not swallow the rows that follow
        self._records = csv.reader(map(bytes.decode, lines), strict=True)
        self._header = self._read_header()
        self._columns = self._find_columns(fields)

    def __next__(self) -> Any:
        """Raises ValueError or csv.Error where the record is malformed."""
        record = self._record()
        if len(record) != len(self._header):
            raise ValueError(
                f"the row has {len(record)} cells, the header {len(self._header)}; quote cells with commas"
            )
        if len(self._columns) == 1:
            return record[self._columns[0]]
        return [number(record[column], self._header[column]) for column in self._columns]

    def _record(self) -> list[str]:
        record: list[str] = []
        while not record:  # so the reader gives a blank line
            self._lines.begin()
            record = next(self._records)
        return record

    def _read_header(self) -> list[str]:
        try:
            return self._record()
        except StopIteration:
            raise ConfigError("input: the CSV file is empty; a header line is expected") from None
        except (ValueError, csv.Error) as error:
            raise ConfigError(f"input: the CSV header cannot be read: {error}") from error

    def _find_columns(self, fields: Sequence[str]) -> list[int]:
        try:
            names = fields or default_fields(self._header)
        except ValueError as error:
            raise ConfigError(f"--input-field: {error}") from None
        for name in names:
            if name not in self._header:
                raise ConfigError(f"--input-field: no column {name!r}; {nearest(name, self._header)}")
        return [self._header.index(name) for name in names]


FORMATS: dict[str, type[JsonValues] | type[CsvValues]] = {".jsonl": JsonValues, ".csv": CsvValues}


def default_fields(names: Collection[str]) -> tuple[str]:
    """`input`, else `text`, else the only name.

    Raises:
        ValueError: there is none of these.
    """
    for name in DEFAULT_FIELDS:
        if name in names:
            return (name,)
    if len(names) != 1:
        raise ValueError(f"neither 'input' nor 'text' is among {sorted(names)}; name the field with --input-field")
    return (next(iter(names)),)


def nested_within(item: Any, depth: int) -> bool:
    """That a JSON value has at most `depth` levels of lists and objects."""
    if not isinstance(item, list | dict):
        return True
    children = item.values() if isinstance(item, dict) else item
    return depth > 0 and all(nested_within(child, depth - 1) for child in children)


def number(cell: str, column: str) -> float:
    """A cell of a table; raises ValueError naming its column."""
    try:
        return float(cell)
    except ValueError:
        raise ValueError(f"column {column!r}: got {cell!r:.40}; a number is expected") from None
