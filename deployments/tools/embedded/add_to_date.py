"""The tool `add_to_date`."""

from __future__ import annotations

import calendar
import datetime
from dataclasses import dataclass

from autoglm.contract.field import Day
from autoglm.tool import tool
from deployments.tools.embedded.refusal import refused

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Moved:
    """A day, YYYY-MM-DD, and its name."""

    date: str
    weekday: str


@tool(idempotent=True)
def add_to_date(date: Day, days: int = 0, weeks: int = 0, months: int = 0, years: int = 0) -> Moved:
    """Add days, weeks, months or years to a date, or take them away; which date and weekday it is then, or was before.
    In a month that is too short it is the last day. 日期 加 减 天后 天前 周后 个月后 年后 星期几 哪一天

    Args:
        date: the day to begin with, YYYY-MM-DD
        days: how many days to add; negative ones are taken away
        weeks: how many weeks to add
        months: how many months to add
        years: how many years to add
    """
    try:
        moved = by_months(date, months + MONTHS * years) + datetime.timedelta(days=days, weeks=weeks)
    except (OverflowError, ValueError):
        raise refused("date", f"{date} moved so far lies outside the years 1 to 9999") from None
    return Moved(moved.isoformat(), calendar.day_name[moved.weekday()])


def by_months(day: datetime.date, months: int) -> datetime.date:
    """The same day of another month, or its last."""
    year, month = divmod(MONTHS * day.year + day.month - 1 + months, MONTHS)
    if not datetime.MINYEAR <= year <= datetime.MAXYEAR:
        raise OverflowError(year)
    return day.replace(year=year, month=month + 1, day=min(day.day, calendar.monthrange(year, month + 1)[1]))
