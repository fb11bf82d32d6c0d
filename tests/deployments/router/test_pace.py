"""How soon a busy model is sent the next call."""

from __future__ import annotations

import pytest

from deployments.router.pace import SHARE, Pace


def test_the_next_call_leaves_by_a_share_of_the_models_time() -> None:
    """From answer to answer, since a call waits for those before it; one slow call counts little."""
    pace = Pace()
    assert pace.due() == float("inf")
    pace.began(1.0)
    pace.answered(1.010)
    assert pace.due() == pytest.approx(1.010 + SHARE * 0.010)
    pace.answered(1.120)
    assert pace.due() == pytest.approx(1.120 + SHARE * 0.020)


def test_a_model_that_was_idle_is_timed_from_the_call_that_woke_it() -> None:
    """The pause before it is no part of its time."""
    pace = Pace()
    pace.began(1.0)
    pace.answered(1.010)
    pace.began(5.0)
    assert pace.due() == pytest.approx(5.0 + SHARE * 0.010)
