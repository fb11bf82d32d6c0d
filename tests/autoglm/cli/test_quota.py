"""`autoglm quota …` against the real admin API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]
ALL = {
    "requests_per_minute": 6000,
    "tokens_per_minute": 0,
    "requests_per_day": 7,
    "tokens_per_day": 8,
    "budget": 2.5,
}


def test_every_limit_is_set_by_the_option_of_its_name(administer: Run, admin_server: Any) -> None:
    """On a key or a tenant; set again without one, a limit is gone."""
    options = [word for name, value in ALL.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    card = json.loads(administer("quota", "set", "tenant", "ops", *options, "--json").stdout)
    assert card == {"kind": "tenant", "subject": "ops", **ALL}
    administer("quota", "set", "key", admin_server.key_id, *options)
    cleared = administer("quota", "set", "key", admin_server.key_id)
    assert cleared.stdout == f"key {admin_server.key_id}: no limit\n"
    listed = json.loads(administer("quota", "list", "--json").stdout)["data"]
    assert [quota["subject"] for quota in listed] == [admin_server.key_id, "ops"]
    assert (listed[0]["budget"], listed[1]) == (None, card)


def test_the_table_shows_what_is_set(administer: Run) -> None:
    """Zero is a limit too."""
    administer("quota", "set", "tenant", "ops", "--requests-per-minute", "6000", "--tokens-per-day", "0")
    shown = administer("quota", "list").stdout
    assert "requests_per_minute 6,000, tokens_per_day 0" in shown
    assert "budget" not in shown


def test_what_cannot_be_limited_is_told(administer: Run) -> None:
    """A wrong kind or number is a wrong usage; a tenant that is not there is the server's to say."""
    assert administer("quota", "set", "galaxy", "ops").exit_code == 2
    assert administer("quota", "set", "tenant", "ops", "--budget", "-1").exit_code == 2
    unknown = administer("quota", "set", "tenant", "acme", "--budget", "1")
    assert unknown.exit_code == 1
    assert unknown.stderr.startswith("error: subject: there is no tenant")
