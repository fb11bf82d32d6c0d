"""The header that says when to come back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from autoglm.client.failure import retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 59.0),
        ("Fri, 31 Dec 1999 23:59:59 -0000", 59.0),
        ("Fri, 31 Dec 1999 23:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    """Both of RFC 9110's forms, a date in the past meaning now; what is neither is passed over."""
    now = datetime(1999, 12, 31, 23, 59, 0, tzinfo=UTC)
    assert retry_after({"retry-after": value}, now) == seconds


def test_without_the_header_nothing_is_said() -> None:
    """Most answers have none."""
    assert retry_after({}, datetime.now(UTC)) is None
