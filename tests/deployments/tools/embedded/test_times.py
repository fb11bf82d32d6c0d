"""`current_time`, `convert_time` and the zones."""

from __future__ import annotations

from typing import Any

import pytest

from autoglm.errors import UnprocessableEntityError
from tests.deployments.tools.embedded.conftest import Call

DAY = "2026-03-29"  # the clocks of Europe go forward at 2:00


@pytest.mark.parametrize(
    ("zone", "time", "name"),
    [
        ("UTC", "2026-01-15T12:00:00+00:00", "UTC"),
        ("Asia/Tokyo", "2026-01-15T21:00:00+09:00", "Asia/Tokyo"),
        ("东京", "2026-01-15T21:00:00+09:00", "Asia/Tokyo"),
        ("new york", "2026-01-15T07:00:00-05:00", "America/New_York"),
        ("San Francisco", "2026-01-15T04:00:00-08:00", "America/Los_Angeles"),
        ("utc+5:30", "2026-01-15T17:30:00+05:30", "UTC+05:30"),
        ("-03", "2026-01-15T09:00:00-03:00", "UTC-03:00"),
    ],
)
def test_a_zone_is_known_by_name_city_and_offset(call: Call, zone: str, time: str, name: str) -> None:
    """In English and in Chinese, in whatever case."""
    assert call("current_time", zone=zone) == {"time": time, "zone": name}


@pytest.mark.parametrize("zone", ["Atlantis", "../../etc/passwd", "", "UTC+25", "Europe", "x" * 10_000])
def test_an_unknown_zone_is_refused(call: Call, zone: str) -> None:
    """No file is opened by its name."""
    with pytest.raises(UnprocessableEntityError) as refused:
        call("current_time", zone=zone)
    assert refused.value.param == "zone"
    assert len(refused.value.message) < 300


@pytest.mark.parametrize(
    ("given", "time"),
    [
        ({"time": "9:00", "from_zone": "Berlin", "to_zone": "Tokyo", "date": DAY}, f"{DAY}T16:00:00+09:00"),
        (
            {"time": "9:00", "from_zone": "Berlin", "to_zone": "Tokyo", "date": "2026-03-28"},
            "2026-03-28T17:00:00+09:00",
        ),
        ({"time": "2:30 pm", "from_zone": "New York", "to_zone": "北京"}, "2026-01-16T03:30:00+08:00"),
        ({"time": "12am", "from_zone": "UTC", "to_zone": "UTC"}, "2026-01-15T00:00:00+00:00"),
        ({"time": f"{DAY}T09:00", "from_zone": "Berlin", "to_zone": "UTC"}, f"{DAY}T07:00:00+00:00"),
        ({"time": f"{DAY}T09:00+02:00", "from_zone": "UTC", "to_zone": "Tokyo"}, f"{DAY}T16:00:00+09:00"),
    ],
)
def test_a_time_is_converted(call: Call, given: dict[str, Any], time: str) -> None:
    """By the rules of the day; without one it is today in the first zone, and an offset of its own decides."""
    found = call("convert_time", **given)
    assert (found["time"], found["note"]) == (time, "")
    assert found["time"].startswith(f"{found['date']}T{found['clock']}")


@pytest.mark.parametrize(
    ("day", "clock", "note"),
    [
        (DAY, "01:30", f"02:30 does not exist on {DAY} in Europe/Berlin; taken as 03:30"),
        ("2026-10-25", "00:30", "02:30 comes twice on 2026-10-25 in Europe/Berlin; the first is taken"),
    ],
)
def test_an_hour_that_is_not_there_or_comes_twice_is_said(call: Call, day: str, clock: str, note: str) -> None:
    """And how it was read."""
    found = call("convert_time", time="2:30", from_zone="Berlin", to_zone="UTC", date=day)
    assert (found["clock"], found["note"]) == (clock, note)


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"time": "25:00"}, "time"),
        ({"time": "13:00 pm"}, "time"),
        ({"time": "9"}, "time"),
        ({"time": "soon"}, "time"),
        ({"time": "0001-01-01T00:00"}, "date"),
        ({"time": f"{DAY}T09:00", "date": "2026-03-30"}, "date"),
        ({"time": "9:00", "to_zone": "Atlantis"}, "to_zone"),
    ],
)
def test_what_is_no_time_is_refused(call: Call, given: dict[str, Any], param: str) -> None:
    """By the field that is wrong."""
    with pytest.raises(UnprocessableEntityError) as refused:
        call("convert_time", **({"from_zone": "Tokyo", "to_zone": "UTC"} | given))
    assert refused.value.param == param
