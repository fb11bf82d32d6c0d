"""Character n-grams as a vector: what two spellings of a word still have in common.

By signed feature hashing (Weinberger et al., 2009): collisions add noise with mean zero instead of a bias.
"""

from __future__ import annotations

import numpy as np

from deployments.meaning.encoder import Vectors

DIMENSIONS = 256  # 512 and 1,024 gained less than half a point on held-out BANKING77 questions
SIZES = (2, 3, 4)  # bytes of UTF-8
PRIME = np.uint64(0x100000001B3)  # FNV's
MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio (Knuth's multiplicative hashing)


def hashed(text: str) -> Vectors:
    """Float32 of shape (DIMENSIONS,): signed counts of the n-grams, the ends of the text among them."""
    codes = np.frombuffer(f" {text} ".encode(), np.uint8).astype(np.uint64)
    grams = codes
    found = []
    for size in range(2, max(SIZES) + 1):
        grams = grams[:-1] * PRIME + codes[size - 1 :]  # uint64 arrays wrap around, which is what a hash wants
        found.append(grams * MIX >> np.uint64(40))
    every = np.concatenate(found)
    slots, signs = (every >> np.uint64(1)) % np.uint64(DIMENSIONS), (every & np.uint64(1)).astype(np.float32) * 2 - 1
    return np.bincount(slots.astype(np.intp), weights=signs, minlength=DIMENSIONS).astype(np.float32)
