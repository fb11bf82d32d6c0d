"""What the tests of tools share."""

from __future__ import annotations

import logging

import pytest


@pytest.fixture(autouse=True)
def _heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is logged reaches `caplog`, also where a test before has started Serve, which sets its logger up anew."""
    monkeypatch.setattr(logging.getLogger("ray.serve"), "propagate", True)
