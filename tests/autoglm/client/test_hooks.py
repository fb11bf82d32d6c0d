"""What a program hears of its calls."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from autoglm import errors
from autoglm.client import ErrorDetails, Hooks, RequestDetails, ResponseDetails, RetryDetails

pytestmark = pytest.mark.usefixtures("clean_environment")

Connect = Callable[..., Any]


def no(_: httpx.Request) -> httpx.Response:
    return httpx.Response(503, json={"error": {"message": "no"}}, headers={"x-request-id": "r-1"})


def yes(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"status": "ok"})


class Heard(Hooks):
    """Keeps all of it."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def on_request(self, details: RequestDetails, /) -> None:
        self.events.append(details)

    def on_response(self, details: ResponseDetails, /) -> None:
        self.events.append(details)

    def on_retry(self, details: RetryDetails, /) -> None:
        self.events.append(details)

    def on_error(self, details: ErrorDetails, /) -> None:
        self.events.append(details)


def test_each_attempt_its_answer_and_its_retry_are_told_in_order(connect: Connect, clock: Any) -> None:
    """Enough for a log line and a metric of each event, with what ties them together."""
    heard, answers = Heard(), iter([no, yes])
    connect(lambda request: next(answers)(request), hooks=heard).health()
    sent, refused, retry, again, answer = heard.events
    assert (sent.method, sent.path, sent.attempt, sent.idempotency_key) == ("GET", "/health", 1, None)
    assert (refused.request, refused.status, refused.request_id) == (sent, 503, "r-1")
    assert type(retry.error) is errors.UnavailableError
    assert [retry.wait_s] == clock.waits
    assert (again.attempt, again.traceparent) == (2, sent.traceparent)
    assert (answer.request, answer.status) == (again, 200)


def test_a_call_that_fails_is_told_once_at_its_end(connect: Connect) -> None:
    """By the error that the caller gets: of a status, of the connection, or of an answer that cannot be read."""

    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("cut", request=request)

    for network in (no, broken, lambda _: httpx.Response(200, text="<html>")):
        heard = Heard()
        with pytest.raises(errors.AutoGLMError) as caught:
            connect(network, hooks=heard).health()
        told = [event for event in heard.events if isinstance(event, ErrorDetails)]
        assert [event.error for event in told] == [caught.value]
        assert heard.events[-1] is told[0]


def test_a_hook_that_raises_is_logged_once_and_breaks_no_call(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk of the log must not stop the program's work."""

    class Faulty(Hooks):
        def on_request(self, details: RequestDetails, /) -> None:
            raise OSError("disk full")

    client = connect(yes, hooks=Faulty())
    assert [client.health().status for _ in range(3)] == ["ok"] * 3
    [record] = [record for record in caplog.records if record.name == "autoglm.client"]
    assert record.levelno == logging.ERROR
    assert "on_request" in record.getMessage()
