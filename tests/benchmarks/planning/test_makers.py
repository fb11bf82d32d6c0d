"""What counts as a plan, however a model was asked for it."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from autoglm.contract.tool import ToolCard
from benchmarks.planning.bfcl.case import Case
from benchmarks.planning.bfcl.makers import ByModel, calls
from benchmarks.planning.engine import UNASKED, Engine
from deployments.meaning import load_encoder
from deployments.planner.planning.config import ModelPlanning
from deployments.planner.planning.retrieval import ToolIndex

PLAY = ToolCard(name="play", parameters={"type": "object", "properties": {"minutes": {"type": "integer"}}})
CASE = Case("simple_0", "simple_python", "Play 20 minutes.", (PLAY,))


def plan(name: str, minutes: Any = 20) -> str:
    """A model's answer."""
    return json.dumps({"steps": [{"id": "s1", "kind": "tool", "name": name, "arguments": {"minutes": minutes}}]})


class FakeEngine:
    """The answers in turn."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.requests: list[dict[str, Any]] = []

    async def complete(self, request: dict[str, Any]) -> dict[str, Any]:
        """The next."""
        self.requests.append(request)
        return {"choices": [{"message": {"content": self._answers.pop(0)}}]}


def by_model(engine: FakeEngine) -> ByModel:
    """With one repair."""
    return ByModel(cast(Engine, engine), UNASKED, ModelPlanning(max_repairs=1))


@pytest.mark.parametrize(
    ("text", "made"),
    [
        (f"Sure: ```{plan('play')}``` as asked.", [("play", {"minutes": 20})]),
        (plan("sing"), []),
        ("I would play it.", []),
    ],
)
async def test_a_raw_answer_is_read_with_what_stands_around_it(text: str, made: list[Any]) -> None:
    """A plan of a function that was not given is none."""
    engine = FakeEngine(text)
    found = await by_model(engine).raw(CASE)
    assert (found is not None, calls(found)) == (bool(made), made)
    assert "structured_outputs" not in engine.requests[0]


async def test_under_the_schema_a_plan_is_repaired_as_the_planner_does_it() -> None:
    """And one that cannot be repaired is none."""
    repaired = FakeEngine(plan("play", "long"), plan("play"))
    assert calls(await by_model(repaired).with_schema(CASE)) == [("play", {"minutes": 20})]
    assert "structured_outputs" in repaired.requests[1]
    assert await by_model(FakeEngine("{", "{")).with_schema(CASE) is None


async def test_with_retrieval_the_functions_are_found_among_all() -> None:
    """The case's own are not given apart."""
    others = [ToolCard(name=f"bake_{kind}", description="Bake bread.", parameters={}) for kind in "abc"]
    engine = FakeEngine(plan("play"))
    ours = ByModel(cast(Engine, engine), UNASKED, ModelPlanning(tools=2))
    found = await ours.with_retrieval(ToolIndex(load_encoder("wordllama")), others)(CASE)
    assert calls(found) == [("play", {"minutes": 20})]
    choices = engine.requests[0]["structured_outputs"]["json"]["properties"]["steps"]["prefixItems"][0]["anyOf"]
    assert len(choices) == 3
