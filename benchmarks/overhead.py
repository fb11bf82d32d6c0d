"""What the router costs: a mock engine behind it, behind a bare Serve ingress, and Serve's hello world.

All three run in one cluster, behind one HAProxy, with one front replica each, and take turns; each figure is the median
of the rounds. Every prompt is another, at temperature 0: the router looks it up in its cache, in vain, and keeps the
answer.

python -m benchmarks.overhead [--rounds N]
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Annotated, Any

import typer

from autoglm.home import ensure_key
from benchmarks import report
from benchmarks.applications import AT_ONCE, application, cluster, mock_engine, router
from benchmarks.keep_alive import closed_loop, posts
from benchmarks.load import Run

OURS, BARE, HELLO = "open-autoglm", "Serve ingress + handle", "Serve hello world"
PATHS = {OURS: "/v1/chat/completions", BARE: "/bare/chat", HELLO: "/hello"}
LEVELS = {1: 150, 32: 800}  # concurrent clients: requests of a turn
WARM_UP = 400
TOKENS = 16
TIMEOUT_S = 30


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    name: str
    clients: int


CASES = [Case(name, clients) for clients, name in itertools.product(LEVELS, PATHS)]
Runs = dict[Case, list[Run]]


def requests() -> Iterator[dict[str, Any]]:
    """Chat requests without end, no two the same."""
    for number in itertools.count():
        messages = [{"role": "user", "content": f"({number}) What is the capital of France, and since when is it?"}]
        yield {"model": "chat", "messages": messages, "max_tokens": TOKENS, "temperature": 0}


def measure(url: str, case: Case, bodies: list[dict[str, Any]]) -> Run:
    """One turn. All get the same headers; only the router reads them."""
    url += PATHS[case.name]
    headers = {"authorization": f"Bearer {ensure_key()}", "x-request-timeout-s": str(TIMEOUT_S)}
    return closed_loop(url, posts(url, bodies, headers), case.clients)


def take_turns(rounds: int) -> Runs:
    """Every case, `rounds` times in turn."""
    runs: Runs = defaultdict(list)
    source = requests()
    route, engine = mock_engine()
    bare = application("bare", "benchmarks.hello:build_bare", AT_ONCE, "/bare")
    hello = application("hello", "benchmarks.hello:build_hello", {}, "/hello")
    with cluster(engine, bare, hello, router((route,))) as started:
        for name in PATHS:
            measure(started.url, Case(name, max(LEVELS)), list(itertools.islice(source, WARM_UP)))
        for _, case in itertools.product(range(rounds), CASES):
            runs[case].append(measure(started.url, case, list(itertools.islice(source, LEVELS[case.clients]))))
    return runs


def row(case: Case, runs: Runs) -> list[str]:
    """One line: medians over the rounds, and how each round lay to the bare ingress's of the same round."""
    base = runs[Case(BARE, case.clients)]
    share = median(run.rate / bare.rate for run, bare in zip(runs[case], base, strict=True))
    rate, half, tail = figures(runs[case])
    _, base_half, base_tail = figures(base)
    latencies = [f"{half:.2f}", f"{half - base_half:+.2f}", f"{tail:.2f}", f"{tail - base_tail:+.2f}"]
    return [str(case.clients), case.name, f"{rate:.0f}", f"{share:.0%}", *latencies]


def figures(runs: list[Run]) -> tuple[float, float, float]:
    """Requests a second, p50 and p99 in ms."""
    half, tail = (median(percentile(seconds(run), share) for run in runs) * 1e3 for share in (0.5, 0.99))
    return median(run.rate for run in runs), half, tail


def seconds(run: Run) -> list[float]:
    """Each request's, from sending to the last byte."""
    return [stream.done - stream.sent for stream in run.streams]


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of them lies."""
    return sorted(values)[int(share * len(values))]


def main(rounds: Annotated[int, typer.Option(help="Turns of each; figures are their medians.")] = 11) -> None:
    """Measure all in turn, and print one table."""
    runs = take_turns(rounds)
    columns = ["clients", "server", "requests/s", "of the bare ingress", "p50 ms", "added", "p99 ms", "added"]
    report.show(f"Router overhead, a mock engine, {rounds} rounds", columns, [row(case, runs) for case in CASES])


if __name__ == "__main__":
    typer.run(main)
