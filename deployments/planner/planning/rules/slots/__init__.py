"""What may fill the slots of patterns: values of a type, or words that refer back to one."""

from collections.abc import Mapping
from types import MappingProxyType

from deployments.planner.planning.rules.pattern import Slot
from deployments.planner.planning.rules.slots.amount import duration, measure, number, numbers, unit
from deployments.planner.planning.rules.slots.document import document, key, query
from deployments.planner.planning.rules.slots.moment import date, moment, place, time
from deployments.planner.planning.rules.slots.text import (
    clause,
    counts,
    label,
    labels,
    recalled,
    rest,
    text,
    texts,
    verb,
)

SLOTS: Mapping[str, Slot] = MappingProxyType(
    {
        slot.__name__: slot
        for slot in (
            clause, counts, date, document, duration, key, label, labels, measure, moment, number, numbers, place,
            query, recalled, rest, text, texts, time, unit, verb,
        )
    }
)  # fmt: skip

__all__ = ["SLOTS"]
