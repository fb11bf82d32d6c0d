"""How soon a busy model is sent the next call."""

from __future__ import annotations

import pytest

from deployments.router.pace import SHARE, Pace


def test_calls_follow_each_other_by_a_share_of_their_time() -> None:
    """Of the average, in which one slow call counts little; several replicas are sent as many more."""
    pace = Pace(replicas=2)
    pace.answered(0.010)
    pace.answered(0.110)
    pace.sent(5.0)
    assert pace.due() == pytest.approx(5.0 + SHARE * 0.020 / 2)
