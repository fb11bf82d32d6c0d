"""Answers in a real Redis: shared, bounded, killed, brought back, and never trusted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from deployments.router.cache import ANYTHING, Answer, CacheConfig, Key, ResponseCache
from deployments.router.cache.entry import Entry, encode
from deployments.router.cache.outage import RETRY_S
from deployments.router.cache.redis import HEADER_BYTES, RedisStore, path_of
from tests.deployments.router.cache.engine import STREAM, Clock, Engine, drained, key
from tests.deployments.router.cache.redis_server import RedisServer


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


class Replica:
    """One router replica's cache in front of a Redis; its store's clock stands still unless the test moves it."""

    def __init__(self, url: str, engine: Engine, timeout_s: float = 30.0) -> None:
        self.config = CacheConfig(backend=url)
        self.time, self.monotonic = Clock(), Clock()
        self.store = RedisStore(
            url, max_entry_bytes=self.config.max_entry_bytes, timeout_s=timeout_s, monotonic=self.monotonic
        )
        self.cache = ResponseCache(self.config, remote=self.store, clock=self.time)
        self.engine = engine

    async def ask(self, at: Key | None = None) -> Answer[bytes]:
        return await self.cache.whole(at or key(), ANYTHING, self.engine.compute)


@pytest.fixture
async def pair(server: RedisServer) -> AsyncIterator[tuple[Replica, Replica]]:
    """Two replicas of one engine's model."""
    engine = Engine(b"{}")
    replicas = (Replica(server.url, engine), Replica(server.url, engine))
    yield replicas
    for replica in replicas:
        await replica.cache.aclose()


@pytest.fixture
async def raw(server: RedisServer) -> AsyncIterator[Redis]:
    """The same Redis, without the store."""
    async with Redis.from_url(server.url) as client:
        yield client


async def test_what_one_replica_computed_another_serves(pair: tuple[Replica, Replica]) -> None:
    """Whole and streamed, meta and age with it, and for at most as long as it may be kept."""
    first, second = pair
    await first.ask()
    second.time.now += 5
    assert await second.ask() == Answer(b"{}", "hit", 5.0, {"tokens": 1})
    streaming = Engine(*STREAM)
    for replica, state in zip(pair, ("miss", "hit"), strict=True):
        answer = await replica.cache.stream(key(stream=True), ANYTHING, streaming.start)
        assert (answer.state, await drained(answer.body)) == (state, STREAM)
    assert (first.engine.calls, streaming.calls) == (1, 1)


async def test_the_server_lets_an_answer_go_when_it_is_no_fallback_any_more(
    pair: tuple[Replica, Replica], raw: Redis
) -> None:
    """Nothing of ours stays in Redis for ever."""
    await pair[0].ask()
    left = await raw.pttl(path_of(key()))
    assert 0 < left <= pair[0].config.kept_s * 1000


async def test_a_thousand_requests_for_what_redis_has_are_one_question_to_it(
    pair: tuple[Replica, Replica], raw: Redis
) -> None:
    """A flight covers the way to Redis too."""
    await pair[0].ask()
    await raw.config_resetstat()
    answers = await asyncio.gather(*(pair[1].ask() for _ in range(1_000)))
    assert {answer.state for answer in answers} == {"hit"}
    assert (await raw.info("commandstats"))["cmdstat_getrange"]["calls"] == 1


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\x80\x04\x95",
        encode(Entry(key(), "whole", (b"{}",), {}, 1.0))[:-1],
        encode(Entry(key(tenant="b"), "whole", (b"another tenant's",), {}, 1_000_000.0)),
        bytes(4 * HEADER_BYTES),
    ],
)
async def test_a_value_that_is_no_entry_of_its_key_is_a_miss_and_removed(
    pair: tuple[Replica, Replica], raw: Redis, value: bytes
) -> None:
    """Nothing that Redis says is taken at its word: rubbish, a cut value, another tenant's answer."""
    await raw.set(path_of(key()), value)
    assert await pair[0].store.get(key()) is None
    assert not value or not await raw.exists(path_of(key()))
    assert (await pair[0].ask()).state == "miss"


async def test_a_models_answers_are_dropped_and_no_others(pair: tuple[Replica, Replica], raw: Redis) -> None:
    """By version and by name, also of names that hold the wildcards of a search."""
    odd = key()._replace(name="ch*t")
    for at in (key(), key("x"), key(version="v2"), odd):
        await pair[0].ask(at)
    await pair[0].cache.invalidate("ch*t")
    assert await raw.dbsize() == 3
    await pair[0].cache.invalidate("chat", "v1")
    assert await raw.keys() == [path_of(key(version="v2")).encode()]
    assert (await pair[0].ask()).state == "miss"


async def test_no_request_fails_while_redis_is_gone_and_it_is_used_again_when_it_is_back(
    server: RedisServer, pair: tuple[Replica, Replica]
) -> None:
    """Killed in the middle, with its connections open."""
    first, second = pair
    await first.ask(key("before"))
    server.kill()
    assert (await first.ask(key("during"))).state == "miss"
    assert (await first.ask(key("during"))).state == "hit"
    assert first.cache.status().remote == "down"
    await first.cache.invalidate("chat")
    server.start()
    first.monotonic.now += RETRY_S
    assert (await first.ask(key("after"))).state == "miss"
    assert first.cache.status().remote == "up"
    assert (await second.ask(key("after"))).state == "hit"


async def test_an_outage_is_told_once_and_costs_one_question_at_a_time(
    server: RedisServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests do not queue up at a dead server, and do not fill the log."""
    monkeypatch.setattr(logging.getLogger("ray.serve"), "propagate", True)
    replica = Replica(server.url, Engine(b"{}"), timeout_s=0.05)
    server.stop()  # a refused connection would fail before the next request is looked at
    await replica.ask(key("first"))
    asked: list[Key] = []
    get = replica.store._redis.getrange
    monkeypatch.setattr(replica.store._redis, "getrange", lambda *words: (asked.append(words[0]), get(*words))[1])
    await asyncio.gather(*(replica.ask(key(str(number))) for number in range(100)))
    assert asked == []
    replica.monotonic.now += RETRY_S
    await asyncio.gather(*(replica.ask(key(str(number))) for number in range(100, 200)))
    assert len(asked) == 1
    # Ray, where another test has set it up, lets a record reach pytest twice.
    assert len({id(record) for record in caplog.records if "served without it" in record.getMessage()}) == 1
    await replica.cache.aclose()


async def test_the_password_is_not_logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place of a server is told without who logs in."""
    monkeypatch.setattr(logging.getLogger("ray.serve"), "propagate", True)
    caplog.set_level(logging.DEBUG)
    replica = Replica("redis://user:hunter2@127.0.0.1:1/0", Engine(b"{}"))
    assert (await replica.ask()).state == "miss"
    assert "127.0.0.1:1" in caplog.text
    assert "hunter2" not in caplog.text
    await replica.cache.aclose()
