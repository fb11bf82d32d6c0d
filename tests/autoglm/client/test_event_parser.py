"""Server-sent events, however the network cuts them."""

from __future__ import annotations

import pytest

from autoglm.client.event_parser import MAX_EVENT_BYTES, EventParser
from autoglm.errors import APIConnectionError

STREAM = ': comment\nevent: x\ndata: {"text":\ndata: "é 北"}\nid: 7\n\ndata:plain\n\n\ndata\n\nretry: 1\n\n'
EVENTS = ['{"text":\n"é 北"}', "plain", ""]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_events_are_the_same_wherever_the_bytes_are_split(line_end: str) -> None:
    """A cut inside a line end, a field name or a UTF-8 character changes nothing."""
    raw = STREAM.replace("\n", line_end).encode()
    for cut in range(len(raw) + 1):
        parser = EventParser()
        assert [*parser.feed(raw[:cut]), *parser.feed(raw[cut:])] == EVENTS, cut


def test_bytes_one_at_a_time_give_the_same_events() -> None:
    """The slowest stream is no other stream."""
    parser = EventParser()
    raw = STREAM.replace("\n", "\r\n").encode()
    assert [event for byte in raw for event in parser.feed(bytes([byte]))] == EVENTS


def test_an_event_without_end_is_given_up() -> None:
    """A broken server cannot fill the client's memory."""
    parser = EventParser()
    half = b"data: " + b"x" * (MAX_EVENT_BYTES // 2)
    assert list(parser.feed(half + b"\n")) == []
    with pytest.raises(APIConnectionError, match="more than"):
        list(parser.feed(half))
