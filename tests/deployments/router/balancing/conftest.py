"""What the tests of this package share."""

from __future__ import annotations

import pytest

from tests.deployments.router.balancing.ticks import Ticks


@pytest.fixture
def ticks() -> Ticks:
    """A clock that stands still until it is moved."""
    return Ticks()
