"""Answers to earlier questions that mean the same: an option, off by default, never across tenants."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from deployments.router.cache.fingerprint import DIGEST_BYTES, Key, fingerprint, is_deterministic
from deployments.router.cache.wording import agree

Vectors = np.ndarray[Any, np.dtype[np.float32]]

MAX_CHARS = 200  # in the mean of more words than that one of them, which may be the question's point, goes under


class SemanticConfig(BaseModel):
    """How alike two questions must be, and how many are remembered (up to 2 KB each with vectors of 256 numbers).

    The default is from BANKING77's 10,002 questions, each asked of those before it with wordllama's vectors
    (`python -m benchmarks.semantic_cache`): chosen on one half, where 2.4 % are hits and none of them is wrong; on the
    other 2.1 % are hits and 0.95 % of them, 0.02 % of the requests, have another intent. At 0.90 8 % are hits and 3.5 %
    of them wrong. Questions unlike a bank's customers' may fare worse: measure with your own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: float = Field(default=0.96, gt=0, le=1)
    max_entries_per_tenant: int = Field(default=1_000, ge=1)
    max_tenants: int = Field(default=100, ge=1)


class Embed(Protocol):
    """Texts to vectors."""

    def __call__(self, texts: list[str]) -> Vectors:
        """Float32 of shape (n, d), of any length but zero; well below a millisecond, as the event loop waits."""


@dataclass(frozen=True, slots=True)
class Question:
    """The last turn of a request, and the fingerprint of all the rest of it."""

    text: str
    rest: bytes  # shape (DIGEST_BYTES,)


def question_of(
    *, tenant: str, name: str, version: str, lane: str, permissions: str, payload: Mapping[str, Any]
) -> Question | None:
    """What a request asks; None for all but a deterministic chat of one user's turn, in text.

    Turns before it, an answer that was given, or tools would make the same words mean something else.
    """
    messages: list[dict[str, Any]] = payload.get("messages") or []
    turns = [message for message in messages if message.get("role") not in ("system", "developer")]
    if len(turns) != 1 or turns[0] is not messages[-1] or turns[0].get("role") != "user":
        return None
    text = turns[0].get("content")
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_CHARS or not is_deterministic(payload):
        return None
    rest = dict(payload) | {"messages": [*messages[:-1], {**turns[0], "content": ""}]}
    digest = fingerprint(tenant=tenant, name=name, version=version, lane=lane, permissions=permissions, payload=rest)
    return Question(text, digest)


class Shelf:
    """One tenant's latest questions: a ring of vectors of length one, (n, d), with text, rest and key of each."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept: list[tuple[str, Key]] = []
        self._rests = np.empty((0, DIGEST_BYTES), np.uint8)
        self._vectors: Vectors = np.empty((0, 0), np.float32)
        self._next = 0

    def nearest(self, question: Question, vector: Vectors) -> tuple[str, Key, float] | None:
        """The most alike question with the same rest: its text, its key, the cosine."""
        rest = np.frombuffer(question.rest, np.uint8)
        rows = np.flatnonzero((self._rests[: len(self._kept)] == rest).all(axis=1))
        if not len(rows):
            return None
        cosines = self._vectors[rows] @ vector
        best = int(np.argmax(cosines))
        return *self._kept[rows[best]], float(cosines[best])

    def add(self, question: Question, vector: Vectors, key: Key) -> None:
        """Remember one more, in the place of the oldest where all are taken."""
        if self._next == len(self._rests) < self._capacity:
            self._grow(len(vector))
        self._rests[self._next] = np.frombuffer(question.rest, np.uint8)
        self._vectors[self._next] = vector
        self._kept[self._next : self._next + 1] = [(question.text, key)]
        self._next = (self._next + 1) % self._capacity

    def _grow(self, dimensions: int) -> None:
        """Twice the room, so that a tenant of few questions takes little."""
        room = min(self._capacity, max(16, 2 * len(self._rests)))
        rests, vectors = np.zeros((room, DIGEST_BYTES), np.uint8), np.zeros((room, dimensions), np.float32)
        rests[: len(self._rests)] = self._rests
        vectors[: len(self._vectors)] = self._vectors.reshape(-1, dimensions)
        self._rests, self._vectors = rests, vectors


class SemanticIndex:
    """Earlier questions by tenant; the tenant that has asked nothing for the longest time is forgotten first."""

    def __init__(self, config: SemanticConfig, embed: Embed) -> None:
        self._config = config
        self._embed = embed
        self._shelves: OrderedDict[str, Shelf] = OrderedDict()

    def nearest(self, tenant: str, question: Question) -> Key | None:
        """The key of the tenant's most alike earlier question, all else being equal; None where it is not enough so."""
        shelf = self._shelves.get(tenant)
        if shelf is None:
            return None
        self._shelves.move_to_end(tenant)
        found = shelf.nearest(question, self._vector(question.text))
        if found is None:
            return None
        text, key, cosine = found
        return key if cosine >= self._config.threshold and agree(question.text, text) else None

    def add(self, question: Question, key: Key) -> None:
        """Remember a question whose answer is kept under `key`."""
        shelf = self._shelves.get(key.tenant)
        if shelf is None:
            shelf = self._shelves[key.tenant] = Shelf(self._config.max_entries_per_tenant)
        self._shelves.move_to_end(key.tenant)
        shelf.add(question, self._vector(question.text), key)
        if len(self._shelves) > self._config.max_tenants:
            self._shelves.popitem(last=False)

    def _vector(self, text: str) -> Vectors:
        """Of length one, shape (d,)."""
        vector = self._embed([text])[0]
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float32)
