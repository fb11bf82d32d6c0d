"""Character n-grams: likeness of spelling."""

from __future__ import annotations

import numpy as np

from deployments.meaning.encoder import unit
from deployments.meaning.grams import DIMENSIONS, hashed


def test_a_misspelt_text_is_nearer_to_its_own_than_to_another() -> None:
    """Two slips leave most n-grams as they were."""
    right, misspelt, other = unit(np.stack([hashed(t) for t in ("account balance", "acuont ballance", "lost card")]))
    assert right @ misspelt > 0.4
    assert abs(right @ other) < 0.2


def test_the_shortest_text_and_the_widest_script_have_a_vector() -> None:
    """One letter has the n-grams of its ends; others than Latin ones go by their bytes."""
    for text in ("a", "卡", "🂡"):
        vector = hashed(text)
        assert (vector.shape, vector.dtype) == ((DIMENSIONS,), np.float32)
        assert np.abs(vector).sum() > 0
