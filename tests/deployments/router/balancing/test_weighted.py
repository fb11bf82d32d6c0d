"""The weighted order."""

from __future__ import annotations

from collections import Counter
from random import Random

from deployments.router.balancing.weighted import weighted_order


def test_each_comes_first_as_often_as_its_weight_says() -> None:
    """Three times the weight, three times the requests; and nobody is missing from the order."""
    rng = Random(0)
    orders = [weighted_order({"a": 3, "b": 1, "c": 1}, rng) for _ in range(5000)]
    first = Counter(order[0] for order in orders)
    assert 2850 < first["a"] < 3150
    assert 900 < first["b"] < 1100
    assert all(sorted(order) == ["a", "b", "c"] for order in orders)
