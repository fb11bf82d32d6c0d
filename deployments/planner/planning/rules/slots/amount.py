"""Numbers, units, and both together."""

from __future__ import annotations

from typing import Any

from deployments.planner.planning.rules import units
from deployments.planner.planning.rules.scene import Scene
from deployments.planner.planning.rules.slots.span import Found, after_back, listed, names, skip
from deployments.planner.planning.rules.token import Expression, Kind

NUMBER: tuple[Kind, ...] = ("number",)


def number(scene: Scene, at: int) -> Found:
    """A number, a negative one, or the one that was found out before."""
    if scene.kind_at(at) == "number":
        yield at + 1, scene.tokens[at].value
    elif scene.is_at(at, "-") and scene.kind_at(at + 1) == "number":
        yield at + 2, Expression(f"-{scene.tokens[at + 1].value.operand}")
    elif (end := after_back(scene, at, "number")) and (before := scene.before(at, NUMBER, only_results=True)):
        yield end, before.value


def numbers(scene: Scene, at: int) -> Found:
    """Two numbers or more, as a list in words or in JSON."""
    if scene.kind_at(at) == "json" and _all_numbers(scene.tokens[at].value):
        yield at + 1, tuple(Expression.of(item) for item in scene.tokens[at].value)
        return
    found = listed(scene, at, "number")
    for count in range(len(found), 1, -1):
        yield found[count - 1][0], tuple(token.value for _, token in found[:count])


def unit(scene: Scene, at: int) -> Found:
    """A unit by any of its names."""
    for end, name in names(scene, at, units.LONGEST):
        if found := units.UNITS.get(name):
            yield end, found


def measure(scene: Scene, at: int) -> Found:
    """A number and its unit, or the nearest such pair before."""
    for after, amount in number(scene, at):
        for behind, name in unit(scene, after):
            yield behind, (amount, name)
    for after, name in unit(scene, at):  # 华氏98.6度
        for behind, amount in number(scene, after):
            yield skip(scene, behind, "度"), (amount, name)
    if end := after_back(scene, at, "measure"):
        for start in range(at - 1, -1, -1):
            if scene.kind_at(start) == "number" and (pair := next(unit(scene, start + 1), None)):
                yield end, (scene.tokens[start].value, pair[1])
                return


def duration(scene: Scene, at: int) -> Found:
    """A number of days, weeks, months or years."""
    for end, (amount, name) in measure(scene, at):
        if name in units.CALENDAR:
            yield end, (amount, units.CALENDAR[name])


def _all_numbers(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(item) in (int, float) for item in value)
