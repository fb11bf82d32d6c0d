"""Accuracy, abstentions, behaviour under typos and time of a decision, beside linear scans of the same examples.

python -m benchmarks.routing [--data FOLDER]
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from threadpoolctl import threadpool_limits

from autoglm.contract import TaskConfig
from autoglm.models import load
from benchmarks import report
from benchmarks.corpus import DATA
from benchmarks.routing.questions import Split, split
from benchmarks.routing.typos import mistyped
from deployments.meaning import load_encoder
from deployments.meaning.text import normalised
from deployments.router.semantic import RouteIndex, RoutingConfig

SEED = 17
WARM_UP = 100
COLUMNS = ["method", "n", "right", "1 typo", "2 typos", "abstains", "right of the rest", "ECE", "p50 ms", "p99 ms"]

Encode = Callable[[Sequence[str]], Any]


@dataclass(frozen=True)
class Choice:
    """The best route; a scan has no confidence."""

    route: str
    confidence: float | None = None
    abstained: bool = False


Choose = Callable[[str], Choice]


def semantic(data: Split) -> Choose:
    """The router's own."""
    config = RoutingConfig.model_validate({"routes": data.routes(), "abstain": "chat"})
    index = RouteIndex(config, load_encoder("wordllama"))

    def choose(text: str) -> Choice:
        decision = index.decide(text)
        return Choice(decision.candidates[0].route, decision.confidence, decision.abstained)

    return choose


def nearest(data: Split, encode: Encode) -> Choose:
    """The route of the most similar example, by the cosine with each of them."""
    owners = [name for name, texts in data.examples.items() for _ in texts]
    examples = encode([text for texts in data.examples.values() for text in texts])
    return lambda text: Choice(owners[int((examples @ encode([text])[0]).argmax())])


def centroid(data: Split, encode: Encode) -> Choose:
    """The route whose examples' mean is most similar."""
    names = list(data.examples)
    means = np.stack([encode(texts).mean(axis=0) for texts in data.examples.values()])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return lambda text: Choice(names[int((means @ encode([text])[0]).argmax())])


def static() -> Encode:
    """wordllama's vectors of the normalised texts."""
    encoder = load_encoder("wordllama")
    return lambda texts: encoder.encode([normalised(text) for text in texts])


def minilm() -> Encode:
    """The embedded sentence encoder, as the embedding model serves it."""
    adapter = load(TaskConfig.model_validate({"task": "embedding", "model": "embedded/minilm-l6"}))
    return lambda texts: adapter.predict([adapter.parse(text, index) for index, text in enumerate(texts)])


def row(name: str, choose: Choose, data: Split, count: int) -> list[str]:
    """One method on the first `count` questions: as they are, then with one and with two slips in each."""
    texts, answers = data.questions[:count], data.answers[:count]
    for text in texts[:WARM_UP]:
        choose(text)
    choices, seconds = timed(choose, texts)
    line = [name, str(count), share(choices, answers)]
    for slips in (1, 2):
        generator = random.Random(SEED + slips)
        typed = [mistyped(text, slips, generator) for text in texts]
        line.append(share([choose(text) for text in typed], answers))
    line += doubts(choices, answers)
    return [*line, *(f"{quantile * 1e3:.2f}" for quantile in np.quantile(seconds, (0.5, 0.99)))]


def timed(choose: Choose, texts: list[str]) -> tuple[list[Choice], list[float]]:
    """The choices, and the seconds of each."""
    choices, seconds = [], []
    for text in texts:
        start = time.perf_counter()
        choices.append(choose(text))
        seconds.append(time.perf_counter() - start)
    return choices, seconds


def share(choices: Sequence[Choice], answers: Sequence[str]) -> str:
    """How many of the best routes are right, whether they were taken or not."""
    return f"{np.mean([choice.route == answer for choice, answer in zip(choices, answers, strict=True)]):.1%}"


def doubts(choices: list[Choice], answers: list[str]) -> list[str]:
    """How many were abstained from, how many of the others are right, and the calibration error of the confidence."""
    if choices[0].confidence is None:
        return ["", "", ""]
    kept = [(choice, answer) for choice, answer in zip(choices, answers, strict=True) if not choice.abstained]
    right = np.array([choice.route == answer for choice, answer in zip(choices, answers, strict=True)])
    told = np.array([choice.confidence for choice in choices])
    abstained = 1 - len(kept) / len(choices)
    return [f"{abstained:.1%}", share(*zip(*kept, strict=True)), f"{calibration_error(told, right):.3f}"]


def calibration_error(told: Any, right: Any, bins: int = 10) -> float:
    """Expected calibration error (Guo et al., On Calibration of Modern Neural Networks, 2017)."""
    places = np.minimum((told * bins).astype(int), bins - 1)
    gaps = [abs(told[places == each].sum() - right[places == each].sum()) for each in range(bins)]
    return float(np.sum(gaps) / len(told))


def main(
    data: Annotated[Path, typer.Option(help="The folder of banking77_train.csv.")] = DATA,
    count: Annotated[int, typer.Option(help="Held-out questions.")] = 1500,
    scanned: Annotated[int, typer.Option(help="Of them, those that MiniLM is asked.")] = 300,
) -> None:
    """Measure all and print one table."""
    questions = split(data, count, SEED)
    with threadpool_limits(1, "blas"):  # as in a router replica, to which Ray gives one thread
        rows = [
            row("ours", semantic(questions), questions, count),
            row("ours, MiniLM's sample", semantic(questions), questions, scanned),
            row("wordllama, nearest example", nearest(questions, static()), questions, count),
            row("wordllama, nearest centroid", centroid(questions, static()), questions, count),
        ]
    rows.append(row("MiniLM, nearest example (linear scan)", nearest(questions, minilm()), questions, scanned))
    report.show(f"BANKING77: 77 routes, 10 examples each, seed {SEED}", COLUMNS, rows)


if __name__ == "__main__":
    typer.run(main)
