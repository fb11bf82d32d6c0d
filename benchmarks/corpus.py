"""The prompts and sentences that the benchmarks send."""

from __future__ import annotations

import csv
import json
from pathlib import Path

DATA = Path(__file__).parents[2] / "shared" / "data"


def chat_prompts(folder: Path) -> list[str]:
    """The first turns of MT-bench's and Vicuna's questions, 160 in all."""
    prompts = []
    for name in ("mt_bench_question.jsonl", "vicuna_question.jsonl"):
        with (folder / name).open() as file:
            prompts += [json.loads(line)["turns"][0] for line in file]
    return prompts


def sentences(folder: Path) -> list[str]:
    """SST-2's dev sentences, in their own order."""
    with (folder / "sst2_dev.tsv").open(newline="") as file:
        return [row[0] for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
