"""Chat through `vllm serve`, ray.serve.llm and this project: the same model, engine arguments, prompts and client.

All three run at once, and take turns: while one is measured the others are stopped (SIGSTOP). So what drifts on the
machine from minute to minute drifts for all, and each figure is the median of the rounds.

python -m benchmarks.llm [--data FOLDER] [--source embedded/NAME|FOLDER|HUB_ID] [--gpus N] [--tokens N] [--rounds N]
"""

from __future__ import annotations

import asyncio
import itertools
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
import yaml

from autoglm.home import ensure_key
from autoglm.models.source import resolve
from benchmarks import report
from benchmarks.corpus import DATA, chat_prompts
from benchmarks.load import Run, drive, streamed, whole
from benchmarks.servers import Server, server
from deployments.llm import LLMVersion
from deployments.llm.config import cpu_environment
from serve_app.environment import free_ports

LEVELS = {1: 6, 8: 48, 32: 128}  # concurrent clients: requests of a round
WARM_UP = 8
GPU_SHARE = 0.28  # of the memory, for each of the three engines


@dataclass(frozen=True)
class Subject:
    """What is served, the same for every server."""

    source: str
    gpus: int
    tokens: int

    @property
    def engine_args(self) -> dict[str, Any]:
        """This project's engine arguments, which the others get too."""
        device = "gpu" if self.gpus else "cpu"
        version = LLMVersion(name="chat", version="v1", source=self.source, device=device, gpus=self.gpus or 1)
        return version.engine_kwargs() | self.own_args

    @property
    def own_args(self) -> dict[str, Any]:
        """What all three get beyond this project's defaults."""
        return {"gpu_memory_utilization": GPU_SHARE} if self.gpus else {}

    @property
    def environment(self) -> dict[str, str]:
        """vLLM's CPU settings, the same as this project's."""
        return {} if self.gpus else cpu_environment()


@contextmanager
def vllm_serve(subject: Subject) -> Iterator[Server]:
    """vLLM's own server."""
    [port] = free_ports(1)
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in subject.engine_args.items() if value is not True]
    flags += [f"--{name.replace('_', '-')}" for name, value in subject.engine_args.items() if value is True]
    command = ["benchmarks.vllm_serve", subject.source, "--served-model-name=chat", "--host=127.0.0.1"]
    with server(
        [*command, f"--port={port}", *flags], address(port), "/health", environment=subject.environment
    ) as started:
        yield started


@contextmanager
def ray_serve_llm(subject: Subject) -> Iterator[Server]:
    """ray.serve.llm.build_openai_app."""
    [port] = free_ports(1)
    arguments = [subject.source, str(port), json.dumps(subject.engine_args), str(subject.gpus)]
    command = ["benchmarks.ray_serve_llm", *arguments, json.dumps(subject.environment)]
    with server(command, address(port), "/v1/models") as started:
        yield started


@contextmanager
def open_autoglm(subject: Subject) -> Iterator[Server]:
    """This project, with nothing but the chat model, and one router as the others have one front process."""
    [port] = free_ports(1)
    resources = {"gpus": subject.gpus}
    version = {"version": "v1", "source": subject.source, "resources": resources, "engine_args": subject.own_args}
    declared = {
        "models": [{"name": "chat", "task": "text-generation", "versions": [version]}],
        "server": {"router_replicas": 1},
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "chat.yaml"
        file.write_text(yaml.safe_dump(declared))
        with server(["serve_app", "up", str(file), f"--port={port}"], address(port), "/ready") as started:
            yield started


def address(port: int) -> str:
    """A server's URL."""
    return f"http://127.0.0.1:{port}"


SERVERS: dict[str, Callable[[Subject], AbstractContextManager[Server]]] = {
    "vllm serve": vllm_serve,
    "ray.serve.llm": ray_serve_llm,
    "open-autoglm": open_autoglm,
}
Case = tuple[int, bool]  # clients, streamed
Results = dict[str, dict[Case, list[Run]]]


def requests(prompts: list[str], tokens: int) -> Iterator[dict[str, Any]]:
    """Prompts without end, each answered greedily with exactly `tokens` tokens; a number keeps them apart in caches."""
    for number, prompt in enumerate(itertools.cycle(prompts)):
        messages = [{"role": "user", "content": f"({number}) {prompt}"}]
        yield {"model": "chat", "messages": messages, "max_tokens": tokens, "temperature": 0, "ignore_eos": True}


def measure(started: Server, case: Case, batch: list[dict[str, Any]]) -> Run:
    """One turn of one server."""
    clients, stream = case
    path = f"{started.url}/v1/chat/completions"
    headers = {"authorization": f"Bearer {ensure_key()}"}
    send = streamed(path) if stream else whole(path)
    return asyncio.run(drive(send, batch, concurrency=clients, headers=headers))


def take_turns(subject: Subject, prompts: list[str], rounds: int) -> Results:
    """Every server, level and mode, `rounds` times in turn."""
    results: Results = defaultdict(lambda: defaultdict(list))
    source = requests(prompts, subject.tokens)
    with ExitStack() as stack:
        servers = {}
        for name, start in SERVERS.items():
            servers[name] = stack.enter_context(start(subject))
            measure(servers[name], (WARM_UP, True), list(itertools.islice(source, WARM_UP)))
            servers[name].pause()
        for _, clients in itertools.product(range(rounds), LEVELS):
            batches = {stream: list(itertools.islice(source, LEVELS[clients])) for stream in (True, False)}
            for name, started in servers.items():
                started.resume()
                for stream, batch in batches.items():
                    results[name][clients, stream].append(measure(started, (clients, stream), batch))
                started.pause()
    return results


def main(
    data: Annotated[Path, typer.Option(help="The folder of the prompts.")] = DATA,
    source: Annotated[str, typer.Option(help="The model.")] = "embedded/smollm2-135m-instruct",
    gpus: Annotated[int, typer.Option(help="GPUs for the engine; 0 is the CPU.")] = 0,
    tokens: Annotated[int, typer.Option(help="Output tokens of each request.")] = 32,
    rounds: Annotated[int, typer.Option(help="Turns of each server; figures are their medians.")] = 3,
) -> None:
    """Measure the three in turn, and print one table."""
    results = take_turns(Subject(str(resolve(source)), gpus, tokens), chat_prompts(data), rounds)
    rows = [
        row(name, case, runs[case], results["vllm serve"][case], tokens)
        for case in itertools.product(LEVELS, (True, False))
        for name, runs in results.items()
    ]
    columns = ["clients", "mode", "server", "output tok/s", "of vllm serve", "TTFT p50 ms", "TTFT ratio", "ITL ms"]
    report.show(f"{source}, {tokens} tokens out, MT-bench and Vicuna prompts, {rounds} rounds", columns, rows)


def row(name: str, case: Case, runs: list[Run], limits: list[Run], tokens: int) -> list[str]:
    """One line of the table: medians over the rounds, and ratios of medians."""
    clients, stream = case
    rate, limit = (median(run.rate for run in each) for each in (runs, limits))
    line = [str(clients), "streamed" if stream else "whole", name, f"{rate * tokens:.0f}", f"{rate / limit:.0%}"]
    if not stream:
        return [*line, "", "", ""]
    ttft, least = (median(run.ttft for run in each) for each in (runs, limits))
    inter_token = median(run.inter_token for run in runs)
    return [*line, f"{ttft * 1e3:.0f}", f"{ttft / least:.2f}", f"{inter_token * 1e3:.1f}"]


if __name__ == "__main__":
    typer.run(main)
