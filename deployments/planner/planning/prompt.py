"""What a model is told: to make a plan, to repair or replace one, and to put results into words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autoglm.contract.plan import Plan
from autoglm.contract.task_run import StepRun
from deployments.planner.planning.choices import Choices
from deployments.planner.planning.data import NOTICE, marked

Message = dict[str, str]

PLANNING = f"""You turn an instruction into a plan: steps that call tools, tasks or models.
Answer with JSON only: {{"steps": [{{"why": "...", "kind": "tool", "name": "...", "arguments": {{...}}}}]}}
Use only what is listed. Take every value from the instruction, or write "${{s1}}", "${{s1.field}}" or
"${{s1[0].field}}" for the result of the first step, and so on. Steps that do not need each other run at the same time.
Where no tool is needed, use one step of kind model with the instruction as its prompt.
{NOTICE}"""
COMPOSING = f"""Answer the instruction with the results of the steps that were run for it, in its own
language. Say only what the results say; where they do not answer it, say so. Be brief.
{NOTICE}"""
MAX_RESULT = 2_000  # characters of each step's result that are shown


def planning(instruction: str, choices: Choices) -> list[Message]:
    """A system's turn with what may be used, and the user's."""
    return [
        {"role": "system", "content": f"{PLANNING}\n\nWhat may be used:\n<data>\n{choices}\n</data>"},
        {"role": "user", "content": instruction},
    ]


def repair(answer: str, faults: str, max_chars: int) -> list[Message]:
    """The faulty plan as the model gave it, and what is wrong with it; each has half of the room."""
    wrong = f"The plan cannot be run: {faults[: max_chars // 2]}. Write the whole plan again, as JSON."
    return [{"role": "assistant", "content": answer[: max_chars // 2]}, {"role": "user", "content": wrong}]


def replanning(plan: Plan, done: Sequence[StepRun], failed: Sequence[StepRun], first: int, max_chars: int) -> Message:
    """What became of a plan, for another one in its place, whose first step has the number `first`.

    Plan, results and errors have a third of the room each.
    """
    most = max_chars // 3
    results = "\n".join(shown({step.id: step.result for step in done}, most))
    errors = {step.id: step.error.message if step.error else "failed" for step in failed}
    text = (
        f"This plan was begun:\n{marked('plan', plan.model_dump(mode='json', exclude_defaults=True), most)}\n"
        f"Results so far:\n{results}\nSteps that failed:\n{marked('errors', errors, min(MAX_RESULT, most))}\n"
        "Write another plan for the instruction. You may refer to the results so far, and do not repeat their steps. "
        f"The first step of the new plan is s{first}, the next s{first + 1}."
    )
    return {"role": "user", "content": text}


def composing(instruction: str, results: Mapping[str, Any], max_chars: int) -> list[Message]:
    """A system's turn, and the instruction with what was found out; each of the two has half of the room."""
    found = "\n".join(shown(results, max_chars // 2))
    return [
        {"role": "system", "content": COMPOSING},
        {"role": "user", "content": f"{instruction[: max_chars // 2]}\n\nResults:\n{found}"},
    ]


def shown(results: Mapping[str, Any], max_chars: int) -> Iterable[str]:
    """Results as data, each cut, the last of many left out."""
    for step, result in results.items():
        line = marked(step, result, min(MAX_RESULT, max_chars // 2))
        max_chars -= len(line) + 1
        if max_chars < 0:
            return
        yield line
