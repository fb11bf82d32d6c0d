"""Chat through `vllm serve`, ray.serve.llm and this project: the same model, engine arguments, prompts and client.

python -m benchmarks.llm [--data FOLDER] [--source embedded/NAME|FOLDER|HUB_ID] [--gpus N] [--tokens N]
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from autoglm.home import ensure_key
from autoglm.models.source import resolve
from benchmarks import report
from benchmarks.corpus import DATA, chat_prompts
from benchmarks.load import Run, drive, streamed, whole
from benchmarks.servers import free_port, server
from deployments.llm import LLMVersion
from deployments.llm.config import cpu_environment

LEVELS = {1: 10, 8: 64, 32: 160}  # concurrent clients: requests
WARM_UP = 8


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
        return version.engine_kwargs()

    @property
    def environment(self) -> dict[str, str]:
        """vLLM's CPU settings, the same as this project's."""
        return {} if self.gpus else cpu_environment()


@contextmanager
def vllm_serve(subject: Subject) -> Iterator[str]:
    """vLLM's own server."""
    port = free_port()
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in subject.engine_args.items() if value is not True]
    flags += [f"--{name.replace('_', '-')}" for name, value in subject.engine_args.items() if value is True]
    command = ["benchmarks.vllm_serve", subject.source, "--served-model-name=chat", "--host=127.0.0.1"]
    with server([*command, f"--port={port}", *flags], f"http://127.0.0.1:{port}/health", subject.environment):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def ray_serve_llm(subject: Subject) -> Iterator[str]:
    """ray.serve.llm.build_openai_app."""
    port = free_port()
    arguments = [subject.source, str(port), json.dumps(subject.engine_args), str(subject.gpus)]
    ready = f"http://127.0.0.1:{port}/v1/models"
    with server(["benchmarks.ray_serve_llm", *arguments], ready, subject.environment):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def open_autoglm(subject: Subject) -> Iterator[str]:
    """This project, with nothing but the chat model."""
    port = free_port()
    version = {"version": "v1", "source": subject.source, "resources": {"gpus": subject.gpus}}
    declared = {"models": [{"name": "chat", "task": "text-generation", "versions": [version]}]}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "chat.yaml"
        file.write_text(yaml.safe_dump(declared))
        with server(["serve_app", "up", str(file), f"--port={port}"], f"http://127.0.0.1:{port}/ready"):
            yield f"http://127.0.0.1:{port}"


SERVERS: dict[str, Callable[[Subject], AbstractContextManager[str]]] = {
    "vllm serve": vllm_serve,
    "ray.serve.llm": ray_serve_llm,
    "open-autoglm": open_autoglm,
}


def request(prompt: str, tokens: int) -> dict[str, Any]:
    """Exactly `tokens` tokens, greedily."""
    messages = [{"role": "user", "content": prompt}]
    return {"model": "chat", "messages": messages, "max_tokens": tokens, "temperature": 0, "ignore_eos": True}


async def measure(url: str, prompts: list[str], tokens: int) -> dict[tuple[int, bool], Run]:
    """Every level, streamed and whole, after a warm-up."""
    path = f"{url}/v1/chat/completions"
    headers = {"authorization": f"Bearer {ensure_key()}"}
    requests = [request(prompt, tokens) for prompt in prompts]
    await drive(streamed(path), requests[:WARM_UP], concurrency=WARM_UP, headers=headers)
    runs = {}
    for clients, count in LEVELS.items():
        for stream in (True, False):
            send = streamed(path) if stream else whole(path)
            runs[clients, stream] = await drive(send, requests[:count], concurrency=clients, headers=headers)
    return runs


def main(
    data: Annotated[Path, typer.Option(help="The folder of the prompts.")] = DATA,
    source: Annotated[str, typer.Option(help="The model.")] = "embedded/smollm2-135m-instruct",
    gpus: Annotated[int, typer.Option(help="GPUs for the engine; 0 is the CPU.")] = 0,
    tokens: Annotated[int, typer.Option(help="Output tokens of each request.")] = 32,
) -> None:
    """Measure the three, one after the other, and print one table."""
    prompts = chat_prompts(data)
    subject = Subject(str(resolve(source)), gpus, tokens)
    results = {}
    for name, start in SERVERS.items():
        with start(subject) as url:
            results[name] = asyncio.run(measure(url, prompts, tokens))
    rows = [
        row(name, clients, stream, runs[clients, stream], results["vllm serve"][clients, stream], tokens)
        for clients in LEVELS
        for stream in (True, False)
        for name, runs in results.items()
    ]
    columns = ["clients", "mode", "server", "output tok/s", "of vllm serve", "TTFT p50 ms", "TTFT ratio", "ITL ms"]
    report.show(f"{source}, {tokens} tokens out, MT-bench and Vicuna prompts", columns, rows)


def row(name: str, clients: int, stream: bool, run: Run, limit: Run, tokens: int) -> list[str]:
    """One line of the table."""
    rate = len(run.streams) * tokens / run.wall
    share = f"{run.rate / limit.rate:.0%}"
    timing = [f"{run.ttft * 1e3:.0f}", f"{run.ttft / limit.ttft:.2f}", f"{run.inter_token * 1e3:.1f}"]
    return [
        str(clients),
        "streamed" if stream else "whole",
        name,
        f"{rate:.0f}",
        share,
        *(timing if stream else ["", "", ""]),
    ]


if __name__ == "__main__":
    typer.run(main)
