"""OpenAI's rate-limit headers."""

from __future__ import annotations

import pytest

from deployments.quota.headers import duration, rate_limit_headers
from deployments.quota.windows import Amount
from tests.deployments.quota.fake_bank import ACME, KEY, FakeBank, FakeClock, view


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0ms"),
        (0.12, "120ms"),
        (0.9995, "1s"),
        (1, "1s"),
        (7.2, "8s"),
        (60, "1m0s"),
        (360, "6m0s"),
        (3600, "1h0m0s"),
        (82805, "23h0m5s"),
    ],
)
def test_a_duration_is_written_as_openai_does(seconds: float, text: str) -> None:
    """Rounded up: who waits so long is not too early."""
    assert duration(seconds) == text


async def test_the_tightest_limit_decides(clock: FakeClock) -> None:
    """Of minute and day, key and tenant; what is free in a lease is not used."""
    bank = FakeBank(
        clock,
        view(requests_per_minute=60, requests_per_day=50, tokens_per_minute=500),
        view(ACME, tokens_per_minute=900, tokens_per_day=500, budget_micros=1),
    )
    bank.book((KEY, ACME), clock(), Amount(3, 100))
    assert rate_limit_headers(bank.standings((KEY, ACME)), clock(), free=Amount(2, 30)) == {
        "x-ratelimit-limit-requests": "50",
        "x-ratelimit-remaining-requests": "49",
        "x-ratelimit-reset-requests": "11h59m40s",
        "x-ratelimit-limit-tokens": "500",
        "x-ratelimit-remaining-tokens": "430",
        "x-ratelimit-reset-tokens": "11h59m40s",
    }


async def test_what_is_not_limited_has_no_header(clock: FakeClock) -> None:
    """A budget has none at all."""
    bank = FakeBank(clock, view(budget_micros=5, requests_per_minute=1))
    assert set(rate_limit_headers(bank.standings((KEY,)), clock())) == {
        f"x-ratelimit-{what}-requests" for what in ("limit", "remaining", "reset")
    }
