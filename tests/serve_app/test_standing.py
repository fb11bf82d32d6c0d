"""What a caller may do now, known by name alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from autoglm.contract.scope import CHAT, TASKS
from autoglm.errors import PermissionDeniedError
from deployments.access import KeyView, Principal, Snapshot
from deployments.caller import Caller
from serve_app.standing import Standing, named

NOW = datetime(2026, 3, 29, 9, 0, tzinfo=UTC)
TOKEN = Principal(
    kind="token", id="ada", tenant="acme", scopes=(CHAT, TASKS), models=("chat",), expires=NOW.timestamp() + 60
)


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def test_a_token_may_do_what_it_said_until_it_ends() -> None:
    """A run that it began, or that waits for a person, does nothing more for it then; not even in another process."""
    watch = Watch()
    standing, caller = Standing(watch), Caller.model_validate_json(named(TOKEN).model_dump_json())
    assert standing.principal(caller) == TOKEN
    watch.now = datetime(2026, 3, 29, 9, 1, tzinfo=UTC)
    with pytest.raises(PermissionDeniedError):
        standing.principal(caller)
    with pytest.raises(PermissionDeniedError):
        standing.principal(caller.model_copy(update={"expires": None}))


def test_a_key_may_do_what_it_may_now() -> None:
    """By the newest snapshot, not by what it could when the run began; and never as the user of its name."""
    standing = Standing(Watch())
    key = KeyView(id="ada", prefix="ag_12345678", sha256="00" * 32, tenant="acme", scopes=(CHAT,))
    caller = named(key.principal())
    standing.update(Snapshot(keys=(key.model_copy(update={"scopes": (TASKS,)}),)))
    assert standing.principal(caller).scopes == (TASKS,)
    for other in (caller.model_copy(update={"tenant": "other"}), caller.model_copy(update={"kind": "user"})):
        with pytest.raises(PermissionDeniedError):
            standing.principal(other)
    standing.update(Snapshot(keys=(key.model_copy(update={"expires": NOW}),)))
    with pytest.raises(PermissionDeniedError):
        standing.principal(caller)
