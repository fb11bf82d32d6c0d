"""The caller's side of the tools, over hosts of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from autoglm.contract.grant import Grant
from autoglm.contract.scope import Scope
from autoglm.contract.tool import ToolCard
from autoglm.errors import (
    DeadlineExceededError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnavailableError,
    UnprocessableEntityError,
)
from deployments.caller import Caller
from deployments.tools import listing, toolbox
from deployments.tools.call_log import CallEntry
from deployments.tools.grants import Asking
from deployments.tools.toolbox import Toolbox
from tests.deployments.tools.hosts import FakeHost, card, translated

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ANN = Asking(Caller(kind="key", id="key_1", tenant="acme"), (Scope("tools:*"),))


def tenant(tool: str, **rest: Any) -> Grant:
    return Grant(kind="tenant", subject="acme", tool=tool, **rest)


class Bench:
    """A toolbox, its hosts by application, the clock, how long it slept, and what was told of its calls."""

    def __init__(self) -> None:
        self.hosts: dict[str, FakeHost] = {"tools": FakeHost()}
        self.told: list[CallEntry] = []
        self.slept: list[float] = []
        self.time = 100.0
        self.toolbox = Toolbox(
            lambda deployment, app: self.hosts[app],
            translated,
            self.told.append,
            clock=lambda: self.time,
            now=lambda: NOW,
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    async def show(self, *cards: ToolCard, app: str = "tools") -> None:
        """Have a host list these, and wait until the toolbox knows."""
        self.hosts[app].show(*cards)
        await until(lambda: {one.name for one in cards} <= set(self.toolbox.cards))


@asynccontextmanager
async def bench(*grants: Grant, tools: tuple[ToolCard, ...] = ()) -> AsyncIterator[Bench]:
    made = Bench()
    made.toolbox.update(["tools"], grants)
    if tools:
        await made.show(*tools)
    try:
        yield made
    finally:
        await made.toolbox.aclose()


async def until(done: Callable[[], bool]) -> None:
    """Give way to others until it is so; pytest's time limit ends a wait for nothing."""
    while not done():  # noqa: ASYNC110 - the state is the toolbox's own, which has no event for it
        await asyncio.sleep(0)


def names(cards: tuple[ToolCard, ...]) -> list[str]:
    return [one.name for one in cards]


async def test_a_caller_sees_what_is_granted_and_hears_of_changes() -> None:
    """By name; a tool that comes or goes at its host does so here, without being asked."""
    async with bench(tenant("a"), tenant("files.*"), tools=(card("files.read"), card("b"), card("a"))) as made:
        assert names(made.toolbox.visible(ANN)) == ["a", "files.read"]
        assert names(made.toolbox.visible(replace(ANN, tools=frozenset({"a", "b"})))) == ["a"]
        await made.show(card("files.new"))
        assert names(made.toolbox.visible(ANN)) == ["files.new"]


async def test_a_revoked_grant_counts_for_the_next_call() -> None:
    """Whatever was seen before."""
    async with bench(tenant("a"), tools=(card("a"),)) as made:
        await made.toolbox.call(ANN, "a", {}, key="k1", timeout_s=1)
        made.toolbox.update(["tools"], [])
        with pytest.raises(PermissionDeniedError, match="needs a grant"):
            await made.toolbox.call(ANN, "a", {}, key="k2", timeout_s=1)
        assert [key for _, _, key in made.hosts["tools"].calls] == ["k1"]
        assert names(made.toolbox.visible(ANN)) == []


async def test_what_is_denied_is_not_sent_and_is_told() -> None:
    """By its arguments too: the audit has who, what and why, and no host was asked."""
    async with bench(tenant("a", arguments={"path": "/tmp/.*"}), tools=(card("a"), card("b"))) as made:
        for name, arguments in (("a", {"path": "/etc/passwd"}), ("b", {})):
            with pytest.raises(PermissionDeniedError):
                await made.toolbox.call(ANN, name, arguments, key="k", timeout_s=1)
        assert made.hosts["tools"].calls == []
        assert [(entry.tool, entry.outcome) for entry in made.told] == [
            ("a", "permission_denied"),
            ("b", "permission_denied"),
        ]


async def test_a_call_is_told_with_what_it_was_given_and_without_secrets() -> None:
    """The digest is that of the arguments, whatever their order."""
    async with bench(tenant("a"), tools=(card("a"),)) as made:
        for arguments in ({"x": 1, "password": "hunter2"}, {"password": "hunter2", "x": 1}):
            result = await made.toolbox.call(ANN, "a", arguments, key="run_1:s1", timeout_s=1)
            assert result == {"tool": "a"}
        one, other = made.told
        assert (one.at, one.caller, one.tenant, one.tool) == (NOW, "key:key_1", "acme", "a")
        assert (one.key, one.outcome, one.seconds) == ("run_1:s1", "ok", 0.0)
        assert one.preview == '{"x": 1, "password": "[hidden]"}'
        assert (len(one.digest), one.digest) == (64, other.digest)
        assert one.id != other.id


async def test_arguments_that_are_no_json_are_refused() -> None:
    """Nothing could be said of what was sent."""
    async with bench(tenant("a"), tools=(card("a"),)) as made:
        with pytest.raises(UnprocessableEntityError, match="arguments"):
            await made.toolbox.call(ANN, "a", {"x": float("nan")}, key="k", timeout_s=1)


async def test_an_unknown_tool_is_told_by_those_that_the_caller_may_see() -> None:
    """The names of others' tools are not given away."""
    async with bench(tenant("clock"), tools=(card("clock"), card("clack"))) as made:
        with pytest.raises(NotFoundError, match="did you mean 'clock'"):
            made.toolbox.check(ANN, "clack_")


async def test_before_its_host_was_heard_a_tool_is_not_called_unknown() -> None:
    """A router that has just started says that it may be asked again."""
    async with bench(tenant("a")) as made:
        with pytest.raises(UnavailableError, match="has not told yet"):
            await made.toolbox.call(ANN, "a", {}, key="k", timeout_s=1)


async def test_an_approval_is_asked_for_by_grant_or_by_the_entry() -> None:
    """Without one the call is refused; with it, it is sent."""
    grants = tenant("a", needs_approval=True), tenant("b")
    async with bench(*grants, tools=(card("a"), card("b", needs_approval=True))) as made:
        assert [one.needs_approval for one in made.toolbox.visible(ANN)] == [True, True]
        for name in ("a", "b"):
            assert made.toolbox.check(ANN, name, {}).needs_approval
            with pytest.raises(PermissionDeniedError, match="a person's approval"):
                await made.toolbox.call(ANN, name, {}, key="k", timeout_s=1)
            await made.toolbox.call(ANN, name, {}, key="k", timeout_s=1, approved=True)
        assert len(made.hosts["tools"].calls) == 2


async def test_a_grants_rate_bounds_its_calls_and_another_grant_goes_on() -> None:
    """A refusal says when; grants told again have used what they have used."""
    narrow = tenant("a", arguments={"x": "1"}, calls_per_minute=1)
    async with bench(narrow, tools=(card("a"),)) as made:
        await made.toolbox.call(ANN, "a", {"x": 1}, key="k", timeout_s=1)
        made.toolbox.update(["tools"], [narrow])
        with pytest.raises(RateLimitError) as caught:
            await made.toolbox.call(ANN, "a", {"x": 1}, key="k", timeout_s=1)
        assert caught.value.retry_after == pytest.approx(60.0)
        made.toolbox.update(["tools"], [narrow, tenant("a", calls_per_minute=1, needs_approval=True)])
        with pytest.raises(RateLimitError):
            await made.toolbox.call(ANN, "a", {"x": 1}, key="k", timeout_s=1)
        await made.toolbox.call(ANN, "a", {"x": 1}, key="k", timeout_s=1, approved=True)


async def test_a_call_whose_caller_goes_is_cancelled_at_its_host() -> None:
    """And told as such."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def long(*_: Any) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with bench(tenant("a"), tools=(card("a"),)) as made:
        made.hosts["tools"].work = long
        calling = asyncio.create_task(made.toolbox.call(ANN, "a", {}, key="k", timeout_s=60))
        await begun.wait()
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        await ended.wait()
        assert [entry.outcome for entry in made.told] == ["cancelled"]


async def test_a_host_that_hangs_or_dies_is_an_error_of_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller waits for no longer than its time."""
    monkeypatch.setattr(toolbox, "GRACE_S", 0.0)
    async with bench(tenant("a"), tools=(card("a"),)) as made:

        async def hang(*_: Any) -> None:
            await asyncio.Event().wait()

        async def die(*_: Any) -> None:
            raise ConnectionResetError

        made.hosts["tools"].work = hang
        with pytest.raises(DeadlineExceededError):
            await made.toolbox.call(ANN, "a", {}, key="k", timeout_s=0.01)
        made.hosts["tools"].work = die
        with pytest.raises(UnavailableError):
            await made.toolbox.call(ANN, "a", {}, key="k", timeout_s=1)
        assert [entry.outcome for entry in made.told] == ["deadline_exceeded", "unavailable"]


async def test_a_host_that_is_away_keeps_its_tools_and_is_asked_ever_more_rarely() -> None:
    """It is being started again; when it is back, its listing counts."""
    async with bench(tenant("*"), tools=(card("a"),)) as made:
        host = made.hosts["tools"]
        host.away = UnavailableError("being started")
        made.slept.clear()
        host.show(card("a"))  # answers the question that is under way; the next ones find it away
        await until(lambda: made.slept.count(listing.LONGEST_BACKOFF_S) == 2)
        assert made.slept[-7:] == [listing.PAUSE_S, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0][-7:]
        assert names(made.toolbox.visible(ANN)) == ["a"]
        host.away = None
        await made.show(card("b"))
        assert names(made.toolbox.visible(ANN)) == ["b"]


@pytest.mark.parametrize("told", [{}, {"tools": [{"name": "../x", "parameters": {}}], "faults": {}, "loading": []}])
async def test_a_listing_that_is_none_changes_nothing(told: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is none of a tool's would be no scope's either."""
    async with bench(tenant("*"), tools=(card("a"),)) as made:
        host = made.hosts["tools"]
        monkeypatch.setattr(host, "_told", told | {"version": 9})
        asked = host.asked
        host._changed.set()
        await until(lambda: host.asked > asked + 1)
        assert names(made.toolbox.visible(ANN)) == ["a"]


async def test_what_a_host_still_loads_is_not_gone() -> None:
    """One that was killed answers again before it has opened its entries: 404 would be the end of a step."""
    async with bench(tenant("*"), tools=(card("a"), card("crm.x"), card("old"))) as made:
        made.hosts["tools"].show(card("old"), loading=("crm", "new"))
        await until(lambda: "a" not in made.toolbox.cards)
        assert names(made.toolbox.visible(ANN)) == ["crm.x", "old"]
        assert made.toolbox.check(ANN, "crm.x").allowed
        with pytest.raises(UnavailableError, match="being loaded"):
            made.toolbox.check(ANN, "new")
        with pytest.raises(NotFoundError):
            made.toolbox.check(ANN, "a")
        made.hosts["tools"].show(card("new"))
        await until(lambda: "crm.x" not in made.toolbox.cards)
        with pytest.raises(NotFoundError):
            made.toolbox.check(ANN, "crm.x")


async def test_hosts_come_and_go() -> None:
    """Of a tool that two list, the first host is asked; of one that is gone nothing is left, nor followed."""
    async with bench(tenant("*"), tools=(card("a"),)) as made:
        made.hosts["tool-x"] = FakeHost()
        made.toolbox.update(["tools", "tool-x"], [tenant("*")])
        await made.show(card("a"), card("x"), app="tool-x")
        for name in ("a", "x"):
            await made.toolbox.call(ANN, name, {}, key="k", timeout_s=1)
        assert [len(made.hosts[app].calls) for app in ("tools", "tool-x")] == [1, 1]
        made.toolbox.update(["tools"], [tenant("*")])
        assert names(made.toolbox.visible(ANN)) == ["a"]


async def test_a_tool_whose_entry_is_not_there_is_unavailable_to_who_may_use_it() -> None:
    """With the reason, and to be asked for again; to others it is none, whatever has become of it."""
    async with bench(tenant("crm.*"), tools=(card("a"),)) as made:
        made.hosts["tools"].show(card("a"), crm="its document does not answer", mail="no module")
        await until(lambda: bool(made.toolbox.faults))
        with pytest.raises(UnavailableError, match="its document does not answer") as told:
            await made.toolbox.call(ANN, "crm.find", {}, key="k", timeout_s=1)
        assert told.value.retry_after
        with pytest.raises(NotFoundError):
            await made.toolbox.call(ANN, "mail", {}, key="k", timeout_s=1)
        await made.show(card("crm.list"))
        with pytest.raises(NotFoundError):
            await made.toolbox.call(ANN, "crm.find", {}, key="k", timeout_s=1)


async def test_what_an_entry_could_not_load_is_told() -> None:
    """For whoever asks why a tool is missing."""
    async with bench(tools=(card("a"),)) as made:
        made.hosts["tools"].show(card("a"), card("b"), crm="its document does not answer")
        await until(lambda: bool(made.toolbox.faults))
        assert made.toolbox.faults == {"crm": "its document does not answer"}
