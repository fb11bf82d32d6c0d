"""Credentials: what is sent, when a token is renewed, and that secrets stay out of sight."""

from __future__ import annotations

import base64
import json
import logging
import os
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from autoglm import errors
from autoglm.client import JWT, ApiKey, Basic
from autoglm.client.auth import Credential
from autoglm.client.jwt import CallableToken, expiry
from autoglm.client.secret import Secret

pytestmark = pytest.mark.usefixtures("clean_environment")

Connect = Callable[..., Any]
HEALTHY = {"status": "ok"}


class Gate:
    """A server that takes one `Authorization` and keeps what it was sent."""

    def __init__(self, accepted: str = "") -> None:
        self.accepted = accepted
        self.sent: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request.headers["authorization"])
        if self.accepted and self.sent[-1] != self.accepted:
            return httpx.Response(401, json={"error": {"message": "expired"}})
        return httpx.Response(200, json=HEALTHY)


def token(name: str, exp: float | None = None) -> str:
    claims = {"sub": name} if exp is None else {"sub": name, "exp": exp}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


def test_a_user_and_a_password_are_sent_as_basic(connect: Connect) -> None:
    """RFC 7617's form, in UTF-8."""
    gate = Gate()
    connect(gate, auth=Basic("ann", "pä:ss")).health()
    assert gate.sent == ["Basic " + base64.b64encode("ann:pä:ss".encode()).decode()]


def test_a_fixed_token_is_sent_once_though_it_is_refused(connect: Connect) -> None:
    """There is no other to try."""
    gate = Gate("Bearer other")
    with pytest.raises(errors.AuthenticationError):
        connect(gate, auth=JWT.static("fixed")).health()
    assert gate.sent == ["Bearer fixed"]


def test_a_file_is_read_again_when_it_changes_and_not_otherwise(connect: Connect, tmp_path: Path) -> None:
    """A renewed token is used from the next call on, without a restart."""
    gate, file = Gate(), tmp_path / "token"
    file.write_text("one\n")
    os.utime(file, ns=(1, 1))
    client = connect(gate, auth=JWT.from_file(file))
    client.health()
    file.write_text("two\n")
    os.utime(file, ns=(1, 1))  # the same time: taken for unchanged
    client.health()
    os.utime(file, ns=(2, 2))
    client.health()
    assert gate.sent == ["Bearer one", "Bearer one", "Bearer two"]


def test_a_refused_token_is_looked_for_in_its_file_once_more(connect: Connect, tmp_path: Path) -> None:
    """A file system whose times are coarse hides a change; the 401 finds it."""
    gate, file = Gate("Bearer two"), tmp_path / "token"
    file.write_text("one")
    os.utime(file, ns=(1, 1))
    client = connect(gate, auth=JWT.from_file(file))
    gate.accepted = ""
    client.health()
    gate.accepted = "Bearer two"
    file.write_text("two")
    os.utime(file, ns=(1, 1))
    client.health()
    assert gate.sent == ["Bearer one", "Bearer one", "Bearer two"]


@pytest.mark.parametrize("content", [None, b"", b"two words", b"\xff"])
def test_a_file_without_a_token_is_named(connect: Connect, tmp_path: Path, content: bytes | None) -> None:
    """Absent, empty or something else: the message has the path, and not the content."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(errors.ConfigError, match=str(file)) as caught:
        connect(Gate(), auth=JWT.from_file(file)).health()
    assert "two words" not in str(caught.value)


def test_a_function_is_asked_before_the_token_expires() -> None:
    """A token that dies on the way to the server is renewed in time, one that lives is kept."""
    now, issued = [1000.0], iter([token("one", 1100), token("two", 1200)])
    source = CallableToken(lambda: next(issued), leeway_s=30, now=lambda: now[0])
    assert source.held() is None
    one = source.fetch()
    now[0] = 1069.9
    assert source.held() == one
    now[0] = 1070.0
    assert source.held() is None
    assert source.fetch(None) != one


def test_a_function_is_asked_once_more_on_a_401(connect: Connect) -> None:
    """A revoked token is replaced; a second refusal is the answer."""
    issued = iter(["one", "two", "three"])
    gate = Gate("Bearer two")
    client = connect(gate, auth=JWT.from_callable(lambda: next(issued)))
    client.health()
    client.health()
    assert gate.sent == ["Bearer one", "Bearer two", "Bearer two"]
    gate.accepted = "Bearer never"
    with pytest.raises(errors.AuthenticationError):
        client.health()
    assert gate.sent[3:] == ["Bearer two", "Bearer three"]


def test_threads_ask_for_a_new_token_once_together() -> None:
    """A fleet of threads must not storm the issuer."""
    asked, both = [], threading.Barrier(2)

    def issue() -> str:
        asked.append(1)
        return f"token-{len(asked)}"

    source = CallableToken(issue, leeway_s=30)
    stale = source.fetch()

    def renew() -> Secret:
        both.wait(30)
        return source.fetch(stale)

    with ThreadPoolExecutor(2) as pool:
        found = [future.result() for future in [pool.submit(renew) for _ in range(2)]]
    assert found[0] == found[1] != stale
    assert len(asked) == 2


def test_the_async_client_lets_others_run_while_it_waits_for_a_token() -> None:
    """A function that asks a server blocks a thread of its own, not the event loop."""
    import asyncio

    from autoglm.client import AsyncAutoClient

    async def main() -> None:
        released = threading.Event()

        def slow() -> str:
            assert released.wait(30)
            return "token"

        async def release() -> None:
            released.set()

        network = httpx.MockTransport(Gate())
        async with AsyncAutoClient(auth=JWT.from_callable(slow), transport=network) as client:
            answer, _ = await asyncio.gather(client.health(), release())
            assert answer.status == "ok"

    asyncio.run(main())


def test_what_the_function_raises_the_call_raises(connect: Connect) -> None:
    """Whatever it is: an iterator that ran out must not be taken for the end of an exchange."""
    issued = iter(())
    with pytest.raises(errors.ConfigError, match="StopIteration"):
        connect(Gate(), auth=JWT.from_callable(lambda: next(issued))).health()

    def unreachable() -> str:
        raise LookupError("issuer")

    with pytest.raises(LookupError, match="issuer"):
        connect(Gate(), auth=JWT.from_callable(unreachable)).health()


@pytest.mark.parametrize("opaque", ["opaque", "a.b.c", "a.!!.c", "e30.W10.x", token("no exp")])
def test_a_token_without_a_time_is_not_an_error(opaque: str) -> None:
    """It is renewed when it is refused."""
    assert expiry(Secret(opaque)) is None


SECRET = "s3cr3t-value"
ENDS: dict[str, Callable[[Any], None]] = {
    "refused": lambda request: request.answer({"error": {"message": "no"}}, 401),
    "cut": lambda request: request.cut(),
}
CREDENTIALS: dict[str, Callable[[Path], Credential]] = {
    "key": lambda _: ApiKey(SECRET),
    "basic": lambda _: Basic("ann", SECRET),
    "static": lambda _: JWT.static(SECRET),
    "file": lambda folder: JWT.from_file(_file(folder)),
    "callable": lambda _: JWT.from_callable(lambda: SECRET),
}


def _file(folder: Path) -> Path:
    path = folder / "token"
    path.write_text(SECRET)
    return path


@pytest.mark.parametrize("name", CREDENTIALS)
@pytest.mark.parametrize("end", ENDS)
def test_a_secret_is_in_no_repr_log_or_traceback(
    connect: Connect, server: Any, caplog: pytest.LogCaptureFixture, tmp_path: Path, name: str, end: str
) -> None:
    """Not even in a traceback that lists the local variables, as error trackers send them away."""
    caplog.set_level(logging.DEBUG)
    server.replies["/v1/models"] = ENDS[end]
    credential = CREDENTIALS[name](tmp_path)
    client = connect(base_url=server.base_url, auth=credential)
    with pytest.raises(errors.AutoGLMError) as caught:
        client.models()
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = "".join(report.format()) + caplog.text + repr(credential) + repr(vars(credential)) + repr(client)
    assert "models" in shown
    for form in (SECRET, base64.b64encode(f"ann:{SECRET}".encode()).decode()):
        assert form not in shown
    assert SECRET in server.requests[0].headers["authorization"] or name == "basic"


def test_a_key_and_a_credential_contradict_each_other(connect: Connect) -> None:
    """Which of two was meant is not guessed."""
    with pytest.raises(errors.ConfigError, match="auth: got one beside api_key"):
        connect(Gate(), api_key="a", auth=ApiKey("b"))


@pytest.mark.parametrize("user", ["", "a:b"])
def test_a_user_that_basic_cannot_carry_is_refused(user: str) -> None:
    """A colon would move a part of the name into the password."""
    with pytest.raises(errors.ConfigError, match="user"):
        Basic(user, "x")
