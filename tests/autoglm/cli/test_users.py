"""`autoglm users …` against the real admin API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cluster.control import basic

Run = Callable[..., Any]
PASSWORD = "correct hörse battery "


def opens(admin_server: Any, password: str) -> bool:
    return basic.verify(admin_server.database, "ada", password) is not None


def test_the_password_is_asked_for_twice_and_not_shown(administer: Run, admin_server: Any) -> None:
    """A slip is noticed, and the question is on stderr, where it disturbs no pipe."""
    typed = f"{PASSWORD}\nother words here\n{PASSWORD}\n{PASSWORD}\n"
    made = administer("users", "create", "ada", "--scope", "chat", stdin=typed)
    assert made.exit_code == 0
    assert made.stdout.lstrip() == "ada: tenant default, scopes chat\n"  # CliRunner writes a line end for each answer
    assert "do not match" in made.stderr
    assert PASSWORD not in made.output
    assert opens(admin_server, PASSWORD)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_piped_password_is_taken_as_it_is_but_for_the_line_end(administer: Run, admin_server: Any, end: str) -> None:
    """Spaces and letters of any language are part of it."""
    words = ["--scope", "chat", "--scope", "predict", "--tenant", "acme", "--model", "chat", "--password-stdin"]
    made = administer("users", "create", "ada", *words, "--json", stdin=(PASSWORD + end).encode())
    answer = json.loads(made.stdout)
    assert (answer["tenant"], answer["scopes"], answer["models"]) == ("acme", ["chat", "predict"], ["chat"])
    assert opens(admin_server, PASSWORD)


@pytest.mark.parametrize(
    ("typed", "told"), [(b"hunter2\n", "7 characters; 12 to 256 do"), (b"", "0 characters"), (b"\xff" * 12, "UTF-8")]
)
def test_a_password_that_cannot_be_is_refused_unseen(administer: Run, typed: bytes, told: str) -> None:
    """With what would do; nobody is made."""
    refused = administer("users", "create", "ada", "--scope", "chat", "--password-stdin", stdin=typed)
    assert refused.exit_code == 2
    assert told in refused.stderr
    assert "hunter2" not in refused.output
    assert json.loads(administer("users", "list", "--json").stdout) == {"data": [], "has_more": False}


def test_users_are_listed_and_deleted(administer: Run) -> None:
    """A name of nobody is one line on stderr."""
    administer("users", "create", "ada", "--scope", "chat", "--password-stdin", stdin=PASSWORD)
    assert "ada" in administer("users", "list").stdout
    assert administer("users", "delete", "ada").stdout == "ada: deleted\n"
    gone = administer("users", "delete", "ada", "--json")
    assert (gone.exit_code, gone.stdout, gone.stderr.count("\n")) == (1, "", 1)


def test_a_user_has_a_scope(administer: Run) -> None:
    """Asked for before the password is."""
    refused = administer("users", "create", "ada", stdin=f"{PASSWORD}\n{PASSWORD}\n")
    assert refused.exit_code == 2
    assert "--scope" in refused.stderr
    assert "Password" not in refused.output
