"""Sentence embeddings: the last layer's mean over tokens, at length 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autoglm.errors import ModelError
from autoglm.models.checkpoint import Source, read_json
from autoglm.models.encoder import TextEncoder, depth

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Embedder:
    """As sentence-transformers computes it for models with mean pooling (Reimers and Gurevych, 2019)."""

    labels = None

    def __init__(self, source: Source) -> None:
        pooling = read_json(source, "1_Pooling/config.json") or {}
        if not pooling.get("pooling_mode_mean_tokens", True):
            raise ModelError(
                f"model: {source} does not pool by mean, which is what this adapter does; take one that does"
            )
        self._encoder = TextEncoder(source, [depth(source)])
        self.pass_tokens = self._encoder.pass_tokens

    def parse(self, item: Any, index: int) -> list[int]:
        """The text's token ids, cut to what the model reads."""
        return self._encoder.parse(item, index)

    def predict(self, parsed: Sequence[list[int]]) -> NDArray[np.float32]:
        """Float32 of shape (n, d), every row of length 1."""
        import numpy as np

        vectors = self._encoder.encode(parsed)
        return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True).clip(min=1e-12)

    def tokens(self, parsed: list[int]) -> int:
        """How many tokens the text has, as the model reads it."""
        return len(parsed)
