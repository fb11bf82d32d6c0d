"""One clock for bank and replicas."""

from __future__ import annotations

import pytest

from tests.deployments.quota.fake_bank import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
