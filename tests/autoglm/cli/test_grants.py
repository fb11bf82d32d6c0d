"""`autoglm grants …` against the real admin API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]


def test_a_grant_is_made_listed_and_deleted(administer: Run) -> None:
    """Its conditions are told in words; a pattern may hold an equals sign."""
    words = [
        "--argument",
        "path=/data/[a-z]+",
        "--argument",
        "query=a=b",
        "--calls-per-minute",
        "5",
        "--needs-approval",
    ]
    made = administer("grants", "add", "tenant", "acme", "files.*", *words)
    grant_id, _, told = made.stdout.partition(": ")
    assert told == ("tenant acme may use files.*, path = /data/[a-z]+, query = a=b, 5 calls a minute, with approval\n")
    assert grant_id in administer("grants", "list").stdout
    [card] = json.loads(administer("grants", "list", "--kind", "tenant", "--json").stdout)["data"]
    assert card["grant"]["arguments"] == {"path": "/data/[a-z]+", "query": "a=b"}
    assert json.loads(administer("grants", "list", "--subject", "other", "--json").stdout)["data"] == []
    gone = administer("grants", "delete", grant_id)
    assert gone.stdout.startswith(f"{grant_id} is no more: tenant acme may use files.*")
    again = administer("grants", "delete", grant_id)
    assert (again.exit_code, again.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    "words",
    [
        ["tenant", "acme"],
        ["galaxy", "acme", "clock"],
        ["tenant", "acme", "clock", "--argument", "path"],
        ["tenant", "acme", "clock", "--argument", "=x"],
        ["tenant", "acme", "clock", "--argument", "a=1", "--argument", "a=2"],
        ["tenant", "acme", "clock", "--calls-per-minute", "0"],
    ],
)
def test_a_wrong_usage_exits_with_2_and_grants_nothing(administer: Run, words: list[str]) -> None:
    """It is found before the server is asked."""
    assert administer("grants", "add", *words).exit_code == 2
    assert json.loads(administer("grants", "list", "--json").stdout)["data"] == []
