"""What the lab serves: the mock engine, whose answers are computed, or a real model, whose answers are taken first."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from rich.console import Console

from benchmarks.chaos.traffic import Asker, Question
from benchmarks.mock_engine import MockConfig, expected
from serve_app.app import app_name, render
from serve_app.config import ClusterConfig
from serve_app.preparation import prepare_models

MODEL, SPARE, VERSION = "chat", "spare", "v1"
REPEATED = 20  # questions that a cache may answer
# A replica that hangs is found after 0.5 to 1 s, instead of 2 to 3 s by default: cores that are busy are no reason for
# false alarms here, since a mock replica computes nothing.
QUICK_PROBES = {"interval_s": 0.25, "timeout_s": 0.5}


class Subject(Asker, Protocol):
    """One engine: how many replicas of it, of which so many are left alive, and how it is asked and declared."""

    replicas: int
    spared: int
    rate: float
    undisturbed: int  # requests before the first fault
    kills: tuple[str, ...]  # titles of the processes of which one dies at a time
    added_p99_s: float  # what is required

    def config(self, port: int, redis: str) -> dict[str, Any]:
        """The Serve config of the whole cluster."""
        ...

    async def learn(self, ask: Callable[[dict[str, Any]], Awaitable[str]]) -> None:
        """Take the answers of the undisturbed engine, one after the other."""
        ...


def replica_title(model: str) -> str:
    """What a model's replica processes are called."""
    return f"ray::ServeReplica:{app_name(model, VERSION)}:llm"


class MockSubject:
    """The mock engine on small replicas, and a spare model as their fallback.

    At 20 ms a token an answer takes 0.3 to 1.3 s, so that at 10 requests a second 8 are under way at any moment.
    """

    replicas = 6
    spared = 3
    rate = 10.0
    undisturbed = 100
    kills: tuple[str, ...] = (replica_title(MODEL),)
    added_p99_s = 1.0
    engine = MockConfig(token_s=0.02)

    def config(self, port: int, redis: str) -> dict[str, Any]:
        """As the file's, with the mock in place of vLLM."""
        config = render(
            ClusterConfig.model_validate(
                {
                    "models": [
                        declared(MODEL, "mock", self.replicas)
                        | {"fallbacks": [SPARE], "balancing": {"probe": QUICK_PROBES}},
                        declared(SPARE, "mock", 2),
                    ],
                    "server": {"port": port},
                    "cache": {"backend": redis},
                }
            )
        )
        for application in config["applications"]:
            if application["import_path"] == "serve_app.app:build_llm":
                application |= {"import_path": "benchmarks.mock_engine:build", "args": {}}
                [deployment] = application["deployments"]
                deployment["user_config"] = self.engine.model_dump()
        return config

    async def learn(self, ask: Callable[[dict[str, Any]], Awaitable[str]]) -> None:
        """Nothing: its answers follow from the prompts."""

    def question(self, chance: random.Random, *, is_repeated: bool) -> Question:
        """A prompt that is a number."""
        number = chance.randrange(REPEATED) if is_repeated else chance.getrandbits(64)
        request = asked(str(number))
        return Question(request, expected(request))


class VllmSubject:
    """The embedded chat model, in float32. Its prompts are short and it is sure of the answers.

    In bfloat16 a near tie between two words may fall either way where an answer is continued, and other words are no
    fault of the data plane's.
    """

    replicas = 2
    spared = 1
    rate = 0.3
    undisturbed = 12
    kills: tuple[str, ...] = (replica_title(MODEL), "EngineCore")
    added_p99_s = float("inf")
    prompts = (
        "Name the capital of France.",
        "Count from 1 to 20.",
        "Repeat this exactly: one two three four five six seven eight nine ten",
        "Name the days of the week.",
        "Write the alphabet.",
        "What is 2 + 2?",
    )

    def __init__(self) -> None:
        self._expected: dict[str, str] = {}

    def config(self, port: int, redis: str) -> dict[str, Any]:
        """As the file's; the model is prepared before."""
        config = ClusterConfig.model_validate(
            {
                "models": [declared(MODEL, "embedded/smollm2-135m-instruct", self.replicas, dtype="float32")],
                "server": {"port": port},
                "cache": {"backend": redis},
            }
        )
        prepare_models(config, Console(stderr=True).print)
        return render(config)

    async def learn(self, ask: Callable[[dict[str, Any]], Awaitable[str]]) -> None:
        """Each prompt's answer, with nothing else under way."""
        for prompt in self.prompts:
            self._expected[prompt] = await ask(asked(prompt))

    def question(self, chance: random.Random, *, is_repeated: bool) -> Question:
        """One of the prompts."""
        prompt = chance.choice(self.prompts)
        return Question(asked(prompt), self._expected[prompt])


SUBJECTS: dict[str, Callable[[], Subject]] = {"mock": MockSubject, "vllm": VllmSubject}


def declared(name: str, source: str, replicas: int, **engine_args: Any) -> dict[str, Any]:
    """A model of the file."""
    return {
        "name": name,
        "task": "text-generation",
        "versions": [{"version": VERSION, "source": source, "engine_args": engine_args}],
        "autoscaling": {"min_replicas": replicas, "max_replicas": replicas},
    }


def asked(prompt: str) -> dict[str, Any]:
    """A chat request whose answer is the same each time."""
    messages = [{"role": "user", "content": prompt}]
    return {"model": MODEL, "messages": messages, "temperature": 0, "max_tokens": 64}
