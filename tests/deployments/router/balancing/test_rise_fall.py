"""How many probes change the mind."""

from __future__ import annotations

import pytest

from deployments.router.balancing.rise_fall import RiseFall
from tests.deployments.router.balancing.ticks import Ticks


@pytest.mark.parametrize(
    ("probes", "fallen"),
    [
        ("xx", False),
        ("xxx", True),
        ("x.xx", False),
        ("xx.xx", False),
        ("xxx.", True),
        ("xxx.x.", True),
        ("xxx..", False),
        ("xxx..xx", False),
        ("xxx..xxx", True),
    ],
)
def test_only_a_row_of_agreeing_probes_changes_the_state(ticks: Ticks, probes: str, fallen: bool) -> None:
    """Three silences bring it down and two answers up; one of the other kind between them starts the row anew."""
    health = RiseFall(rise=2, fall=3, clock=ticks)
    health.keep("a")
    for probe in probes:
        (health.answered if probe == "." else health.missed)("a")
    assert health.fallen() == ({"a"} if fallen else set())


def test_the_time_since_the_fall_is_told(ticks: Ticks) -> None:
    """From the fall, not from the last silence."""
    health = RiseFall(rise=1, fall=1, clock=ticks)
    health.keep("a")
    health.missed("a")
    ticks.now += 4
    health.missed("a")
    assert health.fallen_s("a") == 4
