"""What memory keeps, and what it lets go."""

from __future__ import annotations

from deployments.router.cache.entry import Entry
from deployments.router.cache.memory import Memory
from tests.deployments.router.cache.engine import Clock, key


def entry(text: str, body: bytes = b"x", version: str = "v1") -> Entry:
    return Entry(key(text, version=version), "whole", (body,), {}, 0.0)


class Bench:
    def __init__(self, *, max_entries: int = 3, max_bytes: int = 10**9) -> None:
        self.clock = Clock()
        self.memory = Memory(max_entries=max_entries, max_bytes=max_bytes, clock=self.clock)

    def put(self, *texts: str, body: bytes = b"x", keep_s: float = 10) -> None:
        for text in texts:
            self.memory.put(entry(text, body), keep_s)

    def kept(self, texts: str) -> str:
        """Those that are there, looked up last to first, so that the first was used last."""
        return "".join(text for text in texts if self.memory.get(key(text)))


def test_the_least_recently_used_leaves_first() -> None:
    """Reading counts as use, and so does writing again."""
    bench = Bench()
    bench.put("a", "b", "c")
    bench.memory.get(key("a"))
    bench.put("b")
    bench.put("d")
    assert bench.kept("abcd") == "abd"


def test_an_entry_is_gone_when_its_time_is_over_and_its_bytes_with_it() -> None:
    """To the second, and not held for ever by nobody asking."""
    bench = Bench()
    bench.put("a")
    bench.clock.now += 9.9
    assert bench.kept("a")
    bench.clock.now += 0.1
    assert not bench.kept("a")
    assert (len(bench.memory), bench.memory.size) == (0, 0)


def test_the_bytes_of_all_entries_stay_under_their_bound() -> None:
    """Few large answers count for what they are; one larger than all there is drives out nothing."""
    bench = Bench(max_entries=100, max_bytes=10_000)
    bench.put(*"abcdef", body=bytes(2_000))
    assert bench.memory.size <= 10_000
    assert bench.kept("abcdef") == "def"
    bench.put("g", body=bytes(10_000))
    assert bench.kept("defg") == "def"


def test_a_key_written_again_counts_once() -> None:
    """Neither entries nor bytes drift."""
    bench = Bench()
    bench.put("a", "a", "a")
    once = entry("a").size
    assert (len(bench.memory), bench.memory.size) == (1, once)


def test_a_model_or_one_version_of_it_is_dropped() -> None:
    """And no other's answers."""
    memory = Bench(max_entries=9).memory
    for version in ("v1", "v2"):
        memory.put(entry("a", version=version), 10)
    memory.drop("other", None)
    memory.drop("chat", "v1")
    assert memory.get(key("a")) is None
    assert memory.get(key("a", version="v2")) is not None
    memory.drop("chat", None)
    assert (len(memory), memory.size) == (0, 0)


def test_a_key_is_all_of_its_fields() -> None:
    """Were two tenants' digests equal, their answers would still be apart."""
    memory = Bench().memory
    memory.put(entry("a"), 10)
    for field in ("tenant", "name", "version"):
        assert memory.get(key("a")._replace(**{field: "other"})) is None
