"""HTTP Basic: the header's value, and passwords checked in threads and remembered for a minute."""

from __future__ import annotations

import asyncio
import base64
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from autoglm.errors import AuthenticationError
from deployments.access.attempts import Attempts, source_of
from deployments.access.principal import Principal
from deployments.access.room import Room
from deployments.access.snapshot import Snapshot

MAX_NAME_BYTES = 64  # the control plane's longest name
MAX_PASSWORD_BYTES = 1024  # its longest password, 256 characters, where each takes four bytes
REMEMBER_S = 60.0
MAX_REMEMBERED = 1024


def parse(credential: str) -> tuple[str, str]:
    """Name and password, by RFC 7617 in UTF-8.

    Raises:
        AuthenticationError: not of that form, or longer than any that there is. The message shows nothing of it.
    """
    pair = decoded(credential)
    if pair is None:  # not raised where it was found: the codec's exception holds the password
        raise AuthenticationError(
            "authorization: what follows 'Basic' is not NAME:PASSWORD in UTF-8 and base64, with at most "
            f"{MAX_NAME_BYTES} and {MAX_PASSWORD_BYTES} bytes",
            param="authorization",
        )
    return pair


def decoded(credential: str) -> tuple[str, str] | None:
    """`parse` without its error."""
    try:
        content = base64.b64decode(credential)
        name, colon, password = content.decode().partition(":")
    except ValueError:
        return None
    if base64.b64encode(content).decode() != credential:  # the codec passes over what is not base64
        return None
    fits = len(name.encode()) <= MAX_NAME_BYTES and len(password.encode()) <= MAX_PASSWORD_BYTES
    return (name, password) if colon and fits else None


class Passwords:
    """Passwords of one snapshot's users; those of another snapshot ask another object, which remembers nothing.

    A wrong password is not remembered: its next check costs as much, and counts as one more failure.
    """

    def __init__(self, snapshot: Snapshot, room: Room, attempts: Attempts, monotonic: Callable[[], float]) -> None:
        self._snapshot = snapshot
        self._room = room
        self._attempts = attempts
        self._verified = Verified(monotonic)
        self._flights: dict[tuple[str, bytes], asyncio.Task[Principal | None]] = {}
        self._salt = secrets.token_bytes(32)  # so that what is remembered is of no use outside of this process

    async def check(self, name: str, password: str, address: str) -> Principal | None:
        """The caller with this password, None for a wrong one or an unknown user.

        The same pair at the same time is checked once, by argon2 in a thread. A failure is counted here.

        Raises:
            RateLimitError: the address failed too often. Even a remembered pair is not taken then, or the
                answers would tell a right guess from a wrong one.
            UnavailableError: too many checks are waiting.
        """
        self._attempts.admit(address)
        pair = hmac.digest(self._salt, f"{name}:{password}".encode(), "sha256")
        if (caller := self._verified.get(pair)) is not None:
            return caller
        key = (source_of(address), pair)  # not shared among addresses: one that is blocked would fail the others
        flight = self._flights.get(key)
        if flight is None:
            flight = self._room.enter(partial(self._verify, name, password, pair, address))
            self._flights[key] = flight
            flight.add_done_callback(lambda _: self._flights.pop(key))
        return await asyncio.shield(flight)  # who hangs up does not take the check from the others

    async def _verify(self, name: str, password: str, pair: bytes, address: str) -> Principal | None:
        self._attempts.admit(address)  # others of this address may have failed while this one waited
        caller = await asyncio.to_thread(self._snapshot.by_password, name, password)
        if caller is None:
            self._attempts.failed(address)
        else:
            self._verified.add(pair, caller)
        return caller


class Verified:
    """The callers of right pairs, for a minute each; the least recently used one goes when there are too many."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._callers: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()

    def get(self, pair: bytes) -> Principal | None:
        """Whose pair it is."""
        until, caller = self._callers.get(pair, (0.0, None))
        if caller is None or until <= self._monotonic():
            self._callers.pop(pair, None)
            return None
        self._callers.move_to_end(pair)
        return caller

    def add(self, pair: bytes, caller: Principal) -> None:
        """Remember it from now on."""
        self._callers[pair] = (self._monotonic() + REMEMBER_S, caller)
        if len(self._callers) > MAX_REMEMBERED:
            self._callers.popitem(last=False)
