"""Texts as vectors: the encoders, and what is done to a text before it is encoded."""

from deployments.meaning.encoder import Encoder, Vectors, load_encoder, unit
from deployments.meaning.text import MAX_CHARS, normalised

__all__ = ["MAX_CHARS", "Encoder", "Vectors", "load_encoder", "normalised", "unit"]
