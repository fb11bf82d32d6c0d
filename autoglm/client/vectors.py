"""Embeddings as numpy has them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from autoglm.contract.embedding import EmbeddingResponse

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def vectors(response: EmbeddingResponse) -> npt.NDArray[np.float32]:
    """The vectors in the order of the texts, float32 of shape (n, d).

    Raises:
        ValueError: a vector is no base64 of little-endian float32, there is none, or their lengths differ.
    """
    import numpy as np

    ordered = sorted(response.data, key=lambda item: item.index)
    return np.stack([_vector(item.embedding) for item in ordered])


def _vector(embedding: list[float] | str) -> npt.NDArray[np.float32]:
    import numpy as np

    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4").astype(np.float32)
    return np.asarray(embedding, dtype=np.float32)
