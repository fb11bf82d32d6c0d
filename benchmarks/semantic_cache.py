"""How often a semantic cache is wrong: BANKING77's questions in turn, each answered by the nearest one before it.

    python -m benchmarks.semantic_cache

A hit is wrong where the two questions have different intents. The questions are split in halves: a threshold is chosen
on the first, and the second, which had no part in the choice, says what it is worth. Each is asked in several orders.
"""

from __future__ import annotations

import csv
import os
import random
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer
import wordllama
from wordllama import WordLlama

from benchmarks import report
from benchmarks.corpus import DATA
from deployments.router.cache.semantic import Vectors
from deployments.router.cache.wording import agree

SEED = 77
ORDERS = 5
MEASURED = ("hits", "wrong of hits", "wrong of requests")
THRESHOLDS = (0.80, 0.85, 0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99)

Flags = np.ndarray[Any, np.dtype[np.bool_]]


class Question(NamedTuple):
    """A text and what its author wanted."""

    text: str
    intent: str


class Nearest(NamedTuple):
    """Of each question but the first: how alike the nearest one before it is, and whether it has the same intent."""

    cosines: Vectors  # shape (n - 1,); 0 where the wording is not that of the same question
    is_same: Flags  # shape (n - 1,)


def questions(folder: Path) -> list[Question]:
    """BANKING77's train questions (Casanueva et al., 2020) in an order of our own."""
    with (folder / "banking77_train.csv").open(newline="") as file:
        found = [Question(*row) for row in islice(csv.reader(file), 1, None)]
    random.Random(SEED).shuffle(found)
    return found


def nearest(asked: list[Question], encoder: WordLlama) -> Nearest:
    """As a cache of unlimited size would find them, in ORDERS orders one after the other."""
    vectors = encoder.embed([question.text for question in asked], norm=True)
    generator = np.random.default_rng(SEED)
    orders = [generator.permutation(len(asked)) for _ in range(ORDERS)]
    runs = [in_order([asked[index] for index in order], vectors[order]) for order in orders]
    return Nearest(*map(np.concatenate, zip(*runs, strict=True)))


def in_order(asked: list[Question], vectors: Vectors) -> Nearest:
    """One order."""
    cosines = np.tril(vectors @ vectors.T, k=-1)[1:]
    pairs = [(asked[best], question) for best, question in zip(cosines.argmax(axis=1), asked[1:], strict=True)]
    agreeing = [agree(earlier.text, question.text) for earlier, question in pairs]
    is_same = [earlier.intent == question.intent for earlier, question in pairs]
    return Nearest(np.where(agreeing, cosines.max(axis=1), 0), np.asarray(is_same))


def row(threshold: float, first: Nearest, second: Nearest) -> list[str]:
    """What a threshold gives."""
    return [f"{threshold:.2f}", *measured(threshold, first), *measured(threshold, second)]


def measured(threshold: float, found: Nearest) -> list[str]:
    """The share of hits, and of them and of all requests the share that is wrong."""
    hits = found.cosines >= threshold
    wrong = (hits & ~found.is_same).sum()
    return [f"{hits.mean():.1%}", f"{wrong / hits.sum():.2%}", f"{wrong / len(hits):.3%}"]


def main(data: Annotated[Path, typer.Option(help="The folder of the questions.")] = DATA) -> None:
    """Measure and print one table."""
    encoder = WordLlama.load(cache_dir=os.path.dirname(wordllama.__file__), disable_download=True)
    asked = questions(data)
    half = len(asked) // 2
    first, second = nearest(asked[:half], encoder), nearest(asked[half:], encoder)
    rows = [row(threshold, first, second) for threshold in THRESHOLDS]
    columns = ["threshold", *(f"{what}, {name}" for name in ("first half", "second half") for what in MEASURED)]
    report.show(f"Semantic cache, 2 x {half} questions, {ORDERS} orders", columns, rows)


if __name__ == "__main__":
    typer.run(main)
