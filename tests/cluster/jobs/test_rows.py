"""Reading rows from JSON lines and CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autoglm.errors import ConfigError
from cluster.jobs import rows
from cluster.jobs.rows import Position, Row, read_rows

JSON_LINES = (
    b'\xef\xbb\xbf"bare"\n'
    b'{"id": 7, "input": [5.1, 3.5]}\r\n'
    b"\n"
    b"{oops\n"
    b'"\xff"\n'
    b'{"id": 8, "x": 1}\n'
    b'"' + b"z" * 100 + b'"\n'
    b'{"text": "no newline at the end"}'
)
DEEP = b"[" * 10**5 + b"\n" + b"[" * 900 + b"]" * 900 + b"\n[[1]]\n"
CSV = (
    b"\xef\xbb\xbfid,text\n"
    b'1,"a ""good"", long\nfilm"\r\n'
    b"\n"
    b"2,unquoted, comma\n"
    b'3,"closed" badly\n'
    b"4,\xff\n"
    b"5," + b"z" * 100 + b"\n"
    b"6,fine\n"
    b'7,"never closed\n'
)


@pytest.fixture(autouse=True)
def short_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound on a record is small."""
    monkeypatch.setattr(rows, "MAX_RECORD_BYTES", 90)


def read(path: Path, content: bytes, *fields: str, start: Position | None = None) -> list[Row]:
    path.write_bytes(content)
    return list(read_rows(path, fields, start or Position()))


def found(read: list[Row]) -> list[tuple[int, Any]]:
    """Each row's line with its value, or with the beginning of its fault."""
    return [(row.line, row.fault[:12] if row.fault is not None else row.value) for row in read]


def test_json_lines_give_inputs_and_faults(tmp_path: Path) -> None:
    """Bare values and objects mix; each bad line is one fault and spoils no other."""
    assert found(read(tmp_path / "in.jsonl", JSON_LINES)) == [
        (1, "bare"),
        (2, [5.1, 3.5]),
        (4, "not JSON: un"),
        (5, "not JSON: st"),
        (6, "neither 'inp"),
        (7, "the row is l"),
        (8, "no newline at the end"),
    ]


def test_csv_gives_inputs_and_faults(tmp_path: Path) -> None:
    """A quoted cell may span lines; an unquoted comma must not shorten a text without a word."""
    assert found(read(tmp_path / "in.csv", CSV)) == [
        (2, 'a "good", long\nfilm'),
        (5, "the row has "),
        (6, "',' expected"),
        (7, "'utf-8' code"),
        (8, "the row is l"),
        (9, "fine"),
        (10, "unexpected e"),
    ]


def test_deep_nesting_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line within the bound can exhaust neither the parser's stack nor, on its way to the model, pickle's."""
    monkeypatch.setattr(rows, "MAX_RECORD_BYTES", 10**6)
    assert found(read(tmp_path / "in.jsonl", DEEP)) == [(1, "not JSON: de"), (2, "the row is n"), (3, [[1]])]


@pytest.mark.parametrize(("name", "content"), [("in.jsonl", JSON_LINES), ("in.csv", CSV)])
def test_reading_goes_on_after_any_row(tmp_path: Path, name: str, content: bytes) -> None:
    """The place after a row, good or bad, is all that resuming needs."""
    whole = read(tmp_path / name, content)
    for index, row in enumerate(whole):
        assert read(tmp_path / name, content, start=row.end) == whole[index + 1 :]


def test_several_fields_make_a_row_of_a_table(tmp_path: Path) -> None:
    """In the order given; cells of a CSV file are numbers then."""
    content = b"label,a,b\nx,1,2.5\ny,one,2\n"
    assert found(read(tmp_path / "in.csv", content, "b", "a")) == [(2, [2.5, 1.0]), (3, "column 'a': ")]
    assert found(read(tmp_path / "in.jsonl", b'{"a": 1, "b": 2}\n', "b", "a")) == [(1, [2, 1])]


@pytest.mark.parametrize(
    ("name", "content", "fields", "message"),
    [
        ("in.txt", b"x\n", (), r"input: got 'in.txt'; a .jsonl or .csv file is expected"),
        ("in.csv", b"", (), "input: the CSV file is empty"),
        ("in.csv", b"id,review\n1,x\n", (), r"\['id', 'review'\]; name the field with --input-field"),
        ("in.csv", b"id,review\n1,x\n", ("reveiw",), "no column 'reveiw'; did you mean 'review'"),
    ],
)
def test_a_file_without_inputs_is_refused(
    tmp_path: Path, name: str, content: bytes, fields: tuple[str, ...], message: str
) -> None:
    """What is wrong with every row is said once, before any is predicted."""
    with pytest.raises(ConfigError, match=message):
        read(tmp_path / name, content, *fields)
