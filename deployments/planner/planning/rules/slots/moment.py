"""Dates, times of day, and places, which tell the zone."""

from __future__ import annotations

from typing import Any

from deployments.planner.planning.rules import places
from deployments.planner.planning.rules.scene import Scene
from deployments.planner.planning.rules.slots.span import Found, after_back, names, skip, typed

BETWEEN = ("in", "at", "on", "o'clock", ",", "是")  # in what says when and where
CAPITALS = 3  # words of a place that no table knows


def date(scene: Scene, at: int) -> Found:
    """A date, or the one before."""
    yield from typed(scene, at, "date")


def time(scene: Scene, at: int) -> Found:
    """A time of day."""
    if scene.kind_at(at) == "time":
        yield at + 1, scene.tokens[at].value


def moment(scene: Scene, at: int) -> Found:
    """A time of day in a place, with a date or without, or the nearest such before; as arguments of a conversion."""
    found = _moment(scene, at)
    if found is not None:
        yield found
    elif end := after_back(scene, at, "time"):
        before = (_moment(scene, start) for start in range(at - 1, -1, -1))
        yield from ((end, arguments) for _, arguments in [next(filter(None, before), (0, None))] if arguments)


def place(scene: Scene, at: int) -> Found:
    """A place that the tables know, as its zone; else words in capitals as they stand."""
    for end, name in names(scene, at, places.LONGEST):
        if zone := places.places().get(name):
            yield end, zone
    capitals = 0
    while capitals < CAPITALS and _is_capital(scene, at + capitals):
        capitals += 1
    if capitals:
        yield at + capitals, " ".join(token.written for token in scene.tokens[at : at + capitals])


def _moment(scene: Scene, at: int) -> tuple[int, dict[str, Any]] | None:
    """`9:00 in Berlin on 2026-03-29`, `2026-03-29 柏林 9:00` and what lies between, and the place behind it."""
    arguments: dict[str, Any] = {}
    while not arguments.keys() >= {"time", "from_zone", "date"}:
        start = skip(scene, at, *BETWEEN) if arguments else at
        kind = scene.kind_at(start)
        if kind in ("time", "date") and kind not in arguments:
            arguments[kind], at = scene.tokens[start].value, start + 1
        elif "from_zone" not in arguments and (found := next(place(scene, start), None)):
            at, arguments["from_zone"] = found
            at = skip(scene, skip(scene, at, "time", "时"), "间")
        else:
            break
    return (at, arguments) if arguments.keys() >= {"time", "from_zone"} else None


def _is_capital(scene: Scene, at: int) -> bool:
    return scene.kind_at(at) == "word" and scene.tokens[at].written[:1].isupper()
