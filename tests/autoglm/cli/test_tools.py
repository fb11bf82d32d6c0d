"""`autoglm tools list` and `call`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]
CARD = {
    "name": "add_to_date",
    "description": "A date some days later.",
    "parameters": {"type": "object", "properties": {"date": {}, "days": {}}, "required": ["date"]},
}


def test_tools_are_listed_with_their_arguments(run: Run, server: Any) -> None:
    """What may be left out has a question mark; `--json` is the server's answer."""
    server.replies["/v1/tools"] = lambda request: request.answer({"data": [CARD]})
    shown = run("tools", "list").stdout
    assert "add_to_date" in shown
    assert "date, days?" in shown
    assert json.loads(run("tools", "list", "--json").stdout)["data"][0]["name"] == "add_to_date"


@pytest.mark.parametrize(("result", "printed"), [({"date": "2026-03-04"}, '{"date": "2026-03-04"}\n'), ("hé", "hé\n")])
def test_a_call_prints_the_result(run: Run, server: Any, result: Any, printed: str) -> None:
    """Values are JSON where they are some, else texts; a text is printed as it is."""
    server.replies["/v1/tools/add_to_date"] = lambda request: request.answer({"tool": "add_to_date", "result": result})
    assert run("tools", "call", "add_to_date", "date=2026-03-01", "days=3", 'note="3"', "x=a=b").stdout == printed
    assert server.requests[0].sent == {"arguments": {"date": "2026-03-01", "days": 3, "note": "3", "x": "a=b"}}


@pytest.mark.parametrize("words", [["days"], ["=3"], ["days=1", "days=2"]])
def test_an_argument_of_another_form_is_a_wrong_usage(run: Run, words: list[str]) -> None:
    """Told before anything is sent."""
    assert run("tools", "call", "add_to_date", *words).exit_code == 2
