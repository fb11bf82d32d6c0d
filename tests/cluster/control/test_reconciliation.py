"""The reconcile loop against a Serve of the test's own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from autoglm.contract.grant import Grant
from autoglm.contract.key import KeyRequest
from autoglm.contract.scope import Scope
from autoglm.errors import UnavailableError
from cluster.control import grants, holds, keys, tools
from cluster.control.database import Database
from cluster.control.reconciliation import DRIFT_S, Reconciler
from cluster.control.store import Store
from deployments.access import Snapshot
from deployments.router import HeldBreaker
from serve_app.ingress import Told
from serve_app.tools import ToldTools
from tests.cluster.control.fake_serve import ROUTER, FakeServe

GRANT = Grant(kind="tenant", subject="acme", tool="clock", arguments={"zone": "[A-Z]+"}, calls_per_minute=5)


class Loop:
    """A reconciler with a clock that the test moves."""

    def __init__(self, database: Database, folder: Path, now: datetime) -> None:
        self.serve = FakeServe()
        self.seen: list[Snapshot] = []
        self.time = 0.0
        self.database = database
        self.now = now
        self.reconciler = Reconciler(
            database,
            Store(folder),
            self.serve,
            self.seen.append,
            clock=lambda: now,
            monotonic=lambda: self.time,
        )

    def new_key(self) -> str:
        """The id of a key that was not there before."""
        with self.database.write() as session:
            key, _ = keys.create(session, KeyRequest(name="ci", scopes=(Scope("chat"),)), self.now)
            return key.id


@pytest.fixture
def loop(database: Database, tmp_path: Path, now: datetime) -> Loop:
    return Loop(database, tmp_path / "registered", now)


def test_a_new_key_reaches_the_routers_and_a_revoked_one_leaves_them(loop: Loop) -> None:
    """Each by one deployment, and the control plane itself knows it too."""
    key = loop.new_key()
    loop.reconciler.round()
    assert [view.id for view in loop.serve.credentials.keys] == [key]
    with loop.database.write() as session:
        keys.revoke(session, key, loop.now)
    loop.reconciler.round()
    assert loop.serve.credentials.keys == ()
    assert loop.serve.deployed == 2
    assert loop.seen[-1].keys == ()


def test_a_held_breaker_reaches_the_routers_and_stays_until_it_is_let_go(loop: Loop) -> None:
    """In the form that they read; a router that starts later is given the same."""
    with loop.database.write() as session:
        holds.put(session, "chat", "v1", "open")
        holds.put(session, "chat", "v2", "closed")
    loop.reconciler.round()
    told = Told.model_validate(loop.serve.told)
    assert told.breakers == (
        HeldBreaker(name="chat", version="v1", state="open"),
        HeldBreaker(name="chat", version="v2", state="closed"),
    )
    with loop.database.write() as session:
        holds.put(session, "chat", "v1", "automatic")
    loop.reconciler.round()
    assert loop.serve.told["breakers"] == [{"name": "chat", "version": "v2", "state": "closed"}]


def test_a_grant_and_a_tool_reach_the_routers_and_leave_them(loop: Loop) -> None:
    """In the form that they read, by the change alone."""
    with loop.database.write() as session:
        made = grants.create(session, GRANT, loop.now)
        tools.put(session, "clock", {"name": "clock", "embedded": "current_time"}, loop.now)
    loop.reconciler.round()
    told = ToldTools.model_validate(loop.serve.told)
    assert told.grants == (GRANT,)
    assert told.tools is not None
    assert [entry["name"] for entry in told.tools] == ["clock"]
    with loop.database.write() as session:
        grants.delete(session, made.id)
        tools.delete(session, "clock")
    loop.reconciler.round()
    assert (loop.serve.told["grants"], loop.serve.told["tools"]) == ([], [])


def test_a_tool_that_cannot_be_read_keeps_nothing_else_from_being_told(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    """Another version of this program has stored it: it is left out, and the log has it once."""
    with loop.database.write() as session:
        tools.put(session, "odd", {"name": "odd", "grpc": "x"}, loop.now)
        tools.put(session, "clock", {"name": "clock", "embedded": "current_time"}, loop.now)
    with caplog.at_level(logging.ERROR, "ray.serve"):
        loop.reconciler.round()
        key = loop.new_key()
        loop.reconciler.round()
    assert [entry["name"] for entry in loop.serve.told["tools"]] == ["clock"]
    assert [view.id for view in loop.serve.credentials.keys] == [key]
    assert [record.getMessage() for record in caplog.records] == [
        "the registered tool odd cannot be read and is left out: grpc: Extra inputs are not permitted"
    ]


def test_serve_is_not_asked_while_nothing_changes(loop: Loop) -> None:
    """A round each second would cost the cores that models need."""
    loop.reconciler.round()
    loop.reconciler.round()
    assert (loop.serve.asked, loop.serve.deployed) == (1, 1)


def test_a_file_that_an_operator_deploys_is_told_what_it_does_not_know(loop: Loop) -> None:
    """It has no credentials in it, so Serve would start new routers without any."""
    key = loop.new_key()
    loop.reconciler.round()
    loop.serve.applications = [ROUTER]
    loop.time += DRIFT_S
    loop.reconciler.round()
    assert [view.id for view in loop.serve.credentials.keys] == [key]


def test_what_failed_is_done_in_the_next_round(loop: Loop) -> None:
    """Serve's API may be away for a while."""
    loop.serve.fault = UnavailableError("away")
    with pytest.raises(UnavailableError):
        loop.reconciler.round()
    loop.serve.fault = None
    loop.reconciler.round()
    assert loop.serve.deployed == 1


@pytest.mark.parametrize("fault", [UnavailableError("away"), KeyError("a form that nobody thought of")])
async def test_a_change_begins_a_round_at_once_and_a_fault_does_not_end_the_loop(loop: Loop, fault: Exception) -> None:
    """The poll alone would be late by its period."""
    loop.serve.fault = fault
    running = asyncio.create_task(loop.reconciler.run())
    await until(lambda: loop.serve.asked == 1)
    loop.serve.fault = None
    loop.reconciler.changed()
    await until(lambda: loop.serve.deployed == 1)
    running.cancel()


async def until(done: Callable[[], bool]) -> None:
    """Give way to others until it is so; pytest's time limit ends a wait for nothing."""
    while not done():  # noqa: ASYNC110 - the fake is no part of this loop, and has no event to wait for
        await asyncio.sleep(0)
