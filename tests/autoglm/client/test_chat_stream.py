"""Streams, over a real connection where the connection is what matters."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from autoglm import errors

pytestmark = pytest.mark.usefixtures("clean_environment")

Connect = Callable[..., Any]
CHAT_PATH = "/v1/chat/completions"
TOKEN = 'data: {"choices": [{"delta": {"content": "Par"}}]}\n\n'


def streaming(text: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(200, text=text)


def test_a_token_arrives_before_the_next_is_written(connect: Connect, server: Any) -> None:
    """A stream is read as it comes: the server writes the end only when the client has the beginning."""
    seen = threading.Event()

    def reply(request: Any) -> None:
        request.start_stream()
        request.send_token("Par")
        request.send_token("is" if seen.wait(30) else " never")
        request.send_event("[DONE]")
        request.end_stream()

    server.replies[CHAT_PATH] = reply
    with connect(base_url=server.base_url).chat("x", stream=True) as chunks:
        first = next(chunks)
        seen.set()
        assert [first.text, *(chunk.text for chunk in chunks)] == ["Par", "is"]
    assert server.requests[0].sent["stream"] is True


def test_the_mark_ends_a_stream_though_the_connection_stays_open(connect: Connect, server: Any) -> None:
    """The caller does not wait for a server or proxy that keeps the response open, nor read what it adds."""
    over = threading.Event()

    def reply(request: Any) -> None:
        request.start_stream()
        request.send_token("Paris")
        request.send_event("[DONE]")
        over.wait(30)
        request.cut()

    server.replies[CHAT_PATH] = reply
    client = connect(base_url=server.base_url, timeout=5)
    assert [chunk.text for chunk in client.chat("x", stream=True)] == ["Paris"]
    over.set()


def test_a_stream_cut_by_the_network_raises(connect: Connect, server: Any) -> None:
    """A replica that dies mid-answer leaves a broken body; half an answer must not pass for a whole one."""

    def reply(request: Any) -> None:
        request.start_stream()
        request.send_token("Par")
        request.cut()

    server.replies[CHAT_PATH] = reply
    stream = connect(base_url=server.base_url).chat("x", stream=True)
    assert next(stream).text == "Par"
    with pytest.raises(errors.APIConnectionError, match="the connection broke"):
        next(stream)


@pytest.mark.parametrize("tail", ["", "data: [DONE]", 'data: {"choices"'])
def test_a_stream_that_ends_without_its_mark_raises(connect: Connect, tail: str) -> None:
    """A proxy may close a cut stream properly: only `[DONE]` is the end."""
    stream = connect(streaming(TOKEN + tail)).chat("x", stream=True)
    assert next(stream).text == "Par"
    with pytest.raises(errors.APIConnectionError, match=r"ended before \[DONE\]"):
        next(stream)


@pytest.mark.parametrize(
    ("event", "cls", "message"),
    [
        ('{"error": {"message": "replica lost", "code": "upstream_error"}}', errors.UpstreamError, "replica lost"),
        ('{"error": {"message": "replica lost"}}', errors.InternalServerError, "replica lost"),
        ('{"error": {"code": 400}, "choices": 1}', errors.InternalServerError, "broke off with"),
        ("half a chu", errors.APIConnectionError, "an event that is no ChatChunk"),
        ('{"choices": 1}', errors.APIConnectionError, "an event that is no ChatChunk"),
    ],
)
def test_an_error_in_mid_stream_raises_its_class(
    connect: Connect, event: str, cls: type[Exception], message: str
) -> None:
    """The status line is long gone by then: the event itself tells the error."""
    stream = connect(streaming(f"{TOKEN}data: {event}\n\ndata: [DONE]\n\n")).chat("x", stream=True)
    assert next(stream).text == "Par"
    with pytest.raises(cls, match=message):
        next(stream)


def test_a_refused_stream_raises_before_it_is_handed_out(connect: Connect, server: Any) -> None:
    """The body of an error is read whole although the call streams."""
    server.replies[CHAT_PATH] = lambda request: request.answer({"error": {"message": "model: got 'y'"}}, 404)
    with pytest.raises(errors.NotFoundError, match="model: got 'y'"):
        connect(base_url=server.base_url).chat("x", stream=True)


def test_leaving_a_stream_closes_its_connection(connect: Connect, server: Any) -> None:
    """A caller who has read enough stops the server's work."""
    hung_up = threading.Event()

    def reply(request: Any) -> None:
        request.start_stream()
        try:
            while True:
                request.send_token("word " * 1000)
        except OSError:
            hung_up.set()
            request.cut()

    server.replies[CHAT_PATH] = reply
    with connect(base_url=server.base_url).chat("x", stream=True) as chunks:
        next(chunks)
    assert hung_up.wait(30)
    assert list(chunks) == []


def test_an_unread_stream_is_closed_too(connect: Connect) -> None:
    """Leaving the block before the first chunk frees the connection as well."""
    closed = threading.Event()

    class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
        def close(self) -> None:
            closed.set()

        async def aclose(self) -> None:
            closed.set()

    with connect(lambda _: httpx.Response(200, stream=Body())).chat("x", stream=True):
        assert not closed.is_set()
    assert closed.is_set()
