"""The tool `current_time`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from autoglm.tool import tool
from deployments.clock import Clock
from deployments.tools.embedded.zones import zone_of


@dataclass(frozen=True, slots=True)
class Now:
    """`time` in ISO 8601 with its offset, and the zone by name."""

    time: str
    zone: str


def clock_tool(clock: Clock) -> Callable[..., Now]:
    """The tool, over a clock."""

    @tool(idempotent=True)
    def current_time(zone: str = "UTC") -> Now:
        """Tell the current date and time now, of today, in a time zone or a city. 现在 几点 时间 今天 日期 当前

        Args:
            zone: an IANA name such as Europe/Berlin, an offset such as UTC+8, or a city such as Tokyo or 东京
        """
        found = zone_of(zone, "zone")
        return Now(clock().astimezone(found.info).isoformat(timespec="seconds"), found.name)

    return current_time
