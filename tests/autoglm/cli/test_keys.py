"""`autoglm keys …` against the real admin API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from autoglm.client import AutoClient

Run = Callable[..., Any]


def test_a_made_key_is_printed_once_alone_on_stdout(administer: Run, admin_server: Any) -> None:
    """So that `$(…)` takes the secret; what else there is to say goes to stderr."""
    words = ["--scope", "admin", "--scope", "chat", "--tenant", "acme", "--model", "chat", "--expires", "2199-12-31"]
    made = administer("keys", "create", "ci", *words)
    secret = made.stdout.removesuffix("\n")
    assert (made.exit_code, len(secret.split())) == (0, 1)
    assert "will not be shown again" in made.stderr
    with AutoClient(secret, admin_server.base_url) as client:
        [key] = client.admin.keys("acme")
    assert f"{key.id}: tenant acme, scopes admin, chat, expires 2199-12-31 00:00" in made.stderr
    assert key.models == ("chat",)
    listed = administer("keys", "list").stdout
    assert (key.id in listed, "2199-12-31" in listed) == (True, True)
    assert secret[11:] not in made.stderr + listed + administer("keys", "list", "--json").stdout


def test_json_holds_the_secret_and_nothing_else_is_printed(administer: Run) -> None:
    """A program reads one object."""
    made = administer("keys", "create", "ci", "--scope", "chat", "--json")
    answer = json.loads(made.stdout)
    assert answer["secret"].startswith("ag_" + answer["prefix"])
    assert made.stderr == ""


def test_a_key_is_revoked_by_its_id(administer: Run) -> None:
    """The list tells it; of an unknown one the error is one line."""
    made = json.loads(administer("keys", "create", "ci", "--scope", "chat", "--json").stdout)
    ended = administer("keys", "revoke", made["id"])
    assert ended.exit_code == 0
    assert ended.stdout.startswith(f"{made['id']} (ci): revoked 20")
    [listed] = json.loads(administer("keys", "list", "--tenant", "default", "--json").stdout)["data"]
    assert listed["revoked"] == json.loads(administer("keys", "revoke", made["id"], "--json").stdout)["revoked"]
    unknown = administer("keys", "revoke", "key_" + "0" * 20)
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert unknown.stderr.count("\n") == 1
    assert "there is none of this id" in unknown.stderr


@pytest.mark.parametrize("words", [[], ["--scope", "root"], ["--scope", "chat", "--expires", "soon"]])
def test_a_wrong_usage_exits_with_2_and_makes_nothing(administer: Run, words: list[str]) -> None:
    """It is found before the server is asked."""
    assert administer("keys", "create", "ci", *words).exit_code == 2
    assert len(json.loads(administer("keys", "list", "--json").stdout)["data"]) == 1


def test_a_key_without_the_scope_is_refused_in_one_line(administer: Run, admin_server: Any) -> None:
    """The message says which scope is missing."""
    _, secret = admin_server.add_key("reader", "chat")
    refused = administer("keys", "list", "--api-key", secret)
    assert refused.exit_code == 1
    assert refused.stderr == ("error: authorization: this credential has not the scope 'admin', which is needed\n")
