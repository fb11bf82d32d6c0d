"""What the SDK adds to a call, beside bare httpx and the openai package; and very many calls with faults.

python -m benchmarks.client [--calls N] [overhead|faults]
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

import httpx
import typer

from autoglm import AsyncAutoClient, AutoClient
from autoglm.client import Timeouts
from benchmarks import report
from benchmarks.mock_chat import mock_chat
from tests.autoglm.client.faulty_server import FaultyServer, outcome, random_plan
from tests.autoglm.client.swarm import End, async_swarm, sync_swarm

ROUNDS = 20
WARM_UP = 50
MESSAGES = [{"role": "user", "content": "What is the capital of France?"}]
KEY = "ag-benchmark"
SHARE = 0.2  # of attempts that fail
CONCURRENCY = 32

Call = Callable[[], object]


@contextmanager
def clients(base_url: str) -> Iterator[dict[str, Call]]:
    """The same call by each of them, over a connection that is kept; the answer is parsed by all."""
    from openai import OpenAI

    headers = {"authorization": f"Bearer {KEY}"}
    with (
        httpx.Client(headers=headers, timeout=600) as bare,
        OpenAI(base_url=base_url, api_key=KEY) as openai,
        AutoClient(KEY, base_url) as ours,
    ):
        url, payload = f"{base_url}/chat/completions", {"model": "chat", "messages": MESSAGES}
        yield {
            "httpx": lambda: bare.post(url, json=payload).json(),
            "open-autoglm": lambda: ours.chat(MESSAGES),
            "openai": lambda: openai.chat.completions.create(model="chat", messages=MESSAGES),  # type: ignore[arg-type]
        }


def mean_s(call: Call, calls: int) -> float:
    """Mean seconds of a call."""
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls


def overhead(calls: int) -> None:
    """Rounds of each client in turn, so that what else the machine does meets all of them alike."""
    with mock_chat() as base_url, clients(base_url) as competitors:
        for call in competitors.values():
            mean_s(call, WARM_UP)
        rounds = [{name: mean_s(call, calls // ROUNDS) for name, call in competitors.items()} for _ in range(ROUNDS)]
    rows = []
    for name in competitors:
        median = statistics.median(each[name] for each in rounds)
        ratio = statistics.median(each[name] / each["httpx"] for each in rounds)
        rows.append([name, f"{median * 1e6:.0f}", f"{ratio:.2f}"])
    versions = ", ".join(f"{name} {report.installed(name)}" for name in ("httpx", "openai"))
    title = f"chat, not streamed, {calls} calls in {ROUNDS} rounds, medians ({versions})"
    report.show(title, ["client", "µs a call", "of httpx"], rows)


def faults(calls: int) -> None:
    """Every call must end in its answer or its documented error, and none be done twice."""
    plan = random_plan(seed=11, share=SHARE)
    names = [str(number) for number in range(calls)]
    expected = [outcome(plan, name, 3) or f"label of {name}" for name in names]
    rows = []
    for kind, swarm in {"sync": _sync, "async": _async}.items():
        with FaultyServer(plan) as server:
            start = time.perf_counter()
            ends = swarm(server.base_url, names)
            wall = time.perf_counter() - start
        wrong = sum(end != wanted for end, wanted in zip(ends, expected, strict=True))
        answers = sum(isinstance(end, str) for end in ends)
        twice = sum(count > 1 for count in server.executed.values())
        rows.append([kind, *map(str, (answers, calls - answers, wrong, twice, len(server.requests))), f"{wall:.0f}"])
        typer.echo(f"{kind}: {dict(Counter(end.__name__ for end in ends if not isinstance(end, str)))}")
    columns = ["client", "answers", "documented errors", "wrong or lost", "done twice", "requests", "seconds"]
    report.show(f"{calls} calls, {SHARE:.0%} of attempts fail", columns, rows)


def _sync(base_url: str, names: list[str]) -> list[End]:
    with AutoClient(KEY, base_url, timeout=Timeouts(read=5.0)) as client:
        return sync_swarm(client, names, CONCURRENCY)


def _async(base_url: str, names: list[str]) -> list[End]:
    async def drive() -> list[End]:
        async with AsyncAutoClient(KEY, base_url, timeout=Timeouts(read=5.0)) as client:
            return await async_swarm(client, names, CONCURRENCY)

    return asyncio.run(drive())


def main(
    what: Annotated[Literal["overhead", "faults"], typer.Argument()] = "overhead",
    calls: Annotated[int, typer.Option(min=ROUNDS)] = 4000,
) -> None:
    """Measure the client's own time, or drive it through faults."""
    {"overhead": overhead, "faults": faults}[what](calls)


if __name__ == "__main__":
    typer.run(main)
