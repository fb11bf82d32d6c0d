"""Sub-batches: like lengths together, results in order."""

from __future__ import annotations

from collections.abc import Sequence

from autoglm.models.buckets import buckets, map_buckets


def test_like_lengths_share_a_bucket() -> None:
    """The short rows are computed apart from the long ones."""
    assert buckets([9, 1, 8, 2], size=2) == [[1, 3], [2, 0]]


def test_results_keep_the_order_of_the_rows() -> None:
    """Whatever the buckets, the n-th result is the n-th row's."""
    seen: list[int] = []

    def compute(rows: list[Sequence[int]]) -> list[int]:
        seen.append(len(rows))
        return [sum(row) for row in rows]

    assert map_buckets([[1, 2, 3], [4], [5, 6]], compute, size=2) == [6, 4, 11]
    assert seen == [2, 1]
