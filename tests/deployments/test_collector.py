"""The collector of cycles in a process that serves."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from deployments.collector import THRESHOLD, collect_rarely


@pytest.fixture
def restored() -> Iterator[None]:
    """This process has its own threshold again."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("restored")
def test_it_waits_for_more_than_the_requests_in_flight() -> None:
    """How the older generations follow is left as it was."""
    older = gc.get_threshold()[1:]
    collect_rarely()
    assert gc.get_threshold() == (THRESHOLD, *older)
