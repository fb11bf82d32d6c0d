"""Vectors on their way out: shortened, and encoded as OpenAI does."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from autoglm.errors import UnprocessableEntityError

Vector = np.ndarray[Any, np.dtype[np.float32]]


def shortened(vector: Vector, dimensions: int | None) -> Vector:
    """The first `dimensions` of a vector, of length one again (as OpenAI's `dimensions` does)."""
    if dimensions is None:
        return vector
    if dimensions > len(vector):
        raise UnprocessableEntityError(
            f"dimensions: got {dimensions}, this model's vectors have {len(vector)}", param="dimensions"
        )
    head = vector[:dimensions]
    return np.asarray(head / max(float(np.linalg.norm(head)), 1e-12), dtype=np.float32)


def encode_floats(vector: Vector) -> list[float]:
    """A vector as a JSON list."""
    return [float(value) for value in vector.tolist()]


def encode_base64(vector: Vector) -> str:
    """A vector as base64 of its little-endian float32 bytes, a quarter of the list's size."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


def embedding(index: int, vector: Vector, encoding: str) -> dict[str, Any]:
    """One item of an embeddings response."""
    encode = encode_base64 if encoding == "base64" else encode_floats
    return {"object": "embedding", "index": index, "embedding": encode(vector)}
