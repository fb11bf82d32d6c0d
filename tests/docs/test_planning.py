"""The page on planning: its file, its plan and its figures. Its other snippets are in tests/e2e."""

from __future__ import annotations

import json
import re
from typing import get_args

import pytest

from autoglm.contract.plan import Plan, Step
from autoglm.contract.task_run import EventType
from cluster.control import runs
from deployments.planner.execution.config import ExecutionConfig
from deployments.planner.planning.config import PlanLimits
from deployments.planner.planning.validation import MAX_REFERENCES
from serve_app.config import PlannerSection, parse
from tests.snippets import ROOT, snippets

PAGE = "docs/planning.md"
TEXT = " ".join((ROOT / PAGE).read_text().split())


def test_the_file_is_one_that_a_cluster_takes_and_says_what_is_so_without_it() -> None:
    """As it is printed; a reader changes one of the figures and knows what the others are."""
    [file] = snippets(PAGE, "yaml")
    assert parse(file.text, PAGE).planner == PlannerSection()


def test_the_plan_is_one() -> None:
    """It reads what it shows: a reference makes the order."""
    [code] = [found.text for found in snippets(PAGE, "python") if "model_validate" in found.text]
    written = code.split("model_validate(\n")[1].split("\n)\n")[0]
    plan = Plan.model_validate(json.loads(re.sub(r",(\s*[}\]])", r"\1", written)))
    assert [step.id for step in plan.steps] == ["days", "sum"]


@pytest.mark.parametrize(
    "name", [*get_args(EventType), *(name for name in Step.model_fields if name not in ("id", "why"))]
)
def test_every_event_and_every_field_of_a_step_is_on_the_page(name: str) -> None:
    """A new one is documented."""
    assert f"`{name}`" in TEXT


def test_the_limits_are_the_codes() -> None:
    """A reader sizes by them."""
    limits = ExecutionConfig()
    sentence = TEXT.split("## Limits")[1]
    for figure in (
        f"{limits.max_steps} steps",
        f"{limits.max_calls} calls",
        f"{limits.max_same_calls} of the same call",
        f"{limits.max_replans} new plans",
        f"{limits.timeout_s:.0f} s",
        f"{limits.max_result_bytes >> 20} MiB",
        f"{limits.max_results_bytes >> 20} MiB",
        f"{PlanLimits().max_model_steps} steps that call a model, {PlanLimits().max_bytes >> 20} MiB",
        f"{MAX_REFERENCES:,} references",
        f"{runs.MAX_OPEN:,} runs",
        f"{runs.KEPT.days} days, the newest {runs.KEPT_RUNS:,}",
    ):
        assert figure in sentence
