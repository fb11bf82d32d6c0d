"""Sources come, change and go while calls run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from autoglm.contract.tool import ToolCard
from autoglm.errors import ConfigError, NotFoundError, UnavailableError
from deployments.tools.catalogue import Catalogue, Listing
from tests.deployments.tools.scripted_source import ANY, Held, ScriptedSource, Shelf, entry, settled


class Waits:
    """`asyncio.sleep`, ended by the test."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.begun = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        self.begun.set()
        await self.go.wait()
        self.go.clear()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
async def catalogue(shelf: Shelf, waits: Waits) -> AsyncIterator[Catalogue]:
    made = Catalogue(shelf, sleep=waits, drain_s=0)
    yield made
    await made.aclose()


async def listed(catalogue: Catalogue, *names: str) -> Listing:
    """The listing, once it has these tools and no others."""
    listing = catalogue.listing()
    while [card.name for card in listing.tools] != list(names):
        listing = await asyncio.wait_for(catalogue.changed(listing.version, 10), 10)
    return listing


async def test_tools_are_listed_when_their_source_is_open(catalogue: Catalogue, shelf: Shelf) -> None:
    """By name, with what the entry adds; who waits for a change hears of it."""
    shelf.sources["tools:a"] = ScriptedSource("a", description="A.")
    shelf.sources["tools"] = ScriptedSource("b.y", "b.x")
    waiting = asyncio.create_task(catalogue.changed(catalogue.listing().version, 10))
    catalogue.update([entry("b", "tools"), entry("a", needs_approval=True)])
    assert (await waiting).loading == ("a", "b")
    listing = await listed(catalogue, "a", "b.x", "b.y")
    assert not listing.loading
    assert listing.tools[0] == ToolCard(name="a", description="A.", parameters=ANY, needs_approval=True)


async def test_the_same_listing_has_the_same_version(shelf: Shelf) -> None:
    """On every replica, and after a restart, whatever came and went before; another listing has another."""
    versions = []
    for names in (["a"], ["a"], ["a", "b"]):
        one = Catalogue(shelf)
        for name in names:
            shelf.sources[f"tools:{name}"] = ScriptedSource(name)
            one.update(map(entry, [*names[: names.index(name)], name]))
        versions.append((await listed(one, *names)).version)
        await one.aclose()
    assert versions[0] == versions[1] != versions[2]
    assert max(versions) < 2**53


async def test_a_poll_ends_without_a_change(catalogue: Catalogue) -> None:
    """After its time, with what there is."""
    version = catalogue.listing().version
    assert (await catalogue.changed(version, 0)).version == version


async def test_a_source_that_cannot_be_loaded_is_told_of_and_tried_again(
    catalogue: Catalogue, shelf: Shelf, waits: Waits
) -> None:
    """Later each time; a call meanwhile hears why."""
    source = shelf.sources["tools:a"] = ScriptedSource("a")
    source.opening_faults = [ConfigError("no module tools"), KeyError("a bug")]
    catalogue.update([entry("a")])
    await waits.begun.wait()
    assert catalogue.listing().faults == {"a": "no module tools"}
    with pytest.raises(UnavailableError, match="no module tools"):
        catalogue.find("a")
    for _ in range(2):
        waits.begun.clear()
        waits.go.set()
        if source.opening_faults:
            await waits.begun.wait()
    assert not (await listed(catalogue, "a")).faults
    assert waits.asked == [1.0, 2.0]


async def test_a_tool_that_cannot_be_offered_does_not_spoil_the_others(catalogue: Catalogue, shelf: Shelf) -> None:
    """Its schema would be fetched, or its name is none."""
    source = shelf.sources["tools"] = ScriptedSource("b.good", "b.bad", "b. ")
    source.cards[1] = ToolCard(name="b.bad", parameters={"$ref": "http://127.0.0.1:1/"})
    catalogue.update([entry("b", "tools")])
    listing = await listed(catalogue, "b.good")
    assert "b.bad is not offered: not a JSON Schema" in listing.faults["b"]


async def test_what_a_source_leaves_out_is_told_by_name(catalogue: Catalogue, shelf: Shelf) -> None:
    """Beside the tools that are there."""
    shelf.sources["tools"] = ScriptedSource("b.x")
    shelf.sources["tools"].left_out = ["upload is not offered: its body is an image"]
    catalogue.update([entry("b", "tools")])
    listing = await listed(catalogue, "b.x")
    assert listing.faults == {"b": "upload is not offered: its body is an image"}
    assert catalogue.states()["b"]["message"] == listing.faults["b"]


async def test_each_entry_tells_how_it_fares(catalogue: Catalogue, shelf: Shelf, waits: Waits) -> None:
    """While it is opened, once it is, where it cannot be, and where what it comes from has gone."""
    shelf.sources["tools:a"] = ScriptedSource("a")
    source = shelf.sources["tools:b"] = ScriptedSource("b")
    source.opening_faults = [ConfigError("no module tools")]
    catalogue.update([entry("a"), entry("b")], {"c": "entry: of another program"})
    assert [catalogue.states()[name]["status"] for name in "abc"] == ["loading", "loading", "failed"]
    await waits.begun.wait()
    assert catalogue.states() == {
        "a": {"entry": {"name": "a", "python": "tools:a"}, "status": "loaded", "message": ""},
        "b": {"entry": {"name": "b", "python": "tools:b"}, "status": "failed", "message": "no module tools"},
        "c": {"status": "failed", "message": "entry: of another program"},
    }
    assert catalogue.listing().loading == ()
    gone = shelf.sources["tools:a"]
    gone.cards, gone.left_out = [], ["the server ended with -9"]
    gone.changed()
    state = catalogue.states()["a"]
    assert (state["status"], state["message"]) == ("failed", "the server ended with -9")


async def test_a_listing_that_changes_at_its_source_changes_here(catalogue: Catalogue, shelf: Shelf) -> None:
    """What stays the same keeps its breaker and its numbers."""
    source = shelf.sources["tools"] = ScriptedSource("b.x")
    catalogue.update([entry("b", "tools")])
    await listed(catalogue, "b.x")
    _, before = catalogue.find("b.x")
    source.cards = [*source.cards, ToolCard(name="b.y", parameters=ANY)]
    source.changed()
    await listed(catalogue, "b.x", "b.y")
    assert catalogue.find("b.x")[1] is before


async def test_an_unknown_tool_is_not_found(catalogue: Catalogue, shelf: Shelf) -> None:
    """And no other is named, which the caller may have no right to see."""
    shelf.sources["tools:clock"] = ScriptedSource("clock")
    catalogue.update([entry("clock")])
    await listed(catalogue, "clock")
    with pytest.raises(NotFoundError, match=r"no tool 'clok' is hosted here$"):
        catalogue.find("clok")


async def test_a_removed_source_ends_its_calls_and_closes(catalogue: Catalogue, shelf: Shelf) -> None:
    """It is gone from the listing at once; a call that takes longer than it has is told why it ended."""
    held = Held()
    source = shelf.sources["tools:a"] = ScriptedSource("a", answer=held)
    catalogue.update([entry("a")])
    await listed(catalogue, "a")
    mount, offer = catalogue.find("a")
    call = asyncio.create_task(mount.call(offer, {}, "k", 10))
    await held.begun.acquire()
    catalogue.update([])
    assert not catalogue.listing().tools
    with pytest.raises(UnavailableError, match="removed"):
        await call
    await source.closed.wait()
    assert held.ended == ["k"]


async def test_a_call_that_ends_in_time_survives_the_removal_of_its_tool(shelf: Shelf) -> None:
    """The source is closed behind it."""
    catalogue = Catalogue(shelf)
    held = Held()
    source = shelf.sources["tools:a"] = ScriptedSource("a", answer=held)
    catalogue.update([entry("a")])
    await listed(catalogue, "a")
    mount, offer = catalogue.find("a")
    call = asyncio.create_task(mount.call(offer, {}, "k", 10))
    await held.begun.acquire()
    catalogue.update([])
    await settled()
    assert not source.closed.is_set()
    held.go.set()
    assert await call == "done"
    await source.closed.wait()
    await catalogue.aclose()


async def test_an_entry_that_changed_is_served_as_before_until_the_new_one_is_open(
    catalogue: Catalogue, shelf: Shelf, waits: Waits
) -> None:
    """Also where the new one cannot be opened: its fault is told, and calls go on."""
    old = shelf.sources["old:a"] = ScriptedSource("a")
    new = shelf.sources["new:a"] = ScriptedSource("a", description="New.")
    new.opening_faults = [ConfigError("broken")]
    catalogue.update([entry("a", "old:a")])
    await listed(catalogue, "a")
    catalogue.update([entry("a", "new:a")])
    await waits.begun.wait()
    assert catalogue.listing().faults == {"a": "broken"}
    mount, offer = catalogue.find("a")
    assert await mount.call(offer, {"n": 1}, "k", 10) == {"n": 1}
    waits.go.set()
    await old.closed.wait()
    assert catalogue.listing().tools[0].description == "New."


async def test_an_entry_that_stays_the_same_is_not_opened_again(catalogue: Catalogue, shelf: Shelf) -> None:
    """However often the control plane tells it."""
    shelf.sources["tools:a"] = ScriptedSource("a")
    catalogue.update([entry("a")])
    await listed(catalogue, "a")
    catalogue.update([entry("a")])
    await settled()
    assert shelf.built == ["a"]


async def test_an_entry_that_is_removed_while_it_is_tried_again_is_let_go(
    catalogue: Catalogue, shelf: Shelf, waits: Waits
) -> None:
    """Nothing goes on in the background."""
    source = shelf.sources["tools:a"] = ScriptedSource("a")
    source.opening_faults = [ConfigError("broken")]
    catalogue.update([entry("a")])
    await waits.begun.wait()
    await catalogue.aclose()
    assert catalogue.listing().faults == {}
    assert not source.opened.is_set()


async def test_tools_that_are_away_are_unavailable(catalogue: Catalogue, shelf: Shelf) -> None:
    """An MCP server that is started again lists none meanwhile: a call may be sent again."""
    source = shelf.sources["tools"] = ScriptedSource("b.x")
    catalogue.update([entry("b", "tools")])
    await listed(catalogue, "b.x")
    source.cards = []
    source.changed()
    with pytest.raises(UnavailableError, match="lists none now"):
        catalogue.find("b.x")
