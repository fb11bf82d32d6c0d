"""What of a plan waits for what: its steps in layers, each after those that it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoglm.contract.plan import Plan, Step

_REFERENCE = re.compile(r"\$\$\{|\$\{([a-z][a-z0-9_]{0,31})")  # `$${` is a plain `${`


def needs(plan: Plan) -> dict[str, tuple[str, ...]]:
    """The steps of the plan that each step waits for, by id, each once."""
    known = {step.id for step in plan.steps}
    return {step.id: tuple(dict.fromkeys(id for id in _named(step) if id in known)) for step in plan.steps}


def layers(plan: Plan) -> list[list[str]]:
    """The steps' ids, each in the layer after the last of those that it waits for; a cycle's are the last layer.

    In a layer they stand by where those stand that they wait for (the barycentre rule of Sugiyama, Tagawa and Toda,
    1981), so that few lines cross.
    """
    waiting, placed = needs(plan), list[list[str]]()
    rows: dict[str, float] = {}
    while waiting:
        ready = [id for id, before in waiting.items() if all(other in rows for other in before)] or list(waiting)
        ready.sort(key=lambda id: _barycentre(waiting[id], rows))
        rows.update({id: float(row) for row, id in enumerate(ready)})
        waiting = {id: before for id, before in waiting.items() if id not in rows}
        placed.append(ready)
    return placed


def _barycentre(before: tuple[str, ...], rows: dict[str, float]) -> float:
    found = [rows[id] for id in before if id in rows]
    return sum(found) / len(found) if found else 0.0


def _named(step: Step) -> Iterator[str]:
    yield from step.after
    yield from _references(step.arguments)
    if step.when is not None:
        yield from _references(step.when.ref)
    if step.fallback is not None:
        yield from _references(step.fallback.arguments)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from (id for id in _REFERENCE.findall(value) if id)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _references(item)
