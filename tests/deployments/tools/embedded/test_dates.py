"""`days_between` and `add_to_date`."""

from __future__ import annotations

from typing import Any

import pytest

from autoglm.errors import UnprocessableEntityError
from tests.deployments.tools.embedded.conftest import Call


def test_days_are_counted_over_a_leap_day(call: Call) -> None:
    """And backwards."""
    assert call("days_between", start="2024-02-01", end="2024-03-15") == {"days": 43}
    assert call("days_between", start="2024-03-15", end="2024-02-01") == {"days": -43}


@pytest.mark.parametrize("day", ["2024-02-30", "2024-2-1", "tomorrow", "1706745600"])
def test_what_is_no_day_is_refused(call: Call, day: str) -> None:
    """Seconds since 1970 among it, which pydantic alone would take."""
    with pytest.raises(UnprocessableEntityError) as refused:
        call("days_between", start=day, end="2024-03-15")
    assert refused.value.param == "start"


@pytest.mark.parametrize(
    ("moved", "day", "weekday"),
    [
        ({"days": -1}, "2024-01-30", "Tuesday"),
        ({"weeks": 2}, "2024-02-14", "Wednesday"),
        ({"months": 1}, "2024-02-29", "Thursday"),
        ({"months": -2}, "2023-11-30", "Thursday"),
        ({"years": 1, "months": 1, "days": 1}, "2025-03-01", "Saturday"),
        ({}, "2024-01-31", "Wednesday"),
    ],
)
def test_a_date_is_moved(call: Call, moved: dict[str, int], day: str, weekday: str) -> None:
    """Months first, to the last day of a month that is too short, then days."""
    assert call("add_to_date", date="2024-01-31", **moved) == {"date": day, "weekday": weekday}


@pytest.mark.parametrize("moved", [{"days": 10**12}, {"years": 8000}, {"months": -(10**6)}])
def test_a_date_beyond_the_calendar_is_refused(call: Call, moved: dict[str, Any]) -> None:
    """Which has the years 1 to 9999."""
    with pytest.raises(UnprocessableEntityError, match="years 1 to 9999"):
        call("add_to_date", date="2024-01-31", **moved)
