"""What a model is told: to make a plan, to repair or replace one, and to put results into words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autoglm.contract.model_list import ModelCard
from autoglm.contract.plan import Plan
from autoglm.contract.task_run import StepRun
from autoglm.contract.tool import ToolCard
from deployments.planner.planning.data import NOTICE, marked
from deployments.planner.planning.means import KINDS

Message = dict[str, str]

PLANNING = f"""You turn an instruction into a plan: steps that call tools, tasks or models.
Answer with JSON only: {{"steps": [{{"id": "s1", "why": "...", "kind": "tool", "name": "...", "arguments": {{...}}}}]}}
Use only what is listed. Take every value from the instruction, or write "${{s1}}", "${{s1.field}}" or
"${{s1[0].field}}" for a result of an earlier step. Steps that do not need each other run at the same time.
Where no tool is needed, use one step of kind model with the instruction as its prompt.
{NOTICE}"""
COMPOSING = f"""Answer the instruction with the results of the steps that were run for it, in its own
language. Say only what the results say; where they do not answer it, say so. Be brief.
{NOTICE}"""
MAX_DESCRIPTION = 400  # characters of a tool's; what comes after is rarely about what it does
MAX_RESULT = 2_000  # characters of each step's result that are shown
MAX_RESULTS = 12_000  # of all of them; about 3,000 tokens of English


def planning(instruction: str, tools: Sequence[ToolCard], models: Sequence[ModelCard], max_chars: int) -> list[Message]:
    """A system's turn with what may be used, as much as fits, the nearest first; and the user's."""
    listed = "\n".join(_fitting([*map(_tool, tools), *_served(models)], max_chars))
    return [
        {"role": "system", "content": f"{PLANNING}\n\nWhat may be used:\n<data>\n{listed}\n</data>"},
        {"role": "user", "content": instruction[:max_chars]},
    ]


def repair(answer: str, faults: str) -> list[Message]:
    """The faulty plan as the model gave it, and what is wrong with it."""
    return [
        {"role": "assistant", "content": answer},
        {"role": "user", "content": f"The plan cannot be run: {faults}. Write the whole plan again, as JSON."},
    ]


def replanning(plan: Plan, done: Sequence[StepRun], failed: Sequence[StepRun]) -> Message:
    """What became of a plan, for another one in its place."""
    results = "\n".join(shown({step.id: step.result for step in done}))
    errors = {step.id: step.error.message if step.error else "failed" for step in failed}
    text = (
        f"This plan was begun:\n{marked('plan', plan.model_dump(mode='json', exclude_defaults=True), MAX_RESULTS)}\n"
        f"Results so far:\n{results}\nSteps that failed:\n{marked('errors', errors, MAX_RESULT)}\n"
        "Write another plan for the instruction. You may refer to the results so far, do not repeat their steps, and "
        "give every new step an id that was not used yet."
    )
    return {"role": "user", "content": text}


def composing(instruction: str, results: Mapping[str, Any]) -> list[Message]:
    """A system's turn, and the instruction with what was found out."""
    found = "\n".join(shown(results))
    return [
        {"role": "system", "content": COMPOSING},
        {"role": "user", "content": f"{instruction[:MAX_RESULTS]}\n\nResults:\n{found}"},
    ]


def shown(results: Mapping[str, Any]) -> Iterable[str]:
    """Results as data, each cut, the last of many left out."""
    return _fitting([marked(step, result, MAX_RESULT) for step, result in results.items()], MAX_RESULTS)


def _tool(card: ToolCard) -> str:
    said = {
        "kind": "tool",
        "name": card.name,
        "description": card.description[:MAX_DESCRIPTION],
        "parameters": card.parameters.get("properties", {}),
        "required": card.parameters.get("required", []),
        "returns": (card.returns or {}).get("properties", {}),
    }
    return _line(said)


def _served(models: Sequence[ModelCard]) -> list[str]:
    cards = [card for card in models if card.task in KINDS]
    return [
        _line({"kind": KINDS[card.task or ""], "name": card.id, "task": card.task, "labels": list(card.labels or ())})
        for card in cards
    ]


def _line(said: dict[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False).replace("<", "\\u003c")


def _fitting(lines: Sequence[str], max_chars: int) -> Iterable[str]:
    """The first lines that are not longer together."""
    left = max_chars
    for line in lines:
        left -= len(line) + 1
        if left < 0:
            return
        yield line
