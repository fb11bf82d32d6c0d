"""What batching gives: the sentiment model in-process and served, and a stub that takes 8 ms whatever the batch.

python -m benchmarks.batching [--data FOLDER]
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from autoglm.contract import TaskConfig
from autoglm.home import ensure_key
from autoglm.models import load
from benchmarks import report, stub
from benchmarks.corpus import DATA, sentences
from benchmarks.load import Run, drive, whole
from benchmarks.servers import server
from serve_app.environment import free_ports

TASK = {"task": "text-classification", "model": "embedded/minilm-l6-sst2"}
ON = {"max_batch_size": 32, "batch_wait_timeout_s": 0.01}
OFF = {"max_batch_size": 1, "batch_wait_timeout_s": 0.0}
CLIENTS = 32
STUB_LEVELS = (1, 12, 64)
STUB_REQUESTS = 150  # for each client, at most 3,000
WARM_UP = 64


def in_process(texts: list[str], batch: int) -> tuple[float, float]:
    """Sentences a second and mean seconds of a batch, in order of arrival: what no server can exceed."""
    adapter = load(TaskConfig.model_validate(TASK))
    parsed = [adapter.parse(text, index) for index, text in enumerate(texts)]
    adapter.predict(parsed[:WARM_UP])
    start = time.perf_counter()
    for first in range(0, len(parsed), batch):
        adapter.predict(parsed[first : first + batch])
    wall = time.perf_counter() - start
    return len(texts) / wall, wall / (len(texts) / batch)


@contextmanager
def sentiment(batching: dict[str, Any]) -> Iterator[str]:
    """A cluster with nothing but the sentiment task."""
    [port] = free_ports(1)
    declared = {"tasks": [{"name": "sentiment", **TASK, "batching": batching}]}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sentiment.yaml"
        file.write_text(yaml.safe_dump(declared))
        command = ["serve_app", "up", str(file), f"--port={port}"]
        with server(command, f"http://127.0.0.1:{port}", "/ready") as started:
            yield started.url


@contextmanager
def stub_cluster(batching: dict[str, Any]) -> Iterator[str]:
    """A cluster with nothing but the stub."""
    [port] = free_ports(1)
    config = json.dumps(stub.config(port, batching))
    with server(["benchmarks.serve_config", config], f"http://127.0.0.1:{port}", "/ready") as started:
        yield started.url


def serve(url: str, task: str, texts: list[str], clients: int) -> Run:
    """Each text a request of its own, after a warm-up."""
    headers = {"authorization": f"Bearer {ensure_key()}"}
    requests = [{"task": task, "inputs": [text]} for text in texts]
    send = whole(f"{url}/v1/predict")
    asyncio.run(drive(send, requests[:WARM_UP], concurrency=clients, headers=headers))
    return asyncio.run(drive(send, requests, concurrency=clients, headers=headers))


def sentiment_rows(texts: list[str]) -> list[list[str]]:
    """The sentiment model, in-process and served."""
    limit, latency = in_process(texts, CLIENTS)
    single, single_latency = in_process(texts, 1)
    rows = [
        ["sentiment in-process, batch 1", "", f"{single:.0f}", f"{single_latency * 1e3:.1f}", f"{single / limit:.0%}"],
        [f"sentiment in-process, batch {CLIENTS}", "", f"{limit:.0f}", f"{latency * 1e3:.1f}", "100%"],
    ]
    for name, batching in (("off", OFF), ("on", ON)):
        with sentiment(batching) as url:
            run = serve(url, "sentiment", texts, CLIENTS)
        name = f"sentiment served, batching {name}"
        rows.append([name, str(CLIENTS), f"{run.rate:.0f}", f"{run.latency * 1e3:.1f}", f"{run.rate / limit:.0%}"])
    return rows


def stub_rows() -> list[list[str]]:
    """The stub, with batching off for one client and on for more; the ratio is to the first."""
    with stub_cluster(OFF) as url:
        base = serve(url, "stub", ["x"] * STUB_REQUESTS, 1)
    rows = [["8 ms stub, batching off", "1", f"{base.rate:.0f}", f"{base.latency * 1e3:.1f}", "1.0x"]]
    with stub_cluster(ON) as url:
        for clients in STUB_LEVELS:
            run = serve(url, "stub", ["x"] * min(3000, STUB_REQUESTS * clients), clients)
            ratio = f"{run.rate / base.rate:.1f}x"
            rows.append(["8 ms stub, batching on", str(clients), f"{run.rate:.0f}", f"{run.latency * 1e3:.1f}", ratio])
    rows.append(["the article's own figures, off", "", "120", "8.3", "1.0x"])
    rows.append(["the article's own figures, on", "", "980", "12.1", "8.2x"])
    return rows


def main(data: Annotated[Path, typer.Option(help="The folder of the sentences.")] = DATA) -> None:
    """Measure all and print one table."""
    rows = sentiment_rows(sentences(data)) + stub_rows()
    report.show("Dynamic batching", ["what", "clients", "requests/s", "mean ms", "of the limit"], rows)


if __name__ == "__main__":
    typer.run(main)
