"""Names and passwords."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from autoglm.contract.scope import Scope
from autoglm.errors import AuthenticationError, RateLimitError, UnavailableError
from deployments.access import Snapshot, UserView, basic
from deployments.access.attempts import Attempts
from deployments.access.basic import Passwords, parse
from deployments.access.password import PasswordConfig, hash_password
from deployments.access.room import Room
from tests.deployments.access.ticks import Ticks

CHEAP = PasswordConfig(memory_kib=64, passes=1)
USERS = tuple(
    UserView(name=name, password_hash=hash_password("right", CHEAP), tenant="acme", scopes=(Scope("chat"),))
    for name in ("ada", "bob")
)
HERE = "10.0.0.1"


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


class Argon2:
    """Counts the verifications and holds them while the gate is shut."""

    def __init__(self) -> None:
        self.tried: list[str] = []
        self.threads: set[threading.Thread] = set()
        self.begun = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def note(self, password: str) -> None:
        self.tried.append(password)
        self.threads.add(threading.current_thread())
        self.begun.set()
        self.gate.wait(5)  # a test that fails meanwhile must not hang


@pytest.fixture
def argon2(monkeypatch: pytest.MonkeyPatch) -> Iterator[Argon2]:
    counted, verify = Argon2(), PasswordHasher.verify

    def noted(self: PasswordHasher, stored: str, password: str) -> bool:
        counted.note(password)
        return verify(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", noted)
    yield counted
    counted.gate.set()


def passwords(ticks: Ticks, *, limit: int = 20, room: Room | None = None) -> Passwords:
    return Passwords(Snapshot(users=USERS), room or Room(), Attempts(limit, ticks), ticks)


@pytest.mark.parametrize(
    "credential",
    [
        "YWRhOnJpZ2h0!",  # not of the alphabet
        "YWRhOnJpZ2h0=",  # too much padding
        "YWRhOnJpZ2h",  # cut
        "YWRh\u00e9",
        encoded("no colon"),
        encoded(b"ada:\xff\xfe"),
        encoded("n" * 65 + ":x"),
        encoded("ada:" + "x" * 1025),
        "A" * 1_000_000,
    ],
)
def test_what_is_no_pair_is_refused(credential: str) -> None:
    """Strictly, and before argon2 sees any of it; the message has nothing of what was sent."""
    with pytest.raises(AuthenticationError, match="is not NAME:PASSWORD in UTF-8") as caught:
        parse(credential)
    assert credential not in caught.value.message
    assert caught.value.__context__ is None  # a codec's exception would carry the password


def test_a_pair_is_utf_8_and_only_the_first_colon_parts_it() -> None:
    """As RFC 7617 has it; the longest password that a user can have fits."""
    assert parse(encoded("ada:pass:wört")) == ("ada", "pass:wört")
    assert parse(encoded("a" * 64 + ":" + "🔑" * 256)) == ("a" * 64, "🔑" * 256)


async def test_a_right_pair_is_remembered_for_a_minute(ticks: Ticks, argon2: Argon2) -> None:
    """argon2 runs once in it; another password of the same user is not taken for it."""
    checks = passwords(ticks)
    for now in (0, 59):
        ticks.now = now
        assert str(await checks.check("ada", "right", HERE)) == "user:ada"
    assert argon2.tried == ["right"]
    assert await checks.check("ada", "wrong", HERE) is None
    ticks.now = 60
    assert await checks.check("ada", "right", HERE) is not None
    assert argon2.tried == ["right", "wrong", "right"]


async def test_an_unknown_user_costs_what_a_wrong_password_costs(ticks: Ticks, argon2: Argon2) -> None:
    """One verification each, each time; nothing wrong is remembered."""
    checks = passwords(ticks)
    for name in ("ada", "nobody", "ada", "nobody"):
        assert await checks.check(name, "wrong", HERE) is None
    assert len(argon2.tried) == 4


async def test_the_remembered_pairs_are_bounded(ticks: Ticks, argon2: Argon2, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pair that was not used for the longest time goes."""
    monkeypatch.setattr(basic, "MAX_REMEMBERED", 1)
    checks = passwords(ticks)
    for name in ("ada", "bob", "bob", "ada"):
        await checks.check(name, "right", HERE)
    assert len(argon2.tried) == 3


async def test_the_same_pair_at_the_same_time_is_checked_once(ticks: Ticks, argon2: Argon2) -> None:
    """Off the event loop, and a caller who hangs up takes nothing from the others."""
    checks = passwords(ticks)
    argon2.gate.clear()
    calls = [asyncio.create_task(checks.check("ada", "right", HERE)) for _ in range(5)]
    await asyncio.to_thread(argon2.begun.wait)
    calls[0].cancel()
    argon2.gate.set()
    first, *others = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(first, asyncio.CancelledError)
    assert [str(other) for other in others] == ["user:ada"] * 4
    assert argon2.tried == ["right"]
    assert threading.current_thread() not in argon2.threads


async def test_guesses_beyond_the_waiting_room_are_turned_away(ticks: Ticks, argon2: Argon2) -> None:
    """Many addresses together can take no more than its places; a password remembered needs none."""
    checks = passwords(ticks, room=Room(at_once=1, waiting=1))
    await checks.check("bob", "right", HERE)
    argon2.gate.clear()
    calls = [asyncio.create_task(checks.check("ada", f"guess {last}", f"10.0.0.{last}")) for last in range(2)]
    await asyncio.sleep(0)  # so that both have entered
    with pytest.raises(UnavailableError):
        await checks.check("ada", "guess", "10.0.0.3")
    assert str(await checks.check("bob", "right", HERE)) == "user:bob"
    argon2.gate.set()
    assert await asyncio.gather(*calls) == [None, None]


async def test_a_blocked_address_has_no_password_tried(ticks: Ticks, argon2: Argon2) -> None:
    """Not even a right one that is remembered, whose 200 among the 429s would be what a guesser looks for."""
    checks = passwords(ticks, limit=2)
    await checks.check("ada", "right", HERE)
    for guess in ("1", "2"):
        assert await checks.check("ada", guess, HERE) is None
    for password in ("3", "right"):
        with pytest.raises(RateLimitError) as caught:
            await checks.check("ada", password, HERE)
        assert caught.value.retry_after == 60
    assert argon2.tried == ["right", "1", "2"]
    assert await checks.check("ada", "right", "10.0.0.2") is not None


async def test_guesses_sent_at_once_are_no_more_than_guesses_sent_in_turn(ticks: Ticks, argon2: Argon2) -> None:
    """Those that waited while others failed are not tried any more, but for what ran beside the last failure."""
    checks = passwords(ticks, limit=3, room=Room(at_once=1, waiting=32))
    calls = [checks.check("ada", f"guess {number}", HERE) for number in range(20)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(answer).__name__ for answer in answers] == ["NoneType"] * 3 + ["RateLimitError"] * 17
    assert len(argon2.tried) == 3


async def test_a_blocked_address_does_not_fail_another_that_sends_the_same(ticks: Ticks, argon2: Argon2) -> None:
    """A check that is shared would end in 429 for both."""
    checks = passwords(ticks, limit=1, room=Room(at_once=1, waiting=32))
    argon2.gate.clear()
    calls = [
        asyncio.create_task(checks.check("ada", password, address))
        for password, address in (("wrong", HERE), ("right", HERE), ("right", "10.0.0.2"))
    ]
    await asyncio.to_thread(argon2.begun.wait)
    argon2.gate.set()
    wrong, blocked, right = await asyncio.gather(*calls, return_exceptions=True)
    assert wrong is None
    assert isinstance(blocked, RateLimitError)
    assert str(right) == "user:ada"
