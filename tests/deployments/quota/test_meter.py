"""The meter: sums, in bounded memory, with no number lost."""

from __future__ import annotations

import logging
from datetime import date

import pytest

from deployments.quota.meter import OTHERS, Meter, Spent, bounded
from tests.deployments.quota.fake_bank import FakeClock


def test_calls_are_summed_by_key_tenant_model_and_day(clock: FakeClock) -> None:
    """What was taken is not taken again."""
    meter = Meter(clock=clock)
    for _ in range(2):
        meter.add(key="key_1", tenant="acme", model="chat", prompt_tokens=8, completion_tokens=2, cost_micros=5)
    clock.advance(12 * 3600)
    meter.add(key="key_1", tenant="acme", model="chat", prompt_tokens=1)
    assert meter.take(1) == (Spent("key_1", "acme", "chat", date(2026, 3, 1), 2, 16, 4, 10),)
    assert meter.take(9) == (Spent("key_1", "acme", "chat", date(2026, 3, 2), 1, 1),)
    assert meter.take(9) == ()


def test_a_full_meter_loses_names_and_no_numbers(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    """First the key's, then all; rows that are there go on; it is said in the log."""
    meter = Meter(max_rows=2, clock=clock)
    for number in range(20):
        meter.add(key=f"k{number}", tenant=f"t{number}", model="chat", prompt_tokens=1)
        meter.add(key="k0", tenant="t0", model="chat", prompt_tokens=1)
    with caplog.at_level(logging.WARNING):
        rows = meter.take(99)
    assert {(row.key, row.tenant): row.requests for row in rows} == {
        ("k0", "t0"): 21,
        ("k1", "t1"): 1,
        (OTHERS, "t2"): 1,
        (OTHERS, "t3"): 1,
        (OTHERS, OTHERS): 16,
    }
    assert "18 calls are booked under '(others)'" in caplog.text


def test_a_name_fits_its_column_and_stays_its_own() -> None:
    """A token's subject may be longer than the database takes; two that begin alike stay two."""
    assert bounded("key", "k" * 100) == "k" * 100
    one, other = bounded("key", "k" * 200), bounded("key", "k" * 201)
    assert len(one) == len(other) == 100
    assert one != other
