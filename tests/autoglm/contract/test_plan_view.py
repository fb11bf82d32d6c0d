"""Plans as a notebook and a terminal show them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime

from autoglm.contract import Plan, Step, StepRun, TaskRun
from autoglm.contract.plan_graph import layers, needs

PLAN = Plan(
    steps=(
        Step(id="sum", kind="tool", name="calculate", arguments={"expression": "${a.value} + ${b[0].x} + $${c}"}),
        Step(id="a", kind="tool", name="calculate", arguments={"expression": "17 * 23"}, why="<i>first</i>"),
        Step(id="b", kind="task", name="sentiment", arguments={"inputs": [{"deep": "${a}"}]}),
        Step(id="c", kind="approval", name="go on", after=("sum",)),
    ),
    answer="${sum.value}",
)


def test_a_step_stands_after_what_it_refers_to_or_names() -> None:
    """References however deep, `after` and nothing that is escaped; each needed step once."""
    assert needs(PLAN) == {"sum": ("a", "b"), "a": (), "b": ("a",), "c": ("sum",)}
    assert layers(PLAN) == [["a"], ["b"], ["sum"], ["c"]]


def test_a_cycle_is_drawn_and_not_chased() -> None:
    """A plan that no cluster would run can still be looked at."""
    steps = (
        Step(id="a", kind="tool", name="x", after=("b",)),
        Step(id="b", kind="tool", name="x", after=("a",)),
        Step(id="c", kind="tool", name="x"),
    )
    assert layers(Plan(steps=steps)) == [["c"], ["a", "b"]]
    assert "<svg" in Plan(steps=steps)._repr_html_()


def test_the_graph_is_well_formed_and_everything_in_it_escaped() -> None:
    """A name or a reason is data, not markup; nothing is loaded from elsewhere."""
    shown = PLAN._repr_html_()
    root = ET.fromstring(shown)
    assert len(root.findall(".//{*}rect")) == 4
    assert len(root.findall("{*}path")) == 4
    assert "<i>" not in shown
    assert not re.search(r"href|src=|url\(|<script", shown)


def test_a_runs_steps_are_coloured_by_their_status() -> None:
    """What failed is seen at a glance, and the answer stands above."""
    run = TaskRun(
        id=f"run_{'0' * 32}",
        instruction="x",
        status="failed",
        plan=PLAN,
        steps=(StepRun(id="a", kind="tool", name="calculate", status="failed"),),
        answer="a <b>",
        created=datetime(2026, 3, 1, tzinfo=UTC),
    )
    shown = run._repr_html_()
    assert shown.count('stroke="#dc2626"') == 1
    assert "a &lt;b&gt;" in shown
    assert str(run) == "a <b>"


def test_a_large_plan_is_cut_and_counted() -> None:
    """A thousand boxes would be no picture."""
    steps = tuple(Step(id=f"s{number}", kind="tool", name="x") for number in range(150))
    shown = Plan(steps=steps)._repr_html_()
    assert shown.count("<rect") == 100
    assert "and 50 more" in shown


def test_a_terminal_shows_a_line_for_each_step_in_an_order_that_runs() -> None:
    """With what it is called with and what it waits for."""
    assert str(PLAN).splitlines() == [
        'a: tool calculate {"expression": "17 * 23"}',
        'b: task sentiment {"inputs": [{"deep": "${a}"}]}, after a',
        'sum: tool calculate {"expression": "${a.value} + ${b[0].x} + $${c}"}, after a, b',
        "c: approval go on {}, after sum",
        "answer: ${sum.value}",
    ]
