"""What the tests of this room share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deployments.access.key_server import KeyServer, serving
from tests.deployments.access.ticks import Ticks


@pytest.fixture
def ticks() -> Ticks:
    """A clock at zero."""
    return Ticks()


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    """A server of keys on loopback."""
    with serving() as server:
        yield server
