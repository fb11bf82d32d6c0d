"""The probability that a decision is right."""

from __future__ import annotations

import numpy as np
import pytest

from deployments.meaning.encoder import unit
from deployments.router.semantic.confidence import PRIOR, Confidence
from deployments.router.semantic.ridge import HeldOut, Solution


def solution(noise: float, examples: int, routes: int = 4) -> Solution:
    """Examples around as many centres as routes; the more noise, the more the routes overlap."""
    random = np.random.default_rng(11)
    labels = np.repeat(np.arange(routes), examples)
    centres = random.standard_normal((routes, 32))
    spread = noise * random.standard_normal((len(labels), 32))
    return Solution(unit((centres[labels] + spread).astype(np.float32)), labels, routes)


def test_few_examples_leave_the_prior_as_it_is() -> None:
    """Four of a route say nothing that could be measured by leaving one of them out."""
    assert Confidence.fit(solution(0.5, examples=4)).weights == pytest.approx(PRIOR)


def test_one_route_has_no_out_of_scope_to_learn_from() -> None:
    """Leaving it out would leave nothing."""
    assert len(Confidence.fit(solution(0.5, examples=8, routes=1)).weights) == len(PRIOR)


def test_examples_that_overlap_lower_the_confidence_to_what_is_right() -> None:
    """Where routes are hard to tell apart, the prior promises too much; the examples' held-out scores show it."""
    overlapping = solution(3.0, examples=40)
    inside = overlapping.one_left_out()
    right = float(np.mean(inside.scores.argmax(axis=1) == inside.labels))
    assert mean_confidence(Confidence(), inside) > right + 0.1
    assert mean_confidence(Confidence.fit(overlapping), inside) == pytest.approx(right, abs=0.1)


def mean_confidence(confidence: Confidence, held_out: HeldOut) -> float:
    """Over all rows."""
    second, best = np.sort(held_out.scores, axis=1)[:, -2:].T
    rows = zip(best, best - second, held_out.nearest, strict=True)
    return float(np.mean([confidence.of(*row) for row in rows]))
