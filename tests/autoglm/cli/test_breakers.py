"""`autoglm breakers …` against the real admin API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cluster.control import holds

Run = Callable[..., Any]


def test_the_table_tells_each_breaker_and_who_is_silent(administer: Run) -> None:
    """Rates in percent where there were calls; with or without the word `list`."""
    shown = administer("breakers")
    lines = [line for line in shown.stdout.splitlines() if "│ chat" in line]
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines]
    assert rows == [
        ["chat", "v1", "r1", "half-open", "8", "62%", "", "0"],
        ["chat", "v2", "r1", "closed", "0", "", "", "0"],
    ]
    assert shown.stderr == "1 of 2 router replicas did not answer\n"
    assert administer("breakers", "list").stdout == shown.stdout


@pytest.mark.parametrize(("command", "state"), [("open", "open"), ("close", "closed"), ("automatic", "automatic")])
def test_a_breaker_is_held_and_let_go(administer: Run, command: str, state: str) -> None:
    """By the three words; JSON is the server's answer."""
    administer("breakers", "open", "chat", "v2")
    done = administer("breakers", command, "chat", "v2")
    assert (done.exit_code, done.stdout) == (0, f"chat v2: {state}\n")
    card = json.loads(administer("breakers", command, "chat", "v2", "--json").stdout)
    assert card == {"name": "chat", "version": "v2", "state": state}
    listed = json.loads(administer("breakers", "--json").stdout)
    assert listed["held"] == ([] if state == "automatic" else [card])
    assert listed["data"][1]["forced"] is (state != "automatic")


def test_what_is_held_and_gone_is_told(administer: Run, admin_server: Any) -> None:
    """The table has no row for it, and it would hold the next version of its name."""
    with admin_server.database.write() as session:
        holds.put(session, "chat", "v0", "open")
    assert "chat v0 is held open and not declared\n" in administer("breakers").stderr


def test_an_unknown_breaker_and_a_word_too_many_are_told(administer: Run) -> None:
    """The server names the nearest; an option before a command is not taken for the list's."""
    unknown = administer("breakers", "open", "chta", "v1")
    assert (unknown.exit_code, unknown.stderr) == (1, "error: name: 'chta' is not declared; did you mean 'chat'?\n")
    assert administer("breakers", "--json", "open", "chat", "v1").exit_code == 2
    assert "automatic" in administer("breakers", "--help").stdout
    assert json.loads(administer("breakers", "--json").stdout)["held"] == []
