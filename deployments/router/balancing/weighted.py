"""A random order in which heavier replicas tend to come first."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random


def weighted_order(weights: Mapping[str, float], rng: Random) -> list[str]:
    """All names; each comes first with the probability of its weight's share, and so on among the rest.

    Weights are above 0. Method: Efraimidis and Spirakis, "Weighted random sampling with a reservoir" (2006), as
    exponential variates: the first arrival of Poisson processes with these rates.
    """
    arrivals = {name: rng.expovariate(weight) for name, weight in weights.items()}
    return sorted(arrivals, key=arrivals.__getitem__)
