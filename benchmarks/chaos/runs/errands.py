"""Background runs by the seed, each with the calls that it must make and the answer that it must give."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoglm.contract.plan import Plan
from benchmarks.chaos.runs.services import TOOLS

FEWEST_STEPS, MOST_STEPS = 3, 8
SHORTEST_S, LONGEST_S = 0.3, 2.0  # of a step: a chain of eight takes some 9 s, and a kill meets most runs under way
ASKING, CANCELLED, OF = 2, 5, 8  # the third of each eight errands is to be approved, the sixth is cancelled
ASK = "ask"

Needs = list[list[int]]  # the steps that each step adds up, by their numbers
Call = tuple[int | str, ...]  # the errand, the step and its amounts, as a service writes it down


@dataclass(frozen=True)
class Errand:
    """A run that is sent; `calls` are those of its steps, by their ids. It is cancelled `cancel_s` after it began."""

    number: int
    plan: Plan
    calls: dict[str, Call]
    answer: str
    cancel_s: float | None = None

    @property
    def instruction(self) -> str:
        """What it is known by."""
        return f"errand {self.number}"


def errands(count: int, seed: int, deliveries: Path) -> list[Errand]:
    """So many; their tools write to the file `deliveries`."""
    chance = random.Random(seed)
    return [errand(number, chance, deliveries) for number in range(count)]


def errand(number: int, chance: random.Random, deliveries: Path) -> Errand:
    """A chain, a fan-out or a diamond of steps, each of which adds an amount of its own to those before it."""
    needs = chance.choice(SHAPES)(chance.randint(FEWEST_STEPS, MOST_STEPS))
    calls = called(number, needs, [chance.randint(1, 1000) for _ in needs])
    steps = [step(call, before, chance, deliveries) for call, before in zip(calls, needs, strict=True)]
    if number % OF == ASKING:
        steps = [*({**one, "after": [ASK]} for one in steps[1:]), steps[0], CONSENT]
    last = [index for index in range(len(needs)) if not any(index in before for before in needs)]
    return Errand(
        number,
        Plan.model_validate({"steps": steps, "answer": " ".join(f"${{s{index}}}" for index in last)}),
        {str(call[1]): call for call in calls},
        " ".join(str(total(calls[index])) for index in last),
        chance.uniform(0, LONGEST_S) if number % OF == CANCELLED else None,
    )


CONSENT = {"id": ASK, "kind": "approval", "name": "go on?", "after": ["s0"]}


def step(call: Call, needs: Sequence[int], chance: random.Random, deliveries: Path) -> dict[str, Any]:
    """The step that makes a call, with references in place of the results that it adds up."""
    number, name, own, *_ = call
    arguments = {"own": own, "others": [f"${{s{index}}}" for index in needs]}
    where = {"deliveries": str(deliveries), "errand": number, "step": name}
    seconds = round(chance.uniform(SHORTEST_S, LONGEST_S), 2)
    return {
        "id": name,
        "kind": "tool",
        "name": chance.choice(TOOLS),
        "arguments": where | arguments | {"seconds": seconds},
    }


def chain(size: int) -> Needs:
    """One after the other."""
    return [[index - 1] if index else [] for index in range(size)]


def fan_out(size: int) -> Needs:
    """All others after the first."""
    return [[0] if index else [] for index in range(size)]


def diamond(size: int) -> Needs:
    """All others after the first, and the last after them."""
    return [*fan_out(size - 1), list(range(1, size - 1))]


SHAPES: Sequence[Callable[[int], Needs]] = (chain, fan_out, diamond)


def called(number: int, needs: Needs, own: Sequence[int]) -> list[Call]:
    """The call of each step."""
    calls: list[Call] = []
    for index, (before, amount) in enumerate(zip(needs, own, strict=True)):
        calls.append((number, f"s{index}", amount, *(total(calls[one]) for one in before)))
    return calls


def total(call: Call) -> int:
    """What a service answers to a call."""
    return sum(int(amount) for amount in call[2:])


def file_of() -> dict[str, Any]:
    """The cluster's file: the tools, granted to the local key, and one small task, since a file needs a model."""
    return {
        "tasks": [{"name": "iris", "task": "tabular-classification", "data": {"train": "embedded/iris"}}],
        "tools": [{"name": name, **entry(name)} for name in TOOLS],
        "grants": [{"kind": "tenant", "subject": "default", "tool": name} for name in TOOLS],
    }


def entry(name: str) -> dict[str, Any]:
    """One of the tools as the file has it, with places for the widest plans of all runs at once."""
    return {"python": f"benchmarks.chaos.runs.services:{name}", "max_concurrency": 128}
