"""What a new key or user may do, as words of the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import typer

from autoglm.cli.credential import expiry, given_scopes, scope
from autoglm.contract import Scope
from autoglm.contract.scope import KNOWN


@pytest.mark.parametrize("word", [*KNOWN, "tools:files"])
def test_a_scope_that_is_shown_as_known_is_one(word: str) -> None:
    """The list of the message and the form that the server takes are the same."""
    assert Scope(scope(word)).root == word


@pytest.mark.parametrize("word", ["", "root", "Chat", "tools", "tools:", "chat\n", "chat,predict"])
def test_an_unknown_scope_is_told_with_the_known_ones(word: str) -> None:
    """Before anything is sent."""
    with pytest.raises(typer.BadParameter) as caught:
        scope(word)
    assert repr(word) in str(caught.value)
    assert all(name in str(caught.value) for name in KNOWN)


@pytest.mark.parametrize("scopes", [None, []])
def test_no_scope_is_told_with_the_known_ones(scopes: list[str] | None) -> None:
    """There is no default: a key that may do everything is asked for in words."""
    with pytest.raises(typer.BadParameter, match=r"--scope.*chat, predict.*tools:NAME"):
        given_scopes(scopes)


def test_days_are_counted_from_now() -> None:
    """`30d` is thirty times 24 hours."""
    before = datetime.now(UTC)
    found = expiry("30d")
    assert before <= found - timedelta(days=30) <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("word", "moment"),
    [
        ("2026-12-31", "2026-12-31T00:00:00+00:00"),
        ("2026-12-31T18:30", "2026-12-31T18:30:00+00:00"),
        ("2026-12-31T18:30+01:00", "2026-12-31T18:30:00+01:00"),
    ],
)
def test_a_date_is_utc_unless_it_says_otherwise(word: str, moment: str) -> None:
    """The same on every machine."""
    assert expiry(word) == datetime.fromisoformat(moment)


@pytest.mark.parametrize("word", ["soon", "30", "d", "-3d", "1.5d", "123456d", "2026-02-30"])
def test_what_is_no_end_is_refused_with_what_would_do(word: str) -> None:
    """Guessing would make keys that live too long."""
    with pytest.raises(typer.BadParameter, match=r"30d.*2026-12-31"):
        expiry(word)
