"""Encoders: texts to vectors. Router and planner hold one in their processes, so none imports a model library."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, Protocol

import numpy as np

Vectors = np.ndarray[Any, np.dtype[np.float32]]


class Encoder(Protocol):
    """What turns texts into vectors."""

    @property
    def words(self) -> Sequence[str]:
        """The words, case-folded, that it knows as a whole, the most frequent first; empty where it cannot tell."""
        ...

    @property
    def inline(self) -> bool:
        """Whether it is fast enough (a tenth of a millisecond a text) to be called in the event loop."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Float32 of shape (n, d), every row of length 1 (or 0, for a text without a known token)."""
        ...


@cache
def load_encoder(name: Literal["wordllama", "e5"]) -> Encoder:
    """The process's encoder of this name; reads its weights (19 MB, or 91 MB), so call it off the event loop.

    Raises:
        ConfigError: its package is not installed.
    """
    if name == "wordllama":
        from deployments.meaning.static_encoder import StaticEncoder

        return StaticEncoder()
    from deployments.meaning.e5_encoder import E5Encoder

    return E5Encoder()


def unit(vectors: Vectors) -> Vectors:
    """Every row at length 1; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
