"""What a router decides from the snapshot alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from autoglm.contract.scope import Scope
from deployments.access import KeyView, Principal, Snapshot, UserView, secret
from deployments.access.password import PasswordConfig, hash_password, is_outdated, verify_password

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CHEAP = PasswordConfig(memory_kib=64, passes=1)
CHAT = (Scope("chat"),)


def key_of(text: str, **fields: Any) -> KeyView:
    sha256 = secret.digest(text).hex()
    return KeyView(id="key_1", prefix=secret.prefix_of(text), sha256=sha256, tenant="acme", scopes=CHAT, **fields)


def test_a_key_opens_until_it_expires() -> None:
    """And nothing but the whole secret does."""
    text = secret.new_secret()
    known = Snapshot(epoch=1, keys=(key_of(text, expires=NOW),))
    before = datetime(2026, 2, 28, tzinfo=UTC)
    assert known.by_key(text, before) == Principal(kind="key", id="key_1", tenant="acme", scopes=CHAT)
    assert known.by_key(text, NOW) is None
    for wrong in (text[:-1], text[:11], text + "x", secret.new_secret(), "", "é"):
        assert known.by_key(wrong, before) is None


def test_an_unknown_prefix_takes_the_same_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """One comparison of 32 bytes each, so that time does not tell which prefixes there are."""
    text = secret.new_secret()
    known = Snapshot(keys=(key_of(text),))
    compared: list[tuple[int, int]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr(secret.hmac, "compare_digest", compare)
    for tried in (text, text[:11] + "x" * 43, secret.new_secret(), "nonsense", ""):
        known.by_key(tried, NOW)
    assert compared == [(32, 32)] * 5


def test_a_password_opens_and_an_unknown_user_costs_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2 runs for the unknown user too, against a password that nobody has."""
    from argon2 import PasswordHasher

    view = UserView(name="ada", password_hash=hash_password("right", CHEAP), tenant="acme", scopes=CHAT)
    known = Snapshot(users=(view,))
    verified: list[str] = []
    verify = PasswordHasher.verify
    monkeypatch.setattr(
        PasswordHasher, "verify", lambda self, stored, tried: verified.append(stored) or verify(self, stored, tried)
    )
    caller = known.by_password("ada", "right")
    assert caller is not None
    assert str(caller) == "user:ada"
    assert known.by_password("ada", "wrong") is None
    assert known.by_password("eve", "right") is None
    assert len(verified) == 3


def test_a_hash_says_at_which_cost_it_was_made() -> None:
    """One of another cost still opens, and is to be replaced; one that is none opens nothing."""
    stored = hash_password("right", CHEAP)
    assert verify_password(stored, "right", PasswordConfig(memory_kib=128, passes=1))
    assert (is_outdated(stored, CHEAP), is_outdated(stored)) == (False, True)
    assert not verify_password("no hash", "right", CHEAP)


def test_nothing_of_it_can_be_changed_and_its_repr_tells_no_hash() -> None:
    """Replicas share it between threads, and it may be logged."""
    text = secret.new_secret()
    view = UserView(name="ada", password_hash="$argon2id$x", tenant="acme", scopes=CHAT)
    known = Snapshot(keys=(key_of(text),), users=(view,))
    with pytest.raises(ValidationError):
        known.epoch = 2  # type: ignore[misc]
    assert "$argon2id$" not in repr(known)
    assert secret.digest(text).hex() not in repr(known)


def test_a_principal_may_what_its_scopes_and_models_say() -> None:
    """Without a list of models, all of them."""
    caller = Principal(kind="key", id="key_1", tenant="acme", scopes=(*CHAT, Scope("tools:clock")), models=("chat",))
    assert [caller.allows(Scope(scope)) for scope in ("chat", "tools:clock", "tools:files", "admin")] == [
        True,
        True,
        False,
        False,
    ]
    assert (caller.may_use("chat"), caller.may_use("other")) == (True, False)
    assert caller.model_copy(update={"models": None}).may_use("other")
