"""The trace context of a call."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from autoglm import errors

pytestmark = pytest.mark.usefixtures("clean_environment")

Connect = Callable[..., Any]
GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Network:
    """Keeps the header of each request."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request.headers["traceparent"])
        return httpx.Response(200, json={"status": "ok"})


def test_each_call_begins_a_trace_of_its_own(connect: Connect) -> None:
    """W3C's form, sampled, never the same twice."""
    network = Network()
    client = connect(network)
    client.health()
    client.health()
    assert all(re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", sent) for sent in network.sent)
    assert len({sent.split("-")[1] for sent in network.sent}) == 2


def test_the_callers_trace_goes_on(connect: Connect) -> None:
    """By a function, which may say that there is none at the moment."""
    network, traces = Network(), iter([GIVEN, None])
    client = connect(network, trace=lambda: next(traces))
    client.health()
    client.health()
    assert network.sent[0] == GIVEN != network.sent[1]


@pytest.mark.parametrize("wrong", ["", "x", GIVEN.upper(), GIVEN.replace("00-4", "ff-4"), f"{GIVEN}\r\nx: y"])
def test_what_is_no_traceparent_is_refused(connect: Connect, wrong: str) -> None:
    """Nothing else gets into the header."""
    network = Network()
    with pytest.raises(errors.ConfigError, match="trace: got"):
        connect(network, trace=lambda: wrong).health()
    assert network.sent == []


def test_opentelemetrys_current_span_is_the_parent(connect: Connect) -> None:
    """Where the program traces itself, nothing needs to be set."""
    telemetry = pytest.importorskip("opentelemetry.trace")
    context = telemetry.SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=telemetry.TraceFlags(0))
    network = Network()
    client = connect(network)
    with telemetry.use_span(telemetry.NonRecordingSpan(context)):
        client.health()
    assert network.sent == [f"00-{0xABC:032x}-{0xDEF:016x}-00"]


def test_opentelemetry_is_not_imported_for_it() -> None:
    """A program without it pays nothing."""
    code = (
        "import sys; from autoglm.client.trace import traceparent as t; t(None); print('opentelemetry' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
