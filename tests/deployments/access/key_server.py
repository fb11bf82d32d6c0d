"""A loopback server of a key set, which counts who asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Request(BaseHTTPRequestHandler):
    """One request."""

    server: KeyServer

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        self.server.asked.set()
        self.server.gate.wait(5)  # a test that fails meanwhile must not hang
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(self.server.document)))
        if self.server.location:
            self.send_header("location", self.server.location)
        self.end_headers()
        self.wfile.write(self.server.document)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr."""


class KeyServer(ThreadingHTTPServer):
    """Answers with `document`, once `gate` is open."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.document = b""
        self.status = 200
        self.location: str | None = None
        self.paths: list[str] = []
        self.asked = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what some tests are about."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/jwks.json"


@contextmanager
def serving() -> Iterator[KeyServer]:
    """The server while it runs."""
    with KeyServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.gate.set()
            server.shutdown()
            thread.join()
