"""BANKING77's train file, split: ten questions of each intent are its examples, of the others a sample is asked."""

from __future__ import annotations

import csv
import random
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXAMPLES = 10


@dataclass(frozen=True)
class Split:
    """Examples by route, and held-out questions with the routes that are right; none is in both."""

    examples: dict[str, list[str]]
    questions: list[str]
    answers: list[str]

    def routes(self) -> list[dict[str, Any]]:
        """The examples as the file declares them; every route needs a target, here the same."""
        return [{"name": name, "examples": texts, "model": "chat"} for name, texts in self.examples.items()]


def split(folder: Path, count: int, seed: int) -> Split:
    """`count` held-out questions, drawn from all intents alike."""
    generator = random.Random(seed)
    examples, held_out = {}, []
    for name, texts in sorted(by_intent(folder).items()):
        generator.shuffle(texts)
        examples[name] = texts[:EXAMPLES]
        held_out += [(text, name) for text in texts[EXAMPLES:]]
    chosen = generator.sample(held_out, count)
    return Split(examples, [text for text, _ in chosen], [name for _, name in chosen])


def by_intent(folder: Path) -> dict[str, list[str]]:
    """The questions of each intent, which is named as a route can be (`reverted_card_payment?` cannot)."""
    texts = defaultdict(list)
    with (folder / "banking77_train.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            texts[re.sub(r"[^a-z0-9]+", "-", row["category"].lower()).strip("-")].append(row["text"])
    return texts
