"""The tool `convert_time`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from autoglm.contract.field import Day
from autoglm.tool import tool
from deployments.clock import Clock
from deployments.tools.embedded.refusal import refused
from deployments.tools.embedded.zones import Zone, zone_of

CLOCK = re.compile(r"(\d{1,2})(?:[:.\uff1a](\d{2}))?(?:[:.\uff1a](\d{2}))?\s*([ap])?\.?(?:m\.?)?", re.IGNORECASE)
HALF_DAY = 12


@dataclass(frozen=True, slots=True)
class Converted:
    """`time` in ISO 8601 with its offset. `note` says where the clock of the first zone was changed at that time."""

    time: str
    date: str
    clock: str
    zone: str
    note: str = ""


def conversion_tool(clock: Clock) -> Callable[..., Converted]:
    """The tool; its clock tells what day it is where none is given."""

    @tool(idempotent=True)
    def convert_time(time: str, from_zone: str, to_zone: str, date: Day | None = None) -> Converted:
        """Convert a time of one time zone or city into that of another: what time is it in Tokyo when it is 9:00 in
        Berlin, daylight saving time included. 时区 换算 转换 几点 时间 时差

        Args:
            time: the clock in from_zone, such as 09:00 or 2:30 pm, or a date and time such as 2026-03-29T09:00
            from_zone: an IANA name such as Europe/Berlin, an offset such as UTC+8, or a well-known city
            to_zone: the zone or city to convert into, such as Tokyo or 东京
            date: the day in from_zone, YYYY-MM-DD; without one today
        """
        origin, target = zone_of(from_zone, "from_zone"), zone_of(to_zone, "to_zone")
        moment, note = local(moment_of(time, date, origin, clock), origin)
        try:
            moved = moment.astimezone(target.info)
        except OverflowError:
            raise refused("date", "lies too far off") from None
        return Converted(moved.isoformat(), moved.date().isoformat(), f"{moved:%H:%M}", target.name, note)

    return convert_time


def moment_of(text: str, day: date | None, origin: Zone, clock: Clock) -> datetime:
    """As it is written: with the zone's own offset only where the text has one."""
    if found := CLOCK.fullmatch(text.strip()):
        return datetime.combine(day or clock().astimezone(origin.info).date(), clock_time(found, text))
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise refused("time", f"{text[:50]!r} is no time; write HH:MM, or YYYY-MM-DDTHH:MM") from None
    if day is not None and day != moment.date():
        raise refused("date", f"{day} is another day than that of the time, {moment.date()}; one of them will do")
    return moment


def clock_time(found: re.Match[str], text: str) -> time:
    """With a or p, of twelve hours."""
    hour, half = int(found[1]), (found[4] or "").lower()
    if (half and not 1 <= hour <= HALF_DAY) or not (half or found[2]):
        raise refused("time", f"{text!r} is no time; write HH:MM, from 00:00 to 23:59")
    if half:
        hour = hour % HALF_DAY + (HALF_DAY if half == "p" else 0)
    try:
        return time(hour, int(found[2] or 0), int(found[3] or 0))
    except ValueError:
        raise refused("time", f"{text!r} is no time; write HH:MM, from 00:00 to 23:59") from None


def local(moment: datetime, zone: Zone) -> tuple[datetime, str]:
    """The moment in its zone, read as PEP 495 has it, and what is to be said of it.

    An hour that is left out in spring is read with the offset before the change, so it becomes the hour after; of one
    that comes twice in autumn, the first is taken.
    """
    if moment.tzinfo is not None:
        return moment, ""
    first = moment.replace(tzinfo=zone.info)
    second = first.replace(fold=1)
    if first.utcoffset() == second.utcoffset():
        return first, ""
    real = first.astimezone(UTC).astimezone(zone.info)
    if real.replace(tzinfo=None) != moment:
        return first, f"{moment:%H:%M} does not exist on {moment:%Y-%m-%d} in {zone.name}; taken as {real:%H:%M}"
    return first, f"{moment:%H:%M} comes twice on {moment:%Y-%m-%d} in {zone.name}; the first is taken"
