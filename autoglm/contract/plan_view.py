"""How a plan looks: a graph in a notebook, lines in a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from autoglm.contract.plan_graph import layers, needs

if TYPE_CHECKING:
    from autoglm.contract.plan import Plan, Step

MAX_DRAWN = 100  # steps; the rest is counted
MAX_SHOWN = 100  # characters of a step's arguments in a line
MAX_LABEL = 24  # characters that fit in a box

WIDTH, HEIGHT, COLUMN_GAP, ROW_GAP, MARGIN = 170, 44, 50, 16, 8  # pixels

# Fill and border by status; those of a plan that does not run yet are pending.
COLOURS = {
    "pending": ("#f4f4f5", "#a1a1aa"),
    "waiting": ("#fef3c7", "#d97706"),
    "running": ("#dbeafe", "#2563eb"),
    "succeeded": ("#dcfce7", "#16a34a"),
    "failed": ("#fee2e2", "#dc2626"),
    "skipped": ("#ffffff", "#d4d4d8"),
    "cancelled": ("#e4e4e7", "#52525b"),
}

Statuses = Mapping[str, str]


class Box(NamedTuple):
    """Where a step is drawn: the upper left corner."""

    x: int
    y: int


def svg(plan: Plan, statuses: Statuses) -> str:
    """The plan as a graph from left to right, a column for each layer, coloured by status; everything escaped."""
    columns = layers(plan)
    boxes = _boxes(columns)
    steps = {step.id: step for step in plan.steps if step.id in boxes}
    lines = "".join(_line(boxes[before], boxes[id]) for id, before in _edges(plan, boxes))
    nodes = "".join(_node(step, boxes[id], statuses.get(id, "pending")) for id, step in steps.items())
    width = max(box.x for box in boxes.values()) + WIDTH + MARGIN
    height = max(box.y for box in boxes.values()) + HEIGHT + MARGIN
    more = f"<p>… and {len(plan.steps) - len(boxes)} more</p>" if len(boxes) < len(plan.steps) else ""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">'
    return f"{head}{lines}{nodes}</svg>{more}"


def lines(plan: Plan, statuses: Statuses) -> Iterator[str]:
    """A line for each step, in an order in which they can run."""
    steps, before = {step.id: step for step in plan.steps}, needs(plan)
    for id in (id for layer in layers(plan) for id in layer):
        step = steps[id]
        after = f", after {', '.join(before[id])}" if before[id] else ""
        status = f" [{statuses[id]}]" if id in statuses else ""
        yield f"{id}{status}: {step.kind} {step.name} {_cut(_written(step), MAX_SHOWN)}{after}"
    if plan.answer is not None:
        yield f"answer: {plan.answer}"


def _boxes(columns: list[list[str]]) -> dict[str, Box]:
    places = [
        (id, Box(MARGIN + column * (WIDTH + COLUMN_GAP), MARGIN + row * (HEIGHT + ROW_GAP)))
        for column, ids in enumerate(columns)
        for row, id in enumerate(ids)
    ]
    return dict(places[:MAX_DRAWN])


def _edges(plan: Plan, boxes: Mapping[str, Box]) -> Iterator[tuple[str, str]]:
    for id, before in needs(plan).items():
        yield from ((id, other) for other in before if id in boxes and other in boxes)


def _line(start: Box, end: Box) -> str:
    x1, y1, x2, y2 = start.x + WIDTH, start.y + HEIGHT // 2, end.x, end.y + HEIGHT // 2
    bend = COLUMN_GAP // 2
    path = f"M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}"
    return f'<path d="{path}" fill="none" stroke="#a1a1aa"/>'


def _node(step: Step, box: Box, status: str) -> str:
    fill, border = COLOURS.get(status, COLOURS["pending"])
    hint = "\n".join(filter(None, (f"{step.id}: {status}", step.why, _cut(_written(step), MAX_SHOWN))))
    shape = f'<rect x="{box.x}" y="{box.y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{fill}" stroke="{border}"/>'
    name = _text(box, 18, "600", step.id)
    what = _text(box, 35, "400", f"{step.kind} {step.name}")
    return f"<g><title>{escape(hint)}</title>{shape}{name}{what}</g>"


def _text(box: Box, down: int, weight: str, content: str) -> str:
    place = f'x="{box.x + 10}" y="{box.y + down}" font-size="12" font-weight="{weight}" fill="#18181b"'
    return f"<text {place}>{escape(_cut(content, MAX_LABEL))}</text>"


def _written(step: Step) -> str:
    return json.dumps(step.arguments, ensure_ascii=False)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
