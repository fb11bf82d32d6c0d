"""What an answer that is no success is taken for, and the header that says when to come back."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from autoglm.client.failure import response_error, retry_after
from autoglm.errors import NotFoundError, UnavailableError


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


def test_an_address_at_which_serve_runs_nothing_yet_is_asked_again() -> None:
    """So it answers while a cluster starts; a run that is sent then would be lost for an error that is not retried."""
    told = "Path '/v1/tasks' not found. Ping http://.../-/routes for available routes."
    request = httpx.Request("POST", "http://127.0.0.1:8000/v1/tasks")
    error = response_error(httpx.Response(404, text=told, request=request))
    assert isinstance(error, UnavailableError)
    assert (error.retryable, error.retry_after) == (True, 1.0)
    assert isinstance(response_error(httpx.Response(404, text="<html>", request=request)), NotFoundError)
