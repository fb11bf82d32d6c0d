"""The closed forms of what was left out, against models fitted without it."""

from __future__ import annotations

import numpy as np
import pytest

from deployments.meaning.encoder import Vectors, unit
from deployments.router.semantic.ridge import Labels, Solution

ROUTES = 3


def drawn() -> tuple[Vectors, Labels]:
    """Twelve unit vectors around three centres."""
    random = np.random.default_rng(5)
    labels = np.repeat(np.arange(ROUTES), (3, 4, 5))
    centres = random.standard_normal((ROUTES, 6))
    return unit((centres[labels] + 0.7 * random.standard_normal((12, 6))).astype(np.float32)), labels


def refitted(vectors: Vectors, labels: Labels, left: np.ndarray, row: int) -> tuple[Vectors, float]:
    """The scores of a row and its nearest cosine, by a model of the rows that are left."""
    ridge = Solution(vectors[left], labels[left], ROUTES).ridge()
    similarities = ridge.similarities(vectors[row])
    return ridge.scores(similarities), float(similarities.max())


@pytest.mark.parametrize("row", range(12))
def test_one_left_out_is_what_a_model_without_it_says(row: int) -> None:
    """770 models for the price of one."""
    vectors, labels = drawn()
    held_out = Solution(vectors, labels, ROUTES).one_left_out()
    scores, nearest = refitted(vectors, labels, np.arange(12) != row, row)
    np.testing.assert_allclose(held_out.scores[row], scores, atol=1e-5)
    assert held_out.nearest[row] == pytest.approx(nearest, abs=1e-5)


@pytest.mark.parametrize("row", [0, 5, 11])
def test_a_route_left_out_is_what_a_model_without_it_says(row: int) -> None:
    """And the route itself cannot be chosen."""
    vectors, labels = drawn()
    held_out = Solution(vectors, labels, ROUTES).route_left_out()
    others = np.arange(ROUTES) != labels[row]
    scores, nearest = refitted(vectors, labels, labels != labels[row], row)
    np.testing.assert_allclose(held_out.scores[row][others], scores[others], atol=1e-5)
    assert held_out.scores[row][labels[row]] == -np.inf
    assert held_out.nearest[row] == pytest.approx(nearest, abs=1e-5)
