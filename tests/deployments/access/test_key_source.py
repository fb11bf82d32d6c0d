"""Keys that change while tokens come."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import httpx
import pytest

from autoglm.errors import UnavailableError
from deployments.access import key_source
from deployments.access.jwks import Algorithm
from deployments.access.key_source import FileKeys, KeySource, UrlKeys
from tests.deployments.access.issuer import jwk, jwks
from tests.deployments.access.key_server import KeyServer
from tests.deployments.access.ticks import Ticks

ALL: tuple[Algorithm, ...] = ("RS256", "ES256", "EdDSA")
ONE, TWO = jwks(jwk("one")), jwks(jwk("two"))


async def known(keys: KeySource, *kids: str) -> list[bool]:
    return [await keys.find(kid) is not None for kid in kids]


async def test_a_file_that_is_replaced_is_read_again(tmp_path: Path, ticks: Ticks) -> None:
    """Also by one of the same size and time, as a renamed link to a mounted secret may have."""
    path, other = tmp_path / "jwks.json", tmp_path / "new.json"
    path.write_bytes(ONE)
    keys = FileKeys(path, ALL, monotonic=ticks)
    assert await known(keys, "one", "two") == [True, False]
    other.write_bytes(TWO)
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)
    assert await known(keys, "one", "two") == [False, True]


async def test_a_file_is_read_only_when_it_changed(
    tmp_path: Path, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And every five minutes, in case a change left no mark; one that failed after ten seconds."""
    path, parsed = tmp_path / "jwks.json", list[bytes]()
    parse = key_source.parse
    monkeypatch.setattr(key_source, "parse", lambda document, names: parsed.append(document) or parse(document, names))
    path.write_bytes(ONE)
    keys = FileKeys(path, ALL, monotonic=ticks)
    for now, times in ((0, 1), (299, 1), (300, 2), (301, 2)):
        ticks.now = now
        await keys.find("one")
        assert len(parsed) == times
    path.write_bytes(b"not yet whole")
    for now, times in ((302, 3), (311, 3), (312, 4)):
        ticks.now = now
        assert await known(keys, "one") == [True]
        assert len(parsed) == times


@pytest.mark.parametrize("content", [None, b"{", jwks(jwk("two")) + b" " * key_source.MAX_BYTES])
async def test_a_file_that_is_none_leaves_the_last_good_one(
    tmp_path: Path, ticks: Ticks, content: bytes | None
) -> None:
    """Without any before it, tokens wait for one: 503, and a time."""
    path = tmp_path / "jwks.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnavailableError) as caught:
        await FileKeys(path, ALL, monotonic=ticks).find("two")
    assert caught.value.retry_after == 10
    path.write_bytes(ONE)
    keys = FileKeys(path, ALL, monotonic=ticks)
    assert await known(keys, "one") == [True]
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert await known(keys, "one") == [True]


async def test_a_url_is_fetched_once_for_all_who_wait(key_server: KeyServer, ticks: Ticks) -> None:
    """One flight, then from memory."""
    key_server.document = ONE
    key_server.gate.clear()
    keys = UrlKeys(key_server.url, ALL, monotonic=ticks)
    calls = [asyncio.create_task(known(keys, "one")) for _ in range(20)]
    await asyncio.to_thread(key_server.asked.wait)
    key_server.gate.set()
    assert await asyncio.gather(*calls) == [[True]] * 20
    await keys.find("one")
    assert len(key_server.paths) == 1


async def test_a_new_key_is_known_at_once_and_invented_ones_cause_no_storm(key_server: KeyServer, ticks: Ticks) -> None:
    """An id that is not among the keys causes a fetch, and the next at the earliest ten seconds later."""
    key_server.document = ONE
    keys = UrlKeys(key_server.url, ALL, monotonic=ticks)
    assert await known(keys, "one", *(f"invented {number}" for number in range(50))) == [True] + [False] * 50
    assert len(key_server.paths) == 1
    key_server.document = TWO
    ticks.now = 10
    assert await known(keys, "two", "one", "invented") == [True, False, False]
    assert len(key_server.paths) == 2


async def test_a_key_that_was_taken_away_is_refused_after_five_minutes(key_server: KeyServer, ticks: Ticks) -> None:
    """Without any token that asks for a new one."""
    key_server.document = ONE
    keys = UrlKeys(key_server.url, ALL, monotonic=ticks)
    await keys.find("one")
    key_server.document = TWO
    ticks.now = 299
    assert await known(keys, "one") == [True]
    ticks.now = 300
    assert await known(keys, "one") == [False]
    assert len(key_server.paths) == 2


@pytest.mark.parametrize("fault", ["status", "json", "size", "redirect", "refused"])
async def test_a_url_that_fails_leaves_the_last_good_set(
    key_server: KeyServer, ticks: Ticks, fault: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged, tried again after ten seconds, and a redirect is not followed anywhere."""
    monkeypatch.setattr(key_source.logger, "propagate", True)
    key_server.document = ONE
    keys = UrlKeys(key_server.url, ALL, monotonic=ticks)
    await keys.find("one")
    if fault == "status":
        key_server.status = 500
    elif fault == "json":
        key_server.document = b"<html>"
    elif fault == "size":
        key_server.document = TWO + b" " * key_source.MAX_BYTES
    elif fault == "redirect":
        key_server.status, key_server.location, key_server.document = 302, "/elsewhere", TWO
    else:
        monkeypatch.setattr(keys, "_transport", httpx.MockTransport(refuse))
    ticks.now = 300
    with caplog.at_level(logging.WARNING, logger="ray.serve"):
        assert await known(keys, "one", "two") == [True, False]
    assert "cannot be used, the keys of before stay" in caplog.text
    # Ray, where another test has set it up, lets a record reach pytest twice.
    assert len({id(record) for record in caplog.records if record.levelno == logging.WARNING}) == 1
    assert "/elsewhere" not in key_server.paths
    key_server.status, key_server.document = 200, TWO
    monkeypatch.setattr(keys, "_transport", None)
    ticks.now = 310
    assert await known(keys, "one", "two") == [False, True]


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


async def test_before_the_first_set_tokens_wait(key_server: KeyServer, ticks: Ticks) -> None:
    """503 and not 401: they may well be good. The issuer is asked once in ten seconds."""
    key_server.status = 503
    keys = UrlKeys(key_server.url, ALL, monotonic=ticks)
    for _ in range(3):
        with pytest.raises(UnavailableError, match="issuer's keys could not be read") as caught:
            await keys.find("one")
        assert caught.value.retry_after == 10
    assert len(key_server.paths) == 1
    key_server.status, key_server.document = 200, ONE
    ticks.now = 10
    assert await known(keys, "one") == [True]


async def test_a_url_that_hangs_holds_no_token_up_for_long(
    key_server: KeyServer, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known keys open meanwhile; the fetch ends with its owner."""
    monkeypatch.setattr(key_source, "PATIENCE_S", 0)
    key_server.document = ONE
    keys = UrlKeys(key_server.url, ALL, monotonic=ticks)
    await keys.find("one")
    key_server.gate.clear()
    ticks.now = 300
    assert await known(keys, "one", "one") == [True, True]
    flight = keys._flight
    assert flight is not None
    assert not flight.done()
    await keys.aclose()
    assert flight.cancelled()


async def test_a_fetch_that_takes_too_long_is_given_up(ticks: Ticks, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a whole: a server that drips keeps within the time of each read."""
    monkeypatch.setattr(key_source, "TIMEOUT_S", 0.01)
    with pytest.raises(UnavailableError):
        await UrlKeys("https://issuer/", ALL, monotonic=ticks, transport=httpx.MockTransport(drip)).find("one")


async def drip(request: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError("it was not given up")
