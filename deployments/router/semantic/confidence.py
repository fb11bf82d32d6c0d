"""From scores to the probability that the best route is right (Platt's scaling, 1999, on three features)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deployments.router.semantic.ridge import HeldOut, Matrix, Solution

# The weights of the features below, as found on BANKING77: means over 75 draws of 2 to 16 routes with 5 or 10
# examples, on held-out questions with one typo, a tenth of them of other routes or no bank question at all.
# Examples of one's own move them; a few examples hardly do.
PRIOR = (4.0, 5.5, 4.5, -2.6)
PRIOR_PRECISION = 0.5
OUT_OF_SCOPE = 0.1  # the share of texts that are taken to belong to no route
TELLING_EXAMPLES = 5  # of a smaller route, leaving out one takes so much that its score tells little about the whole
NO_SECOND = 0.0  # the second score where there is only one route: that of a text far from every example
STEPS = 50  # Newton's method; it converges in under ten
CONVERGED = 1e-9


@dataclass(frozen=True, slots=True)
class Confidence:
    """Logistic in the best score, its margin to the second, and the cosine to the nearest example."""

    weights: tuple[float, ...] = PRIOR

    def of(self, best: float, margin: float, nearest: float) -> float:
        """A probability, in [0, 1]."""
        evidence = (best, margin, nearest, 1.0)
        logit = sum(weight * value for weight, value in zip(self.weights, evidence, strict=True))
        return 1 / (1 + math.exp(-logit))

    @classmethod
    def fit(cls, solution: Solution) -> Confidence:
        """Fitted on the examples' own held-out scores, in and out of scope."""
        inside = solution.one_left_out()
        telling = np.flatnonzero(np.bincount(inside.labels)[inside.labels] >= TELLING_EXAMPLES)
        parts = [inside, solution.route_left_out()] if inside.scores.shape[1] > 1 else [inside]
        shares = (1 - OUT_OF_SCOPE, OUT_OF_SCOPE)
        rows = np.concatenate([features(part)[telling] for part in parts])
        right = np.concatenate([(part.scores.argmax(axis=1) == part.labels)[telling] for part in parts])
        weights = np.repeat(shares[: len(parts)], len(telling))
        return cls(tuple(logistic(rows, right, weights, PRIOR).tolist()))


def features(held_out: HeldOut) -> Matrix:
    """Shape (m, 4): best score, margin, nearest cosine, and a one for the bias."""
    none = np.full((len(held_out.scores), 1), -np.inf)
    second, best = np.sort(np.hstack([none, held_out.scores]), axis=1)[:, -2:].T
    margin = best - np.where(np.isfinite(second), second, NO_SECOND)
    return np.stack([best, margin, held_out.nearest, np.ones(len(best))], axis=1)


def logistic(rows: Matrix, right: Matrix, weights: Matrix, prior: Sequence[float]) -> Matrix:
    """Logistic regression of weighted rows, its coefficients drawn to the prior's, by Newton's method."""
    centre = np.asarray(prior)
    found = centre
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-(rows @ found)))
        gradient = rows.T @ (weights * (chance - right)) + PRIOR_PRECISION * (found - centre)
        curvature = (rows.T * (weights * chance * (1 - chance))) @ rows + PRIOR_PRECISION * np.eye(len(centre))
        step = np.linalg.solve(curvature, gradient)
        found = found - step
        if np.abs(step).max() < CONVERGED:
            break
    return found
