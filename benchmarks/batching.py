"""What batching gives: a stub that takes 8 ms whatever the batch, and the sentiment model; beside two peers.

This project and plain `@serve.batch` run in one cluster, LitServe beside it. They take turns: while one is measured the
other is stopped (SIGSTOP), and a figure is the median of the rounds, so what drifts on the machine drifts for all.

python -m benchmarks.batching [--data FOLDER] [--rounds N]
"""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
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
TEXTS = 320  # sentences of a turn
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


def predictor(subject: str, name: str, batching: dict[str, Any]) -> tuple[Route, Config]:
    """A subject as this project serves it."""
    builder = {"stub": "benchmarks.stub:build", "sentiment": "serve_app.app:build_predictor"}[subject]
    route = route_to(name, "predictor", max_batch_size=batching["max_batch_size"])
    deployments = [{"name": "predictor", "user_config": batching}]
    return route, application(route.app, builder, {"task": TASK, "cpus": 0.1, "gpus": 0}, deployments=deployments)


def serve_batch(subject: str) -> Config:
    """A subject as a plain Serve application."""
    name = f"serve-batch-{subject}"
    return application(name, "benchmarks.serve_batch:build", {"subject": subject}, f"/serve-batch/{subject}")


def serve_cluster() -> AbstractContextManager[Server]:
    """This project, each subject with and without batching, and plain `@serve.batch`."""
    cases = itertools.product(BASES, {"": ON, "-off": OFF}.items())
    tasks = [predictor(subject, subject + suffix, batching) for subject, (suffix, batching) in cases]
    routes, applications = zip(*tasks, strict=True)
    return cluster(*applications, *map(serve_batch, BASES), router(routes))


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


def measure(url: str, case: Case, texts: Sequence[str]) -> Run:
    """One turn: each text a request of its own."""
    path, body = {
        OURS: ("/v1/predict", {"task": case.subject}),
        UNBATCHED: ("/v1/predict", {"task": f"{case.subject}-off"}),
        SERVE_BATCH: (f"/serve-batch/{case.subject}", {}),
        LITSERVE: (f"/{case.subject}", {}),
    }[case.name]
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

    with serve_cluster() as ours, litserve() as theirs:
        servers = {OURS: ours, UNBATCHED: ours, SERVE_BATCH: ours, LITSERVE: theirs}
        for case in CASES:
            if case.name in servers:
                measure(servers[case.name].url, case, inputs(case, WARM_UP))
        for idle in (ours, theirs):
            idle.pause()
        for _, (started, cases) in itertools.product(range(rounds), turns(servers).items()):
            if started is not None:
                started.resume()
            for case in cases:
                some = inputs(case, case.requests)
                runs[case].append(
                    in_process(some, case.clients) if started is None else measure(started.url, case, some)
                )
            if started is not None:
                started.pause()
    return runs


def turns(servers: dict[str, Server]) -> dict[Server | None, list[Case]]:
    """The cases of each server; what runs in this process has none."""
    grouped: dict[Server | None, list[Case]] = defaultdict(list)
    for case in CASES:
        grouped[servers.get(case.name)].append(case)
    return grouped


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
