"""The project's own set: instructions over the embedded tools, with the plan and the answer that are right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

FILE = Path(__file__).parent / "instructions.jsonl"

# `seen` was there before the grammar was written; `held_out`, in other words, was not run until the grammar answered
# `seen`; `late` was written after that, as a check of both.
Half = Literal["seen", "held_out", "late"]


class Instruction(BaseModel):
    """One, with its gold plan: `nodes` are the names of what is called, `edges` pairs of their places.

    Numbers of `answer` must stand in the answer, texts too; of one that chat answers they are asked for where there is
    a model. What is to be refused has no plan.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    half: Half
    language: Literal["en", "zh"]
    instruction: str
    outcome: Literal["answer", "chat", "refused"] = "answer"
    nodes: tuple[str, ...] = ()
    edges: tuple[tuple[int, int], ...] = ()
    answer: tuple[int | float | str, ...] = ()

    def pairs(self) -> list[tuple[str, str]]:
        """The names at both ends of each edge."""
        return [(self.nodes[before], self.nodes[after]) for before, after in self.edges]


def instructions() -> list[Instruction]:
    """All of them."""
    lines = FILE.read_text().splitlines()
    return [Instruction.model_validate(json.loads(line)) for line in lines]
