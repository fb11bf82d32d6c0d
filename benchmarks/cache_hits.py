"""What a cache hit costs through HTTP, at one client: beside what it saves, and beside Serve's hello world.

All run in one cluster, behind one HAProxy, and take turns; each figure is the median of the rounds. The sentiment model
reads two of SST-2's dev sentences, the one of median length and the longest, since what it takes grows with the length
and a hit does not.

python -m benchmarks.cache_hits [--data FOLDER] [--rounds N]
"""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from autoglm.home import ensure_key
from autoglm.models import Adapter
from benchmarks import report
from benchmarks.applications import AT_ONCE, VERSION, Config, application, cluster, mock_engine, router
from benchmarks.corpus import DATA, sentences
from benchmarks.keep_alive import closed_loop, posts
from benchmarks.overhead import percentile, seconds
from benchmarks.subjects import TASK, adapter
from deployments.router import Route
from deployments.threads import use_all_cores
from serve_app.app import app_name

HITS, PASSES = 400, 40  # requests of a turn: those that are answered from the cache, and those that the model computes
NO_STORE = {"cache-control": "no-store"}
HELLO, INGRESS = "Serve hello world", "Serve hello world, FastAPI ingress"
PREDICT, CHAT = "/v1/predict", "/v1/chat/completions"

Take = Callable[[], list[float]]  # a turn: the seconds of each request


@dataclass(frozen=True)
class Line:
    """One line of the table, and the line of what it saves where it is a hit."""

    name: str
    take: Take
    saves: str | None = None


def served(url: str, body: dict[str, Any], count: int, headers: dict[str, str] | None = None) -> list[float]:
    """The same request so many times, one after the other."""
    headers = {"authorization": f"Bearer {ensure_key()}"} | (headers or {})
    return seconds(closed_loop(url, posts(url, [body] * count, headers), clients=1))


def computed(model: Adapter, text: str, count: int) -> list[float]:
    """The model's passes over one text, in this process."""
    parsed, taken = model.parse(text, 0), []
    for _ in range(count):
        start = time.perf_counter()
        model.predict([parsed])
        taken.append(time.perf_counter() - start)
    return taken


def lines(url: str, texts: list[str], model: Adapter) -> list[Line]:
    """Hello world; each sentence by the model alone, through HTTP, and kept; and a chat answer, kept."""
    by_length = sorted(texts, key=len)
    found = [Line(HELLO, partial(served, f"{url}/hello", {}, HITS))]
    found.append(Line(INGRESS, partial(served, f"{url}/bare/hello", {}, HITS)))
    for name, text in {"median": by_length[len(texts) // 2], "longest": by_length[-1]}.items():
        sentence = f"{name} sentence ({len(text.split())} words)"
        body = {"task": "sentiment", "inputs": [text]}
        alone = Line(f"{sentence}, the model alone", partial(computed, model, text, PASSES))
        miss = Line(f"{sentence}, no-store", partial(served, url + PREDICT, body, PASSES, NO_STORE))
        hit = Line(f"{sentence}, hit", partial(served, url + PREDICT, body, HITS), alone.name)
        found += [alone, miss, hit]
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    for name, stream in {"chat, hit": False, "chat, streamed hit": True}.items():
        chat = {"model": "chat", "messages": messages, "temperature": 0, "stream": stream}
        found.append(Line(name, partial(served, url + CHAT, chat, HITS)))
    return found


def sentiment() -> tuple[Route, Config]:
    """The embedded model, as `python -m serve_app up` serves it."""
    route = Route(
        name="sentiment",
        task="text-classification",
        model=TASK["model"],
        version=VERSION,
        app=app_name("sentiment", VERSION),
        deployment="predictor",
    )
    args = {"task": TASK, "cpus": 0.1, "gpus": 0}
    return route, application(route.app, "serve_app.app:build_predictor", args)


def take_turns(texts: list[str], rounds: int) -> tuple[list[Line], dict[str, list[list[float]]]]:
    """Every line, `rounds` times in turn after one that does not count: it fills the cache."""
    taken: dict[str, list[list[float]]] = defaultdict(list)
    (task, predictor), (chat, engine) = sentiment(), mock_engine()
    hello = application("hello", "benchmarks.hello:build_hello", {}, "/hello")
    ingress = application("bare", "benchmarks.hello:build_bare", AT_ONCE, "/bare")
    with cluster(predictor, engine, hello, ingress, router((task, chat))) as started:
        table = lines(started.url, texts, adapter("sentiment"))
        for line in table:
            line.take()
        for _, line in itertools.product(range(rounds), table):
            taken[line.name].append(line.take())
    return table, taken


def row(line: Line, taken: dict[str, list[list[float]]]) -> list[str]:
    """One line: medians over the rounds, and ratios of medians."""
    half, tail = (middle(taken[line.name], share) for share in (0.5, 0.99))
    hellos = [f"{half / middle(taken[name], 0.5):.2f}x" for name in (HELLO, INGRESS)]
    saved = "" if line.saves is None else f"{middle(taken[line.saves], 0.5) / half:.0f}x"
    return [line.name, f"{half * 1e3:.2f}", f"{tail * 1e3:.2f}", *hellos, saved]


def middle(rounds: list[list[float]], share: float) -> float:
    """The median of the rounds' percentiles."""
    return median(percentile(some, share) for some in rounds)


def main(
    data: Annotated[Path, typer.Option(help="The folder of the sentences.")] = DATA,
    rounds: Annotated[int, typer.Option(help="Turns of each; figures are their medians.")] = 7,
) -> None:
    """Measure all in turn, and print one table."""
    use_all_cores()
    table, taken = take_turns(sentences(data), rounds)
    columns = ["what", "p50 ms", "p99 ms", "of hello world", "of it by FastAPI", "faster than the model"]
    report.show(f"Cache hits, one client, {rounds} rounds", columns, [row(line, taken) for line in table])


if __name__ == "__main__":
    typer.run(main)
