"""What batching gives: a stub that takes 8 ms whatever the batch, and the sentiment model; beside two peers.

Each server is by itself, in a cluster of its own where it needs one. They take turns: while one is measured all others
are stopped (SIGSTOP), and a figure is the median of the rounds, so what drifts on the machine drifts for all.

python -m benchmarks.batching [--data FOLDER] [--rounds N]
"""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from autoglm.home import ensure_key
from benchmarks import report
from benchmarks.applications import Config, application, cluster, route_to, router
from benchmarks.corpus import DATA, sentences
from benchmarks.keep_alive import closed_loop, posts
from benchmarks.load import Run, Stream
from benchmarks.servers import Server, server
from benchmarks.subjects import TASK, adapter
from deployments.router import Route
from serve_app.environment import free_ports

ON = {"max_batch_size": 32, "batch_wait_timeout_s": 0.01}
OFF = {"max_batch_size": 1, "batch_wait_timeout_s": 0.0}
BATCH = 32
TEXTS = 640  # sentences of a turn
WARM_UP = 64
LIMIT = "in-process"  # what no server can exceed
UNBATCHED = "open-autoglm, batching off"
OURS, SERVE_BATCH, LITSERVE = "open-autoglm", "@serve.batch", "LitServe"


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    subject: str
    name: str
    clients: int

    @property
    def requests(self) -> int:
        """Those of a turn: of the stub, enough for two or three seconds."""
        return TEXTS if self.subject == "sentiment" else min(2000, 100 * self.clients)


STUB = [Case("stub", UNBATCHED, 1)]
STUB += [Case("stub", name, clients) for clients in (1, 12, 64) for name in (OURS, SERVE_BATCH, LITSERVE)]
SENTIMENT = [Case("sentiment", LIMIT, 1), Case("sentiment", LIMIT, BATCH), Case("sentiment", UNBATCHED, BATCH)]
SENTIMENT += [Case("sentiment", name, BATCH) for name in (OURS, SERVE_BATCH, LITSERVE)]
CASES = STUB + SENTIMENT
BASES = {"stub": CASES[0], "sentiment": Case("sentiment", LITSERVE, BATCH)}


def predictor(subject: str, batching: dict[str, Any]) -> tuple[Route, Config]:
    """A subject as this project serves it."""
    builder = {"stub": "benchmarks.stub:build", "sentiment": "serve_app.app:build_predictor"}[subject]
    route = route_to(subject, "predictor", max_batch_size=batching["max_batch_size"])
    deployments = [{"name": "predictor", "user_config": batching}]
    return route, application(route.app, builder, {"task": TASK, "cpus": 0.1, "gpus": 0}, deployments=deployments)


def own_cluster(batching: dict[str, Any]) -> AbstractContextManager[Server]:
    """This project, with both subjects."""
    routes, applications = zip(*(predictor(subject, batching) for subject in BASES), strict=True)
    return cluster(*applications, router(routes))


def serve_batch_cluster() -> AbstractContextManager[Server]:
    """Each subject as a plain Serve application."""
    paths = {subject: f"/serve-batch/{subject}" for subject in BASES}
    builder = "benchmarks.serve_batch:build"
    applications = [application(subject, builder, {"subject": subject}, path) for subject, path in paths.items()]
    return cluster(*applications, ready=tuple(paths.values()))


@contextmanager
def litserve() -> Iterator[Server]:
    """LitServe, in processes of its own."""
    [port] = free_ports(1)
    with server(["benchmarks.litserve_batch", str(port)], f"http://127.0.0.1:{port}", "/health") as started:
        yield started


def in_process(texts: Sequence[str], batch: int) -> Run:
    """The adapter without a server, in order of arrival; a text's latency is that of its batch."""
    model = adapter("sentiment")
    parsed = [model.parse(text, index) for index, text in enumerate(texts)]
    model.predict(parsed[:WARM_UP])
    streams: list[Stream] = []
    start = time.perf_counter()
    for first in range(0, len(parsed), batch):
        sent, some = time.perf_counter(), parsed[first : first + batch]
        model.predict(some)
        streams += [Stream(sent, time.perf_counter())] * len(some)
    return Run(time.perf_counter() - start, streams)


def servers() -> dict[str, AbstractContextManager[Server]]:
    """What serves the cases of each name."""
    return {
        UNBATCHED: own_cluster(OFF),
        OURS: own_cluster(ON),
        SERVE_BATCH: serve_batch_cluster(),
        LITSERVE: litserve(),
    }


def measure(url: str, case: Case, texts: Sequence[str]) -> Run:
    """One turn: each text a request of its own."""
    path, body = {
        SERVE_BATCH: (f"/serve-batch/{case.subject}", {}),
        LITSERVE: (f"/{case.subject}", {}),
    }.get(case.name, ("/v1/predict", {"task": case.subject}))
    headers = {"authorization": f"Bearer {ensure_key()}", "cache-control": "no-store"}
    requests = posts(url + path, [body | {"inputs": [text]} for text in texts], headers)
    return closed_loop(url + path, requests, case.clients)


def take_turns(texts: Sequence[str], rounds: int) -> dict[Case, list[Run]]:
    """Every case, `rounds` times in turn, with inputs that no case has seen before."""
    runs: dict[Case, list[Run]] = defaultdict(list)
    numbers = itertools.count()

    def inputs(case: Case, count: int) -> list[str]:
        if case.subject == "stub":
            return [f"input {next(numbers)}" for _ in range(count)]
        return [texts[next(numbers) % len(texts)] for _ in range(count)]

    with ExitStack() as stack:
        started: dict[str, Server] = {}
        for name, manager in servers().items():
            started[name] = stack.enter_context(manager)
            for case in cases_of(name):
                measure(started[name].url, case, inputs(case, WARM_UP))
            started[name].pause()
        for _ in range(rounds):
            for case in cases_of(LIMIT):
                runs[case].append(in_process(inputs(case, case.requests), case.clients))
            for name, running in started.items():
                running.resume()
                for case in cases_of(name):
                    runs[case].append(measure(running.url, case, inputs(case, case.requests)))
                running.pause()
    return runs


def cases_of(name: str) -> list[Case]:
    """The lines of one server."""
    return [case for case in CASES if case.name == name]


def row(case: Case, runs: dict[Case, list[Run]]) -> list[str]:
    """One line: medians over the rounds, and their ratios to the subject's base."""
    rate, latency = median(run.rate for run in runs[case]), median(run.latency for run in runs[case])
    base = runs[BASES[case.subject]]
    ratios = rate / median(run.rate for run in base), latency / median(run.latency for run in base)
    figures = [f"{rate:.0f}", f"{latency * 1e3:.1f}", *(f"{ratio:.2f}x" for ratio in ratios)]
    return [case.subject, case.name, str(case.clients), *figures]


def main(
    data: Annotated[Path, typer.Option(help="The folder of the sentences.")] = DATA,
    rounds: Annotated[int, typer.Option(help="Turns of each server; figures are their medians.")] = 3,
) -> None:
    """Measure all in turn, and print one table."""
    runs = take_turns(sentences(data), rounds)
    title = f"Dynamic batching, {rounds} rounds; ratios: stub to one unbatched client, sentiment to LitServe"
    columns = ["model", "server", "clients", "requests/s", "mean ms", "rate ratio", "latency ratio"]
    report.show(title, columns, [row(case, runs) for case in CASES])


if __name__ == "__main__":
    typer.run(main)
