"""Dates and times of day as people write them, in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta

NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
MONTHS = {name: at for at, name in enumerate(NAMES, start=1)} | {name[:3]: at for at, name in enumerate(NAMES, start=1)}
MONTHS["sept"] = 9
MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
DATES = (
    re.compile(r"(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})(?![\d/-])"),
    re.compile(r"(?P<year>\d{4})\s*年\s*(?P<month>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*[日号]"),
    re.compile(rf"(?P<month>{MONTH})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})\b", re.IGNORECASE),
    re.compile(
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{MONTH})\.?,?\s+(?P<year>\d{{4}})\b", re.IGNORECASE
    ),
)
RELATIVE = {"today": 0, "tomorrow": 1, "yesterday": -1, "今天": 0, "明天": 1, "昨天": -1, "后天": 2, "前天": -2}
TODAY = re.compile(r"today\b|tomorrow\b|yesterday\b|今天|明天|昨天|后天|前天", re.IGNORECASE)

TIMES = (
    re.compile(r"(?P<hour>\d{1,2})[:：](?P<minute>\d{2})(?::\d{2})?\s*(?P<half>[ap]\.?m\b\.?)?", re.IGNORECASE),  # noqa: RUF001
    re.compile(r"(?P<hour>\d{1,2})\s*(?P<half>[ap]\.?m\b\.?|o'clock\b)", re.IGNORECASE),
    re.compile(
        r"(?P<half>上午|下午|晚上|早上|中午|凌晨)?\s*(?P<hour>\d{1,2})\s*(?:点|时)(?![间区])钟?"
        r"(?:(?P<minute>\d{1,2})分|(?P<thirty>半))?"
    ),
    re.compile(r"(?P<name>noon|midnight)\b", re.IGNORECASE),
)
AFTERNOON = ("p", "下", "晚")


@dataclass(frozen=True, slots=True)
class Span:
    """What was read, and where in the text it ends."""

    value: str
    end: int


def read_date(text: str, at: int, today: Callable[[], date]) -> Span | None:
    """A date that begins here, as YYYY-MM-DD; None where there is none."""
    if found := TODAY.match(text, at):
        return Span((today() + timedelta(days=RELATIVE[found[0].casefold()])).isoformat(), found.end())
    for form in DATES:
        if found := form.match(text, at):
            return _span(found)
    return None


def read_time(text: str, at: int) -> Span | None:
    """A time of day that begins here, as HH:MM; None where there is none."""
    for form in TIMES:
        if (found := form.match(text, at)) and (value := _clock(found.groupdict())):
            return Span(value, found.end())
    return None


def _span(found: re.Match[str]) -> Span | None:
    month = found["month"].casefold()
    try:
        day = date(int(found["year"]), MONTHS.get(month) or int(month), int(found["day"]))
    except ValueError:  # 30 February
        return None
    return Span(day.isoformat(), found.end())


def _clock(parts: dict[str, str | None]) -> str | None:
    if name := parts.get("name"):
        return "12:00" if name.casefold() == "noon" else "00:00"
    hour, half = int(parts["hour"] or 0), (parts.get("half") or "").casefold()
    minute = 30 if parts.get("thirty") else int(parts.get("minute") or 0)
    if half.startswith(AFTERNOON) and hour < 12:
        hour += 12
    if half.startswith("a") and hour == 12:
        hour = 0
    return time(hour, minute).isoformat("minutes") if hour < 24 and minute < 60 else None
