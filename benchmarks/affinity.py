"""What prefix affinity gives: Mooncake's conversation trace, replayed on simulated replicas with caches of their own.

python -m benchmarks.affinity [--data FOLDER]

A replica keeps the blocks of 512 tokens that it saw last, as an engine does, and is asked of each prompt how many
blocks at its beginning it knows. Time is the trace's own; the policy is the router's own code.
"""

from __future__ import annotations

import heapq
import itertools
import json
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from benchmarks import report
from benchmarks.corpus import DATA
from deployments.router.balancing.prefix import PrefixAffinity, chain

REPLICAS = 8
BLOCK_TOKENS = 512  # of the trace's hash_ids
# 3,000 blocks are 1.5 million tokens: what a node of 8 GPUs of 80 GB has left beside a 70B model in 16 bits, at
# 320 KiB a token (80 layers, 8 key-value heads of 128). A third of it, and three times as much for a cache that reaches
# into the host's memory.
CACHE_BLOCKS = (1_000, 3_000, 10_000)
# How fast a replica is only decides how many requests are under way: with these, 5 on each in the mean.
PREFILL_TOKENS_PER_S = 8_000
SECONDS_PER_OUTPUT_TOKEN = 0.03

Choose = Callable[["Prompt", Mapping[str, int]], str]  # (prompt, requests under way on each replica) -> replica


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request of the trace."""

    arrival_s: float
    output_tokens: int
    blocks: Sequence[int]

    @property
    def conversation(self) -> int:
        """Its second block: the first is the system prompt of nearly all, and a conversation's turns share the next."""
        return self.blocks[min(1, len(self.blocks) - 1)]


class EngineCache:
    """The blocks that a replica saw last; the end of a prompt goes before its beginning, as in vLLM."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._blocks: OrderedDict[int, None] = OrderedDict()

    def take(self, blocks: Sequence[int]) -> int:
        """How many blocks of the beginning were there; all are afterwards."""
        known = sum(1 for _ in itertools.takewhile(self._blocks.__contains__, blocks))
        for block in reversed(blocks):
            self._blocks[block] = None
            self._blocks.move_to_end(block)
        while len(self._blocks) > self._capacity:
            self._blocks.popitem(last=False)
        return known


@dataclass(frozen=True, slots=True)
class Result:
    """`imbalance` is max / mean over the replicas: of requests, of seconds of work, of what is under way at a time."""

    hit_rate: float
    requests_imbalance: float
    work_imbalance: float
    under_way_imbalance: float


def prompts(folder: Path) -> list[Prompt]:
    """The trace, in its order."""
    with (folder / "mooncake_conversation_trace.jsonl").open() as file:
        rows = [json.loads(line) for line in file]
    return [Prompt(row["timestamp"] / 1000, row["output_length"], row["hash_ids"]) for row in rows]


def replay(trace: Sequence[Prompt], choose: Choose, cache_blocks: int) -> Result:
    """Send every prompt where the policy says, when the trace says."""
    caches = {f"replica-{number}": EngineCache(cache_blocks) for number in range(REPLICAS)}
    under_way, requests, work = (dict.fromkeys(caches, 0.0) for _ in range(3))
    ends: list[tuple[float, str]] = []
    hits = 0
    crowding: list[float] = []
    for prompt in trace:
        while ends and ends[0][0] <= prompt.arrival_s:
            under_way[heapq.heappop(ends)[1]] -= 1
        replica = choose(prompt, {name: int(count) for name, count in under_way.items()})
        known = caches[replica].take(prompt.blocks)
        seconds = duration(prompt, known)
        heapq.heappush(ends, (prompt.arrival_s + seconds, replica))
        hits += known
        under_way[replica] += 1
        requests[replica] += 1
        work[replica] += seconds
        crowding.append(imbalance(under_way) if sum(under_way.values()) >= REPLICAS else 1.0)
    total = sum(len(prompt.blocks) for prompt in trace)
    return Result(hits / total, imbalance(requests), imbalance(work), sum(crowding) / len(crowding))


def duration(prompt: Prompt, known: int) -> float:
    """Seconds that a replica takes, whatever else it does."""
    computed = (len(prompt.blocks) - known) * BLOCK_TOKENS
    return computed / PREFILL_TOKENS_PER_S + prompt.output_tokens * SECONDS_PER_OUTPUT_TOKEN


def imbalance(shares: Mapping[str, float]) -> float:
    """The largest share over the mean one."""
    return max(shares.values()) * len(shares) / sum(shares.values())


def round_robin() -> Choose:
    """One after the other."""
    turns = itertools.count()
    return lambda prompt, loads: list(loads)[next(turns) % len(loads)]


def power_of_two() -> Choose:
    """The less loaded of two."""
    rng = Random(0)
    return lambda prompt, loads: min(rng.sample(list(loads), 2), key=loads.__getitem__)


def by_conversation() -> Choose:
    """What consistent hashing on a session gives as long as no replica comes or goes."""
    return lambda prompt, loads: list(loads)[zlib.crc32(str(prompt.conversation).encode()) % len(loads)]


def prefix_affinity(cache_blocks: int) -> Choose:
    """The router's policy, told how much a replica holds."""
    affinity = PrefixAffinity(cache_blocks, Random(0))

    def choose(prompt: Prompt, loads: Mapping[str, int]) -> str:
        hashes = chain(prompt.blocks)
        replica = affinity.choose(hashes, loads)
        affinity.sent(hashes, replica)
        return replica

    return choose


def rows(trace: Sequence[Prompt], cache_blocks: int) -> list[list[str]]:
    """Every policy with caches of one size."""
    policies = {
        "round robin": round_robin(),
        "power of two choices": power_of_two(),
        "hash of the conversation": by_conversation(),
        "prefix affinity": prefix_affinity(cache_blocks),
    }
    found = {name: replay(trace, choose, cache_blocks) for name, choose in policies.items()}
    base = found["round robin"].hit_rate
    return [
        [
            f"{cache_blocks:,}",
            name,
            f"{result.hit_rate:.1%}",
            f"{result.hit_rate / base:.2f}x",
            f"{result.requests_imbalance:.2f}",
            f"{result.work_imbalance:.2f}",
            f"{result.under_way_imbalance:.2f}",
        ]
        for name, result in found.items()
    ]


def main(data: Annotated[Path, typer.Option(help="The folder of the trace.")] = DATA) -> None:
    """Replay with each size and print one table."""
    trace = prompts(data)
    # One replica that forgets nothing: no policy can hit more.
    cache = EngineCache(sum(len(prompt.blocks) for prompt in trace))
    bound = sum(cache.take(prompt.blocks) for prompt in trace) / sum(len(prompt.blocks) for prompt in trace)
    columns = ["blocks a replica", "policy", "hit rate", "of round robin", "requests", "work", "under way"]
    title = f"{len(trace):,} prompts on {REPLICAS} replicas; last three: max/mean; at most {bound:.1%} can hit"
    report.show(title, columns, [row for size in CACHE_BLOCKS for row in rows(trace, size)])


if __name__ == "__main__":
    typer.run(main)
