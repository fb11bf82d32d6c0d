"""What is served from where, how old it may be, and to whom."""

from __future__ import annotations

import asyncio
import itertools
import random
from unicodedata import normalize

import pytest

from autoglm.errors import APIStatusError, NotFoundError, UnprocessableEntityError, UpstreamError
from deployments.router.cache import ANYTHING, Answer, CacheConfig, CacheDirectives, Key, ResponseCache, key_of
from deployments.router.cache.tiers import NEAR_S
from tests.deployments.router.cache.engine import DONE, STREAM, Clock, Engine, drained, key, settled
from tests.deployments.router.cache.fake_store import FakeStore

PAYLOAD = {"messages": [{"role": "user", "content": "hi"}], "temperature": 0}
NO_STORE, NO_CACHE = CacheDirectives(no_store=True), CacheDirectives(no_cache=True)


class Bench:
    """A cache with a clock that the test moves, in front of one engine."""

    def __init__(self, engine: Engine | None = None, *, store: FakeStore | None = None, **config: object) -> None:
        self.clock = Clock()
        self.engine = engine or Engine(b"{}")
        self.cache = ResponseCache(CacheConfig.model_validate(config), remote=store, clock=self.clock)

    async def ask(self, directives: CacheDirectives = ANYTHING, at: Key | None = None) -> Answer[bytes]:
        return await self.cache.whole(at or key(), directives, self.engine.compute)

    async def states(self, *directives: CacheDirectives) -> list[str]:
        return [(await self.ask(each)).state for each in directives]


async def test_a_second_request_gets_the_same_bytes_their_meta_and_their_age() -> None:
    """A hit encodes nothing again, and the surface knows from it whom to name and what to meter."""
    bench = Bench()
    first = await bench.ask()
    bench.clock.now += 7
    second = await bench.ask()
    assert first == Answer(b"{}", "miss", 0.0, {"tokens": 1})
    assert second == Answer(b"{}", "hit", 7.0, {"tokens": 1})
    assert second.body is first.body


async def test_a_streams_hit_is_a_stream_of_the_same_events() -> None:
    """Recorded while it was passed on."""
    bench = Bench(Engine(*STREAM))
    for state in ("miss", "hit"):
        answer = await bench.cache.stream(key(stream=True), ANYTHING, bench.engine.start)
        assert (answer.state, answer.meta) == (state, {"tokens": 3})
        assert await drained(answer.body) == STREAM
    assert bench.engine.calls == 1


@pytest.mark.parametrize(
    ("script", "is_kept"),
    [
        (STREAM, True),
        ([b'data: {"content":"\\"error\\""}\n\n', DONE], True),
        ([b'data: {"token":"error"}\n\n', b'data: {"x":1}\n\n' + DONE], True),
        (STREAM[:-1], False),
        ([STREAM[0], b'data: {"error": {"message": "x"}}\n\n', DONE], False),
        ([STREAM[0], b'data: {"x":1}\n\ndata: { "a": 1, "error" : {}}\n\n', DONE], False),
        ([b'data: "error" no JSON\n\n', DONE], False),
        ([], False),
    ],
)
async def test_only_a_stream_that_came_to_a_good_end_is_kept(script: list[bytes], is_kept: bool) -> None:
    """A cut or failed answer must not be repeated to others; a text about errors is none."""
    bench = Bench(Engine(*script))
    body = (await bench.cache.stream(key(stream=True), ANYTHING, bench.engine.start)).body
    assert await drained(body) == script
    assert (bench.cache.status().entries == 1) is is_kept


async def test_what_stood_in_for_the_model_and_what_is_too_large_is_passed_on_and_not_kept() -> None:
    """A degraded answer lasts no longer than the outage."""
    for bench in (Bench(Engine(b"{}", storable=False)), Bench(Engine(b"long"), max_entry_bytes=3)):
        assert await bench.states(ANYTHING, ANYTHING) == ["miss", "miss"]
        assert bench.cache.status().entries == 0


@pytest.mark.parametrize(
    ("directives", "state", "next_state"),
    [(NO_STORE, "bypass", "miss"), (NO_CACHE, "miss", "hit"), (CacheDirectives(max_age_s=0), "miss", "hit")],
)
async def test_what_a_request_says_of_keeping_is_done(directives: CacheDirectives, state: str, next_state: str) -> None:
    """On an empty cache: no-store leaves nothing behind, the others do."""
    assert await Bench().states(directives, ANYTHING) == [state, next_state]


async def test_what_a_request_says_of_reading_is_done() -> None:
    """no-store and no-cache read nothing; max-age reads what is young enough, and replaces what is not."""
    bench = Bench()
    await bench.ask()
    bench.clock.now += 10
    assert await bench.states(NO_STORE, CacheDirectives(max_age_s=10)) == ["bypass", "hit"]
    assert await bench.states(CacheDirectives(max_age_s=9), CacheDirectives(max_age_s=0)) == ["miss", "hit"]
    assert await bench.states(NO_CACHE, ANYTHING) == ["miss", "hit"]


async def test_a_request_that_wants_it_computed_anew_does_not_join_what_runs() -> None:
    """What was begun before it asked is not new."""
    go = asyncio.Event()
    bench = Bench(Engine(go, b"{}"))
    tasks = [asyncio.create_task(bench.ask(each)) for each in (ANYTHING, NO_CACHE, NO_STORE, ANYTHING)]
    await settled()
    assert bench.engine.calls == 3
    go.set()
    await asyncio.gather(*tasks)


async def test_nothing_is_kept_or_shared_without_a_key_or_with_the_cache_off() -> None:
    """Samples differ, and who turned it off has it off."""
    off = Bench(enabled=False)
    assert await off.states(ANYTHING, ANYTHING) == ["bypass", "bypass"]
    answer = await off.cache.whole(None, ANYTHING, off.engine.compute)
    stream = await Bench().cache.stream(None, ANYTHING, Engine(*STREAM).start)
    assert (answer.state, stream.state, await drained(stream.body)) == ("bypass", "bypass", STREAM)


async def test_an_answer_past_its_ttl_is_computed_again_but_kept_as_a_fallback() -> None:
    """Fallbacks have a bound too, their own and the configured one."""
    bench = Bench(ttl_s=10, keep_stale_s=100)
    await bench.ask()
    bench.clock.now += 10.5
    fallback = await bench.cache.stale(key(), 60)
    assert fallback is not None
    assert (fallback.body, fallback.age_s) == (b"{}", 10.5)
    assert await bench.cache.stale(key(), 10) is None
    assert await bench.cache.stale_stream(key(), 60) is None
    bench.clock.now += 100
    assert await bench.cache.stale(key(), 1_000) is None
    assert (await bench.ask()).state == "miss"
    bench = Bench(ttl_s=10, stale_s=1_000, keep_stale_s=5)
    await bench.ask()
    bench.clock.now += 16
    assert await bench.cache.stale(key(), 1_000) is None


async def test_a_stale_answer_is_served_at_once_while_one_flight_computes_it_anew() -> None:
    """However many ask, and though none of them waits for it."""
    bench = Bench(ttl_s=10, stale_s=10)
    await bench.ask()
    bench.clock.now += 11
    go = asyncio.Event()
    bench.engine.script = [go, b"new"]
    assert [(await bench.ask()).body for _ in range(5)] == [b"{}"] * 5
    await settled()
    assert bench.engine.calls == 2
    go.set()
    await settled()
    assert (await bench.ask()).body == b"new"
    assert bench.cache.status().stale_hits == 5


async def test_a_refresh_that_fails_leaves_the_stale_answer_and_is_tried_again() -> None:
    """Until it is too old to be served."""
    bench = Bench(ttl_s=10, stale_s=10)
    await bench.ask()
    bench.clock.now += 11
    bench.engine.script = [UpstreamError("died")]
    for calls in (2, 3):
        assert (await bench.ask()).body == b"{}"
        await settled()
        assert bench.engine.calls == calls
    assert bench.cache.status().failed_refreshes == 2
    bench.clock.now += 10
    with pytest.raises(UpstreamError):
        await bench.ask()


async def test_a_refresh_goes_on_when_one_who_joined_it_leaves() -> None:
    """It was nobody's to begin with."""
    bench = Bench(ttl_s=10, stale_s=10)
    await bench.ask()
    bench.clock.now += 11
    go = asyncio.Event()
    bench.engine.script = [go, b"new"]
    await bench.ask()
    bench.clock.now += 10
    joined = asyncio.create_task(bench.ask())
    await settled()
    joined.cancel()
    await settled()
    go.set()
    await settled()
    assert (await bench.ask(), bench.engine.calls) == (Answer(b"new", "hit", 0.0, {"tokens": 2}), 2)


async def test_an_answer_from_the_future_is_not_believed() -> None:
    """A clock that is set back must not make answers immortal."""
    bench = Bench()
    await bench.ask()
    bench.clock.now -= 3600
    assert await bench.states(ANYTHING) == ["miss"]


async def test_errors_are_kept_only_where_that_is_wanted_and_only_the_requests_own() -> None:
    """Negative caching is off by default; a dead replica is never remembered as the answer."""
    wanted: list[tuple[dict[str, object], APIStatusError, int]] = [
        ({}, NotFoundError("no such adapter"), 3),
        ({"negative_ttl_s": 5}, NotFoundError("no such adapter"), 1),
        ({"negative_ttl_s": 5}, UnprocessableEntityError("too long", param="input[0]"), 1),
        ({"negative_ttl_s": 5}, UpstreamError("died"), 3),
    ]
    for config, error, calls in wanted:
        bench = Bench(Engine(error), **config)
        for _ in range(3):
            with pytest.raises(type(error)) as caught:
                await bench.ask()
            assert (caught.value.message, caught.value.param) == (error.message, error.param)
        assert bench.engine.calls == calls
        bench.clock.now += 6
        bench.engine.script = [b"{}"]
        assert (await bench.ask()).body == b"{}"


async def test_a_kept_error_is_as_short_lived_in_the_store() -> None:
    """Another process's error lasts no longer than an own one, and unwanted ones are not written at all."""
    unwanted, wanted = FakeStore(), FakeStore()
    for store, config in ((unwanted, {}), (wanted, {"negative_ttl_s": 5})):
        store.go.set()
        bench = Bench(Engine(NotFoundError("no such adapter")), store=store, **config)
        with pytest.raises(NotFoundError):
            await bench.ask()
    assert (unwanted.batches, wanted.batches) == ([], [[key()]])
    other = Bench(store=wanted, negative_ttl_s=5)
    with pytest.raises(NotFoundError):
        await other.ask()
    other.clock.now += 6
    assert (await other.ask()).body == b"{}"


async def test_what_another_process_dropped_from_the_store_lives_on_for_moments_only() -> None:
    """Memory in front of a store keeps what it wrote and what it read for NEAR_S."""
    store = FakeStore()
    store.go.set()
    writer, reader, dropper = (Bench(store=store) for _ in range(3))
    assert [(await bench.ask()).state for bench in (writer, reader)] == ["miss", "hit"]
    await dropper.cache.invalidate("chat")
    for bench in (writer, reader):
        bench.clock.now += NEAR_S - 1
        assert (await bench.ask()).state == "hit"
        bench.clock.now += 1
    assert [(await bench.ask()).state for bench in (writer, reader)] == ["miss", "hit"]


async def test_a_store_that_answers_with_another_tenants_entry_is_not_believed() -> None:
    """Whatever led to it, the tenant is compared when it is read."""
    store = FakeStore()
    store.go.set()
    await Bench(Engine(b"of a"), store=store).ask()
    store.written = {key(tenant="b"): store.written[key()]}
    assert (await Bench(Engine(b"of b"), store=store).ask(at=key(tenant="b"))).body == b"of b"


async def test_an_invalidated_answer_is_gone_and_one_under_way_is_not_kept() -> None:
    """What the old weights are still saying must not outlive the call."""
    bench = Bench()
    await bench.ask()
    await bench.ask(at=key("x"))
    await bench.cache.invalidate("chat", "v2")
    assert bench.cache.status().entries == 2
    go = asyncio.Event()
    bench.engine.script = [go, b"old"]
    under_way = asyncio.create_task(bench.ask(at=key("y")))
    await settled()
    await bench.cache.invalidate("chat", "v1")
    go.set()
    assert (await under_way).body == b"old"
    assert bench.cache.status().entries == 0


async def test_another_tenants_answer_is_not_served_even_where_the_digests_are_equal() -> None:
    """Defence in depth: were the fingerprint broken, the key would still tell tenants apart, in flight as well."""
    go = asyncio.Event()
    bench, mine = Bench(Engine(go, b"of a")), key(tenant="a")
    first = asyncio.create_task(bench.ask(at=mine))
    await settled()
    bench.engine.script = [b"of b"]
    assert (await bench.ask(at=mine._replace(tenant="b"))).body == b"of b"
    go.set()
    assert (await first).body == b"of a"
    assert (await bench.ask(at=mine._replace(tenant="b"))).body == b"of b"


async def test_no_request_of_a_hundred_thousand_made_to_collide_gets_another_tenants_answer() -> None:
    """The same payload under tenants that are alike: prefixes, separators, normal forms, fields run together."""
    atoms = ["", "a", "A", "\u00e9", "\x00", ":", "/", "\ufb01", "a\u0301", "\ud83d", "\U0001f600", "1", "null", '"']
    pairs = ["".join(pair) for pair in itertools.product(atoms, repeat=2)]
    names = sorted({normalize(form, pair) for pair in pairs for form in ("NFC", "NFD", "NFKC", "NFKD")})
    callers = random.Random(4).sample(list(itertools.product(names, names, names[::40])), 20_000)
    cache = ResponseCache(CacheConfig(max_entries=len(callers)))
    digests, crossed = set[bytes](), 0
    for tenant, name, version in callers * 5:
        at = key_of(tenant=tenant, name=name, version=version, lane="stable", permissions="", payload=PAYLOAD)
        digests.add(at.digest)
        owner = repr((tenant, name, version)).encode()
        crossed += (await cache.whole(at, ANYTHING, Engine(owner).compute)).body != owner
    assert (crossed, len(digests), cache.status().hits) == (0, len(callers), 4 * len(callers))


def test_the_password_of_a_backend_is_in_no_representation() -> None:
    """Neither of a good configuration nor in the complaint about a bad one; and a dump keeps it, to be sent on."""
    good = CacheConfig(backend="redis://:hunter2@cache:6379/1")
    assert "hunter2" not in repr(good) + str(good)
    assert CacheConfig.model_validate_json(good.model_dump_json()) == good
    with pytest.raises(ValueError, match=r"redis://") as caught:
        CacheConfig(backend="redsi://:hunter2@cache:6379/1")
    assert "hunter2" not in str(caught.value)
