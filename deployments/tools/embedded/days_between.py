"""The tool `days_between`."""

from __future__ import annotations

from dataclasses import dataclass

from autoglm.contract.field import Day
from autoglm.tool import tool


@dataclass(frozen=True, slots=True)
class Days:
    """Negative where the end is before the start."""

    days: int


@tool(idempotent=True)
def days_between(start: Day, end: Day) -> Days:
    """Count the days between two dates, from one date until another: how many days, how long, days left.
    相差 多少天 几天 天数 日期 之间

    Args:
        start: the first day, YYYY-MM-DD; it is not counted
        end: the last day, YYYY-MM-DD
    """
    return Days((end - start).days)
