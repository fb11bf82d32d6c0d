"""Writing behind the answer: in batches, and with a bound to what can be lost."""

from __future__ import annotations

from deployments.router.cache import ANYTHING, CacheConfig, ResponseCache
from deployments.router.cache.write_back import BATCH, MAX_BYTES, MAX_ENTRIES
from tests.deployments.router.cache.engine import Engine, key, settled
from tests.deployments.router.cache.fake_store import FakeStore


class Bench:
    def __init__(self) -> None:
        self.store = FakeStore()
        self.cache = ResponseCache(CacheConfig(write="back"), remote=self.store)

    async def answer(self, *texts: str, body: bytes = b"{}") -> None:
        for text in texts:
            await self.cache.whole(key(text), ANYTHING, Engine(body).compute)
        await settled()


async def test_an_answer_does_not_wait_for_the_store_and_what_waits_is_written_in_batches() -> None:
    """One round trip for many, while the store is slow."""
    bench = Bench()
    await bench.answer("first")
    texts = [str(number) for number in range(BATCH + 1)]
    await bench.answer(*texts)
    assert bench.store.batches == [[key("first")]]
    bench.store.go.set()
    await settled()
    assert [len(batch) for batch in bench.store.batches] == [1, BATCH, 1]
    assert bench.store.written.keys() == {key(text) for text in ["first", *texts]}
    await bench.cache.aclose()


async def test_what_waits_is_bounded_in_number_and_bytes_and_the_rest_is_dropped_and_counted() -> None:
    """A store that hangs costs no more memory than said, and no answer."""
    bench = Bench()
    await bench.answer("under way", *(str(number) for number in range(MAX_ENTRIES + 5)))
    assert bench.cache.status().dropped_writes == 5
    large = Bench()
    await large.answer("under way", *(str(number) for number in range(20)), body=bytes(2**20 - 1))
    assert large.cache.status().dropped_writes == 20 - (MAX_BYTES // 2**20 - 1)
    for each in (bench, large):
        each.store.go.set()
        await each.cache.aclose()


async def test_what_a_store_that_is_down_did_not_take_is_counted() -> None:
    """Nothing is tried for ever."""
    bench = Bench()
    bench.store.is_down = True
    bench.store.go.set()
    await bench.answer("a", "b")
    assert (bench.cache.status().dropped_writes, bench.cache.status().remote) == (2, "down")


async def test_an_invalidation_takes_what_waits_too() -> None:
    """Else it would be written just after."""
    bench = Bench()
    await bench.answer("under way", "waiting")
    await bench.cache.invalidate("chat")
    bench.store.go.set()
    await settled()
    assert key("waiting") not in bench.store.written


async def test_the_end_of_the_process_writes_what_waits() -> None:
    """A rolling update loses nothing."""
    bench = Bench()
    await bench.answer("a", "b")
    bench.store.go.set()
    await bench.cache.aclose()
    assert bench.store.written.keys() == {key("a"), key("b")}
