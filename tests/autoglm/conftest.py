"""A scripted HTTP server on loopback, and an environment without the developer's own settings."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

Reply = Callable[["Request"], None]


class Request(BaseHTTPRequestHandler):
    """One request; a test's reply writes its answer as it likes."""

    protocol_version = "HTTP/1.1"
    server: LoopbackServer

    def handle_one(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.requests.append(self)
        self.server.replies[self.path](self)

    do_GET = do_POST = handle_one

    @property
    def sent(self) -> Any:
        """The request's JSON."""
        return json.loads(self.body)

    def answer(self, body: Any, status: int = 200, **headers: str) -> None:
        """A whole JSON answer."""
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def start_stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def send_event(self, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))

    def send_token(self, text: str) -> None:
        self.send_event(json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}))

    def end_stream(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def cut(self) -> None:
        """Ends the connection where it stands."""
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr."""


class LoopbackServer(ThreadingHTTPServer):
    """Answers each path with the reply that the test put there."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.replies: dict[str, Reply] = {}
        self.requests: list[Request] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what some tests are about; anything else is a test's mistake, and shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def admin_server(tmp_path: Path) -> Iterator[Any]:
    """A running AdminServer."""
    from tests.autoglm.admin_server import running  # the control plane's packages, which few tests here need

    with running(tmp_path) as server:
        yield server


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No AUTOGLM_* setting but an empty home, which is returned."""
    for name in [name for name in os.environ if name.startswith("AUTOGLM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AUTOGLM_HOME", str(tmp_path))
    return tmp_path
