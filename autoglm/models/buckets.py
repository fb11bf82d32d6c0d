"""Sub-batches of like lengths: on a CPU, padding costs as much as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

# MiniLM's head classifier on two cores, SST-2 in order of arrival 32 at a time, sentences/s: one padded batch 140,
# sub-batches of 8 180, of 16 195 (means of two runs, 10 % apart).
BUCKET_SIZE = 16


def buckets(lengths: Sequence[int], size: int = BUCKET_SIZE) -> list[list[int]]:
    """The indices 0…n-1 in groups of at most `size`, by rising length."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    return [order[start : start + size] for start in range(0, len(order), size)]


def map_buckets(
    rows: Sequence[Sequence[int]], compute: Callable[[list[Sequence[int]]], Iterable[Any]], size: int = BUCKET_SIZE
) -> list[Any]:
    """`compute` over sub-batches of token rows; its results in the order of `rows`."""
    results: list[Any] = [None] * len(rows)
    for bucket in buckets([len(row) for row in rows], size):
        for index, result in zip(bucket, compute([rows[i] for i in bucket]), strict=True):
            results[index] = result
    return results
