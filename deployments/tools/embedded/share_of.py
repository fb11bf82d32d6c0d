"""The tool `share_of`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autoglm.tool import tool


@dataclass(frozen=True, slots=True)
class Share:
    """`share` is from 0 to 1; of no values it is 0."""

    count: int
    total: int
    share: float


@tool(idempotent=True)
def share_of(values: list[Any], value: Any) -> Share:
    """Count how many of a list of values equal one value: the share, fraction, percentage, proportion of it.
    占比 比例 百分比 份额 几个

    Args:
        values: the list, such as ["positive", "negative", "positive"]
        value: what is counted, such as "positive"
    """
    count = sum(same(each, value) for each in values)
    return Share(count, len(values), count / len(values) if values else 0.0)


def same(left: Any, right: Any) -> bool:
    """As JSON has it: `true` is not 1, which it is to Python."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)
