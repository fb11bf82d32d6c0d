"""The port check before anything is started."""

from __future__ import annotations

import socket

import pytest

from autoglm.errors import ConfigError
from serve_app.cluster import check_port


def test_a_taken_port_is_told_with_what_to_do() -> None:
    """A second `make serve` hears it before Ray is started, and a free port passes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1") as caught:
            check_port("127.0.0.1", port)
    assert f"make serve PORT={port + 1}" in caught.value.message
    check_port("127.0.0.1", port)
