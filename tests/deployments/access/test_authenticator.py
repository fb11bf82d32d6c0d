"""From the header to the caller."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from autoglm.contract.scope import Scope
from autoglm.errors import APIStatusError, AuthenticationError, RateLimitError, UnavailableError
from deployments.access import AccessConfig, Authenticator, KeyView, Snapshot, UserView, secret
from deployments.access.password import PasswordConfig, hash_password
from tests.deployments.access.issuer import NOW, jwk, jwks, token
from tests.deployments.access.ticks import Ticks

LOCAL = "ag-local"
KEY = "ag_abcdefgh" + "s" * 43
HASHES = {text: hash_password(text, PasswordConfig(memory_kib=64, passes=1)) for text in ("right", "changed")}
HERE = "10.0.0.1"


def key_of(text: str, **fields: Any) -> KeyView:
    sha256 = secret.digest(text).hex()
    return KeyView.model_validate(
        {"id": "key_1", "prefix": secret.prefix_of(text), "sha256": sha256, "tenant": "acme", "scopes": ["chat"]}
        | fields
    )


def user(password: str) -> UserView:
    return UserView(name="ada", password_hash=HASHES[password], tenant="acme", scopes=(Scope("chat"),))


KNOWN = Snapshot(epoch=7, keys=(key_of(KEY),), users=(user("right"),))


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    """The issuer's key set."""
    path = tmp_path / "jwks.json"
    path.write_bytes(jwks(jwk("one")))
    return path


@pytest.fixture
def door(keys_file: Path, ticks: Ticks) -> Authenticator:
    """Takes all methods, knows one caller of each."""
    return opened(ticks, ["api_key", "basic", "jwt"], keys_file)


def opened(ticks: Ticks, methods: list[str], keys_file: Path, limit: int = 3) -> Authenticator:
    jwt = {"jwks_file": keys_file, "audience": "autoglm"} if "jwt" in methods else None
    config = AccessConfig.model_validate({"auth": methods, "jwt": jwt, "failed_attempts_per_minute": limit})
    door = Authenticator(config, local_key=LOCAL, clock=ticks.moment, monotonic=ticks)
    door.update(KNOWN)
    return door


def basic(password: str, name: str = "ada") -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


async def refusal(door: Authenticator, header: str | None, address: str = HERE) -> APIStatusError:
    with pytest.raises(APIStatusError) as caught:
        await door.authenticate(header, address)
    assert caught.value.param == "authorization"
    return caught.value


@pytest.mark.parametrize(
    ("header", "caller"),
    [
        (f"Bearer {LOCAL}", "local:local"),
        (f"bearer  {KEY} ", "key:key_1"),
        (basic("right"), "user:ada"),
        (f"Bearer {token()}", "token:ada"),
    ],
    ids=["local", "key", "user", "token"],
)
async def test_each_credential_has_its_caller(door: Authenticator, header: str, caller: str) -> None:
    """Whatever the scheme's case."""
    assert str(await door.authenticate(header, HERE)) == caller
    assert str(await door.authenticate(header.replace("Bearer", "BEARER"), HERE)) == caller


async def test_the_local_key_may_do_everything(door: Authenticator) -> None:
    """Every tool too; it is the operator's own."""
    caller = await door.authenticate(f"Bearer {LOCAL}", HERE)
    wanted = ("chat", "predict", "embed", "tasks", "approve", "tools:anything", "admin")
    assert all(caller.allows(Scope(scope)) for scope in wanted)
    assert (caller.tenant, caller.models) == ("default", None)


def test_an_empty_local_key_is_refused() -> None:
    """It would be everybody's."""
    with pytest.raises(ValueError, match="local_key"):
        Authenticator(AccessConfig(), local_key="")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, "no key was sent; send 'Authorization: Bearer KEY'"),
        ("", "no key was sent"),
        ("Bearer", "no key was sent"),
        ("Bearer   ", "no key was sent"),
        ("Digest username=ada", "this scheme is not known; send 'Bearer KEY' or 'Basic NAME:PASSWORD'"),
        (f"Token {KEY}", "this scheme is not known"),
        (KEY, "no key was sent"),
        (f"Bearer {KEY}x", "the key is not valid"),
        (f"Bearer {KEY}, Bearer {LOCAL}", "the key is not valid"),
        ("Bearer é", "the key is not valid"),
        (basic("wrong"), "user or password is not right"),
        (basic("right", "eve"), "user or password is not right"),
        ("Basic !", "is not NAME:PASSWORD"),
        ("Bearer a.b.c", "the token is not valid: it"),
    ],
)
async def test_what_opens_nothing(door: Authenticator, header: str | None, message: str) -> None:
    """401, with what would do."""
    error = await refusal(door, header)
    assert isinstance(error, AuthenticationError)
    assert message in error.message


@pytest.mark.parametrize(
    ("methods", "header", "message"),
    [
        (["basic"], f"Bearer {KEY}", "API keys are not taken here; send 'Basic NAME:PASSWORD', the pair in base64"),
        (["api_key"], basic("right"), "passwords are not taken here; send 'Bearer KEY'"),
        (["api_key"], f"Bearer {token()}", "JWTs are not taken here; send 'Bearer KEY'"),
        (["jwt"], f"Bearer {KEY}", "API keys are not taken here; send 'Bearer TOKEN', a JWT"),
    ],
    ids=["key", "password", "token", "key where tokens are"],
)
async def test_a_method_that_is_not_listed_is_not_taken(
    ticks: Ticks, keys_file: Path, methods: list[str], header: str, message: str
) -> None:
    """However right the credential is; the local key always is taken."""
    door = opened(ticks, methods, keys_file)
    assert message in (await refusal(door, header)).message
    assert (await door.authenticate(f"Bearer {LOCAL}", HERE)).kind == "local"


def test_the_challenge_names_what_is_taken(ticks: Ticks, keys_file: Path) -> None:
    """So that a browser asks for a password only where one helps."""
    assert opened(ticks, ["jwt"], keys_file).challenges == "Bearer"
    assert opened(ticks, ["api_key", "basic"], keys_file).challenges == 'Bearer, Basic realm="autoglm"'


async def test_a_revoked_key_opens_nothing_from_the_next_snapshot_on(door: Authenticator) -> None:
    """Whatever its epoch: a database that was restored has a lower one."""
    assert (await door.authenticate(f"Bearer {KEY}", HERE)).kind == "key"
    door.update(Snapshot(epoch=1, users=KNOWN.users))
    assert (await refusal(door, f"Bearer {KEY}")).status == 401


async def test_a_key_expires_between_snapshots(door: Authenticator, ticks: Ticks) -> None:
    """By the replica's own clock, to the second."""
    door.update(Snapshot(keys=(key_of(KEY, expires=ticks.moment() + timedelta(seconds=10)),)))
    ticks.now = 9
    assert (await door.authenticate(f"Bearer {KEY}", HERE)).kind == "key"
    ticks.now = 10
    assert (await refusal(door, f"Bearer {KEY}")).status == 401


@pytest.mark.parametrize("users", [(), (user("changed"),)])
async def test_a_password_ends_with_its_user(door: Authenticator, users: tuple[UserView, ...]) -> None:
    """At once, though it was remembered."""
    await door.authenticate(basic("right"), HERE)
    door.update(Snapshot(epoch=8, users=users))
    assert (await refusal(door, basic("right"))).status == 401


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The hashes that argon2 compared with."""
    compared, verify = list[str](), PasswordHasher.verify
    monkeypatch.setattr(
        PasswordHasher, "verify", lambda self, stored, tried: compared.append(stored) or verify(self, stored, tried)
    )
    return compared


async def test_a_new_key_makes_no_password_forgotten(door: Authenticator, verified: list[str]) -> None:
    """Only a change among the users does, or each key made would cost every user an argon2 check."""
    await door.authenticate(basic("right"), HERE)
    door.update(KNOWN.model_copy(update={"epoch": 8, "keys": ()}))
    await door.authenticate(basic("right"), HERE)
    assert len(verified) == 1


async def test_every_bearer_value_takes_the_same_comparisons(
    door: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Local key or not, prefix known or not, JWT or not: two digests, two comparisons of 32 bytes."""
    digested, compared = list[str](), list[tuple[int, int]]()
    digest = secret.digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr(secret, "digest", lambda text: digested.append(text) or digest(text))
    monkeypatch.setattr(secret.hmac, "compare_digest", compare)
    tried = [LOCAL, KEY, KEY[:11] + "x" * 43, secret.new_secret(), "ag-wrong", "ag_", "x", token(), "a.b.c"]
    for number, credential in enumerate(tried):
        try:
            await door.authenticate(f"Bearer {credential}", f"10.0.1.{number}")
        except AuthenticationError:
            pass
    assert digested == [text for text in tried for _ in range(2)]
    assert compared == [(32, 32)] * 2 * len(tried)


async def test_an_unknown_user_takes_the_same_check(door: Authenticator, verified: list[str]) -> None:
    """argon2 runs once for each."""
    await refusal(door, basic("wrong"))
    await refusal(door, basic("wrong", "nobody"))
    assert len(verified) == 2


@pytest.mark.parametrize(
    "guess",
    [f"Bearer {KEY}x", "Bearer ag-wrong", "Bearer a.b.c", f"Bearer {token('two')}", basic("wrong")],
    ids=["key", "local key", "token", "forged token", "password"],
)
async def test_guesses_of_an_address_are_limited(door: Authenticator, ticks: Ticks, guess: str) -> None:
    """Then 429 with the seconds left; another address may still try, and this one after its minute."""
    assert [(await refusal(door, guess)).status for _ in range(5)] == [401, 401, 401, 429, 429]
    ticks.now = 20
    error = await refusal(door, guess)
    assert isinstance(error, RateLimitError)
    assert error.retry_after == 40
    assert (await refusal(door, guess, "10.0.0.2")).status == 401
    ticks.now = 60
    assert (await refusal(door, guess)).status == 401


async def test_a_guessing_neighbour_does_not_lock_the_others_out(door: Authenticator, verified: list[str]) -> None:
    """What cannot be guessed still passes; a password, which can, is not even tried."""
    await door.authenticate(basic("right"), HERE)
    for _ in range(3):
        await refusal(door, "Bearer guess")
    for credential in (LOCAL, KEY, token()):
        await door.authenticate(f"Bearer {credential}", HERE)
    for password in ("right", "wrong"):
        assert (await refusal(door, basic(password))).status == 429
    assert len(verified) == 1


async def test_what_is_no_guess_does_not_count(door: Authenticator) -> None:
    """A request without a credential, one of an unknown scheme, and a token that has expired."""
    for header in (None, "Digest x", f"Bearer {token(exp=NOW - 60)}"):
        assert [(await refusal(door, header)).status for _ in range(5)] == [401] * 5
    assert (await door.authenticate(basic("right"), HERE)).kind == "user"


async def test_tokens_wait_while_the_issuer_has_no_keys(keys_file: Path, ticks: Ticks) -> None:
    """503, which is nobody's failed attempt."""
    door = opened(ticks, ["jwt"], keys_file.with_name("not there yet"))
    for _ in range(5):
        assert isinstance(await refusal(door, f"Bearer {token()}"), UnavailableError)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what was being treated when it was raised, hidden or not."""
    while error is not None:
        yield error
        error = error.__context__


async def test_no_secret_is_shown(
    door: Authenticator, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in a repr, nor in an error and what stands behind it, nor in a log."""
    monkeypatch.setattr(logging.getLogger("ray.serve"), "propagate", True)
    expired, forged = token(exp=0), token("two")
    headers = [f"Bearer {KEY}x", f"Bearer {expired}", f"Bearer {forged}", basic("wr0ng"), "Basic wr0ng!"]
    shown = [repr(door), str(vars(door)), repr(KNOWN)]
    with caplog.at_level(logging.DEBUG):
        for number, header in enumerate(headers):
            error = await refusal(door, header, f"10.0.1.{number}")
            shown += ["".join(traceback.format_exception(error)), *map(repr, chain(error))]
        shown.append(str(vars(door)))
    secrets = [LOCAL, KEY, secret.digest(KEY).hex(), expired, forged, basic("wr0ng")[6:], "wr0ng", *HASHES.values()]
    assert [text for text in secrets if text in "".join([*shown, caplog.text])] == []


async def test_closing_ends_what_runs(door: Authenticator) -> None:
    """And can be done before anything ran."""
    await door.aclose()
