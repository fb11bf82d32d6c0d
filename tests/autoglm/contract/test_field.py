"""The forms of fields, where a reader of JSON Schema and pydantic would part ways."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from autoglm.contract import ChatRequest, CompletionRequest
from autoglm.contract.field import Count, Day, Integer, Moment, Positive


@pytest.mark.parametrize(("text", "value"), [("16", 16), ("16.0", 16), ("-3e2", -300)])
def test_a_number_without_a_fraction_is_an_integer(text: str, value: int) -> None:
    """As JSON Schema has it, also where nothing else is taken for a number."""
    assert TypeAdapter(Integer).validate_json(text, strict=True) == value


@pytest.mark.parametrize("text", ["16.5", '"16"', "true", "1e999", "NaN", "null"])
def test_what_is_no_integer_is_refused(text: str) -> None:
    """A text and a truth value are not made numbers."""
    with pytest.raises(ValidationError):
        TypeAdapter(Integer).validate_json(text, strict=True)


@pytest.mark.parametrize(
    ("kind", "bounds"), [(Positive, {"minimum": 1}), (Count, {"minimum": 0, "maximum": 10**15}), (Integer, {})]
)
def test_bounds_are_in_the_schema(kind: Any, bounds: dict[str, int]) -> None:
    """What is checked is told; `null` beside it hides nothing."""
    assert TypeAdapter(kind).json_schema() == {"type": "integer", **bounds}
    assert TypeAdapter(kind | None).json_schema()["anyOf"][0] == {"type": "integer", **bounds}


def test_a_day_is_written_with_dashes() -> None:
    """Seconds since 1970 are no day in a query, whatever pydantic takes."""
    assert TypeAdapter(Day).validate_python("2026-03-01") == date(2026, 3, 1)
    for wrong in ("0", "20260301", "2026-W09-7", "2026-03-01T00:00:00", "2026-02-30"):
        with pytest.raises(ValidationError):
            TypeAdapter(Day).validate_python(wrong)


@pytest.mark.parametrize("year", [1971, 1999, 2000, 2199])
def test_the_years_of_a_moment_are_in_the_schema(year: int) -> None:
    """The pattern is that of the check."""
    text = f"{year}-06-01T02:00:00+02:00"
    assert TypeAdapter(Moment).validate_python(text) == datetime(year, 6, 1, tzinfo=UTC)
    assert matches(text)


@pytest.mark.parametrize("year", ["0001", "1970", "2200", "9999"])
def test_years_beyond_are_refused_as_the_schema_says(year: str) -> None:
    """Their zone could not be changed without overflow."""
    with pytest.raises(ValidationError):
        TypeAdapter(Moment).validate_python(f"{year}-06-01T00:00:00Z")
    assert not matches(f"{year}-06-01T00:00:00Z")


def matches(text: str) -> bool:
    """Whether the pattern of the schema takes it."""
    return re.search(TypeAdapter(Moment).json_schema()["pattern"], text) is not None


def test_nothing_to_continue_is_refused_before_the_engine_is_asked() -> None:
    """Empty prompts and lists of no tools: the field is named."""
    for prompt in ("", [], [""], [[]]):
        with pytest.raises(ValidationError, match="prompt"):
            CompletionRequest.model_validate({"model": "chat", "prompt": prompt})
    with pytest.raises(ValidationError, match="tools"):
        ChatRequest.model_validate({"model": "chat", "messages": [{"role": "user"}], "tools": []})
