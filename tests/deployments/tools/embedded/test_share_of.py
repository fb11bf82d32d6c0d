"""Shares."""

from __future__ import annotations

from tests.deployments.tools.embedded.conftest import Call


def test_a_share_is_counted(call: Call) -> None:
    """Of whatever JSON values; `true` is not 1."""
    assert call("share_of", values=["a", "b", "a", "a"], value="a") == {"count": 3, "total": 4, "share": 0.75}
    assert call("share_of", values=[True, 1, 1.0], value=1)["count"] == 2
    assert call("share_of", values=[{"x": [1]}], value={"x": [1]})["share"] == 1


def test_of_nothing_the_share_is_nothing(call: Call) -> None:
    """And no division by zero."""
    assert call("share_of", values=[], value=1) == {"count": 0, "total": 0, "share": 0}
