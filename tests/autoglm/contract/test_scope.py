"""Scopes: what one covers, and what is none."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from autoglm.contract.scope import Scope


@pytest.mark.parametrize(
    ("granted", "wanted", "covers"),
    [
        ("chat", "chat", True),
        ("chat", "predict", False),
        ("admin", "chat", False),
        ("tools:clock", "tools:clock", True),
        ("tools:clock", "tools:clock2", False),
        ("tools:*", "tools:clock", True),
        ("tools:clock", "tools:*", False),
        ("tools:*", "admin", False),
    ],
)
def test_a_scope_covers_itself_and_a_star_all_tools(granted: str, wanted: str, covers: bool) -> None:
    """Nothing more: an administrator's key does not chat unless it may."""
    assert Scope(granted).covers(Scope(wanted)) is covers


@pytest.mark.parametrize(
    "text", ["", "root", "tools", "tools:", "tools:a b", "chat ", "chat\n", "*", "tools:" + "x" * 65]
)
def test_other_texts_are_no_scopes(text: str) -> None:
    """A typing error is refused where it is made."""
    with pytest.raises(ValidationError):
        Scope(text)


def test_on_the_wire_it_is_a_string() -> None:
    """As OAuth's scopes are."""
    assert Scope("chat").model_dump_json() == '"chat"'
    assert {Scope("chat"), Scope("chat")} == {Scope("chat")}
