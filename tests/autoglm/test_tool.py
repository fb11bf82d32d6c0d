"""`@autoglm.tool`, and the description of a function as a tool."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

import autoglm
from autoglm import ConfigError, UnprocessableEntityError, UpstreamError, docstring
from autoglm.function_tool import FunctionTool
from autoglm.tool import mark_of


@dataclass
class Receipt:
    amount: int
    day: date


@autoglm.tool(idempotent=True, timeout_s=3)
def pay(
    json: Annotated[int, Field(ge=1)],
    copy: Literal["yes", "no"] = "no",
    *,
    day: date = date(2024, 1, 31),
    idempotency_key: str = "",
) -> Receipt:
    """Pay an amount.

    In cents.

    Args:
        json (int): how much, in
            cents
        copy: whether a copy is sent: yes or no

    Returns:
        json: the receipt
    """
    return Receipt(json, day)


def test_a_marked_function_is_called_as_before() -> None:
    """Who imports it elsewhere sees a plain function, with its mark beside it."""
    assert pay(5) == Receipt(5, date(2024, 1, 31))
    assert pay.__name__ == "pay"
    mark = mark_of(pay)
    assert mark is not None
    assert (mark.idempotent, mark.timeout_s) == (True, 3)


def test_a_card_comes_from_signature_annotations_and_docstring() -> None:
    """Arguments may be called as a pydantic model's own methods are, and the key is no argument."""
    card = FunctionTool(pay).card
    assert card.name == "pay"
    assert card.description == "Pay an amount.\n\nIn cents."
    assert card.idempotent
    assert card.parameters == {
        "type": "object",
        "additionalProperties": False,
        "required": ["json"],
        "properties": {
            "json": {"type": "integer", "minimum": 1, "description": "how much, in cents"},
            "copy": {
                "type": "string",
                "enum": ["yes", "no"],
                "default": "no",
                "description": "whether a copy is sent: yes or no",
            },
            "day": {"type": "string", "format": "date", "default": "2024-01-31"},
        },
    }
    assert card.returns is not None
    assert card.returns["properties"]["day"] == {"type": "string", "format": "date"}


def test_arguments_arrive_in_their_types_and_results_leave_as_json() -> None:
    """A date comes as text and goes as text; what is not given is the function's own default."""
    tool = FunctionTool(pay)
    given = tool.bind({"json": 5, "day": "2024-02-01"}, "k1")
    assert given == {"json": 5, "day": date(2024, 2, 1), "idempotency_key": "k1"}
    assert tool.value(tool.function(**given)) == {"amount": 5, "day": "2024-02-01"}


@pytest.mark.parametrize(
    ("arguments", "param"), [({"json": 0}, "json"), ({"json": 1, "more": 2}, "more"), ({}, "json")]
)
def test_arguments_that_do_not_fit_are_refused_by_their_field(arguments: dict[str, Any], param: str) -> None:
    """Out of range, unknown, missing."""
    with pytest.raises(UnprocessableEntityError) as refused:
        FunctionTool(pay).bind(arguments, "k")
    assert refused.value.param == param


def test_a_result_that_json_does_not_have_is_the_tools_failure() -> None:
    """And no fault of the caller's."""
    with pytest.raises(UpstreamError):
        FunctionTool(named).value(object())


def named() -> Any:
    return None


def test_a_coroutine_function_is_known_as_one() -> None:
    """It is awaited on the host's loop instead of called in a thread."""

    @autoglm.tool
    async def wait() -> int:
        return 1

    assert FunctionTool(wait).is_async
    assert asyncio.run(wait()) == 1


def test_what_cannot_be_a_tool_is_said_when_it_is_described() -> None:
    """Arguments that no JSON object can give, names that no tool can have, types without a schema."""

    def positional(a: int, /) -> None: ...

    def gathering(*numbers: int) -> None: ...

    def foreign(a: asyncio.Event) -> None: ...

    for function in (positional, gathering, foreign, autoglm.tool(name="ein Werkzeug")(named_again)):
        with pytest.raises(ConfigError):
            FunctionTool(function)


def named_again() -> None: ...


def test_a_mark_that_makes_no_sense_is_refused_where_it_stands() -> None:
    """Rather than when the module is loaded by a host."""
    with pytest.raises(ConfigError, match="timeout_s"):
        autoglm.tool(timeout_s=0)
    with pytest.raises(ConfigError, match="function"):
        autoglm.tool(3)  # type: ignore[call-overload]


def test_a_docstring_without_sections_is_all_text() -> None:
    """As is one with a colon in it, and none is empty."""
    assert docstring.parse("Note: this is text.") == docstring.Docstring("Note: this is text.")
    assert docstring.parse(None) == docstring.Docstring()
