"""Passwords by argon2id. One check takes some 20 ms of a core and 19 MiB: never on an event loop."""

from __future__ import annotations

import functools
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher


@dataclass(frozen=True, slots=True)
class PasswordConfig:
    """argon2id's cost: OWASP's first recommendation (Password Storage Cheat Sheet)."""

    memory_kib: int = 19_456
    passes: int = 2
    lanes: int = 1


STANDARD = PasswordConfig()


def hash_password(password: str, config: PasswordConfig = STANDARD) -> str:
    """The hash with its salt and cost in it."""
    return hasher(config).hash(password)


def verify_password(stored: str | None, password: str, config: PasswordConfig = STANDARD) -> bool:
    """Whether the password is the stored hash's; None, for an unknown user, costs as much as a wrong password."""
    from argon2.exceptions import InvalidHashError, VerificationError

    decoy = decoy_hash(config)  # made on the first check of any user, so that making it tells nothing either
    try:
        hasher(config).verify(decoy if stored is None else stored, password)
    except (InvalidHashError, VerificationError):
        return False
    return stored is not None


def is_outdated(stored: str, config: PasswordConfig = STANDARD) -> bool:
    """Whether the hash was made at another cost than today's."""
    return hasher(config).check_needs_rehash(stored)


@functools.lru_cache(maxsize=8)
def hasher(config: PasswordConfig) -> PasswordHasher:
    """argon2 at this cost."""
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=config.passes, memory_cost=config.memory_kib, parallelism=config.lanes)


@functools.lru_cache(maxsize=8)
def decoy_hash(config: PasswordConfig) -> str:
    """The hash of a password that nobody has."""
    return hash_password(secrets.token_urlsafe(), config)
