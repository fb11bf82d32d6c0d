"""Prefix affinity: a prompt goes where its beginning was computed before, unless that replica is overloaded.

An engine keeps the attention keys and values of what it computed, in blocks, and does not compute a known beginning
again (vLLM's automatic prefix caching). Nothing is asked of the engines: each router remembers what it sent where, and
forgets in the order in which they do. Method: cache-aware routing as in SGLang's router and Preble (Srivatsa et al.,
2024), with the load bound of Mirrokni et al., "Consistent hashing with bounded loads" (2017).
Serve's own PrefixCacheAffinityRouter asks an actor with a blocking `ray.get` for every request.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import islice
from random import Random

BLOCK_CHARS = 256  # about 64 tokens: fine enough for a turn of a chat, and few to hash for a long prompt
MAX_BLOCKS = 512  # of one prompt: 131,072 characters, more than a request may bring by default
# Below this share of the prompt a match saves less than a good choice by load does: a system prompt that all requests
# share would else draw them all. SGLang takes 0.5, Serve 0.1; `benchmarks.affinity` gives 0.1 a little more hits.
LEAST_MATCH = 0.1
# A replica may have so many times the mean load before it is left to others. The paper shows 1.25 to be enough for
# balance; `benchmarks.affinity` gives 1.5 about a twelfth more hits at almost the same balance.
LOAD_FACTOR = 1.5
LIGHT_LOAD = 4  # requests that an engine batches without slowing any of them down much: below it, none is overloaded


def chain(prefix: str | Sequence[Hashable]) -> list[int]:
    """The hashes of a prompt's blocks, each covering all before it, so that equal hashes mean equal beginnings.

    A text is cut into blocks of `BLOCK_CHARS`; a sequence is taken as blocks already. At most `MAX_BLOCKS`.
    As in vLLM's prefix cache; of this process only, as Python salts its hashes.
    """
    hashes = []
    last = 0
    for block in islice(blocks(prefix), MAX_BLOCKS):
        last = hash((last, block))
        hashes.append(last)
    return hashes


def blocks(prefix: str | Sequence[Hashable]) -> Iterable[Hashable]:
    """What is hashed one by one."""
    if not isinstance(prefix, str):
        return prefix
    return (prefix[start : start + BLOCK_CHARS] for start in range(0, len(prefix), BLOCK_CHARS))


class PrefixIndex:
    """Which replica holds which blocks: the `capacity` that it was sent last, for each (least recently used go).

    About 200 bytes a block and replica. Not for threads.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held: dict[str, OrderedDict[int, None]] = {}
        self._holders: dict[int, set[str]] = {}

    def keep(self, replicas: Iterable[str]) -> None:
        """The replicas that there are now; those that are gone took their caches with them."""
        for replica in self._held.keys() - set(replicas):
            for block in self._held.pop(replica):
                self._drop(block, replica)

    def size(self, replica: str) -> int:
        """Blocks that it holds."""
        return len(self._held.get(replica, ()))

    def sent(self, hashes: Sequence[int], replica: str) -> None:
        """A prompt went to a replica. Its end counts as older than its beginning, which others may share."""
        held = self._held.setdefault(replica, OrderedDict())
        for block in reversed(hashes):
            held[block] = None
            held.move_to_end(block)
            self._holders.setdefault(block, set()).add(replica)
        while len(held) > self._capacity:
            self._drop(held.popitem(last=False)[0], replica)

    def longest(self, hashes: Sequence[int], replicas: Iterable[str]) -> tuple[set[str], int]:
        """Those of `replicas` that hold the longest beginning, and its length in blocks; (none, 0) without any."""
        best: set[str] = set()
        depth = 0
        left = set(replicas)
        for block in hashes:
            left &= self._holders.get(block, set())
            if not left:
                break
            best, depth = set(left), depth + 1
        return best, depth

    def _drop(self, block: int, replica: str) -> None:
        holders = self._holders[block]
        holders.discard(replica)
        if not holders:
            del self._holders[block]


class PrefixAffinity:
    """The policy: the longest match among replicas that are not overloaded, else power of two choices."""

    def __init__(self, capacity: int, rng: Random) -> None:
        self._index = PrefixIndex(capacity)
        self._rng = rng

    def keep(self, replicas: Iterable[str]) -> None:
        """The replicas that there are now."""
        self._index.keep(replicas)

    def sent(self, hashes: Sequence[int], replica: str) -> None:
        """Where the prompt went in the end."""
        self._index.sent(hashes, replica)

    def choose(self, hashes: Sequence[int], loads: Mapping[str, int]) -> str:
        """One of `loads` (at least one), which says how many requests each replica has under way."""
        fit = self._not_overloaded(loads)
        best, depth = self._index.longest(hashes, fit)
        if depth and depth >= LEAST_MATCH * len(hashes):
            return self._least(best, loads)
        return self._least(self._rng.sample(fit, min(2, len(fit))), loads)

    def _not_overloaded(self, loads: Mapping[str, int]) -> list[str]:
        """Never none: one has no more than the mean."""
        mean = (sum(loads.values()) + 1) / len(loads)
        bound = max(LIGHT_LOAD, LOAD_FACTOR * mean)
        return [replica for replica, load in loads.items() if load < bound]

    def _least(self, replicas: Iterable[str], loads: Mapping[str, int]) -> str:
        """By load, then by what it holds, then by lot."""
        return min(replicas, key=lambda replica: (loads[replica], self._index.size(replica), self._rng.random()))
