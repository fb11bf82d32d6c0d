"""The benchmarks' cheapest client counts every request once, and takes no error for an answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.keep_alive import closed_loop, posts


class Server(ThreadingHTTPServer):
    """Answers with `status`, notes every body, and ends each connection after `kept` answers."""

    def __init__(self, status: int, kept: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = status
        self.kept = kept
        self.bodies: list[bytes] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server
    answers = 0

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(self.server.status)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
        self.answers += 1
        self.close_connection = self.answers == self.server.kept

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def serving(status: int = 200, kept: int = 1000) -> Iterator[Server]:
    with Server(status, kept) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def url_of(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/v1/predict"


def test_every_request_is_sent_and_counted_once_though_connections_end() -> None:
    """HAProxy ends kept connections when it is told of new servers; that is no failed request."""
    with serving(kept=3) as server:
        requests = posts(url_of(server), [{"input": number} for number in range(20)], {"cache-control": "no-store"})
        run = closed_loop(url_of(server), requests, clients=4)
    assert sorted(server.bodies) == sorted(b'{"input": %d}' % number for number in range(20))
    assert len(run.streams) == 20


def test_an_answer_that_is_an_error_ends_the_run() -> None:
    """A server that refuses quickly must not look like one that serves quickly."""
    with serving(status=503) as server, pytest.raises(ExceptionGroup) as caught:
        closed_loop(url_of(server), posts(url_of(server), [{}], {}), clients=1)
    assert caught.group_contains(RuntimeError, match="503")
