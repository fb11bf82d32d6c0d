"""The tools that fit an instruction, by meaning and by words."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoglm.contract.tool import ToolCard
from deployments.meaning import Encoder, Vectors, normalised
from deployments.planner.planning.terms import terms

MAX_TOOLS = 20_000  # of all callers together; 22 MB with vectors of 256 numbers
MAX_NAMES = 20  # parameters of a tool that tell what it is for
# Of the score; the rest is the cosine. Chosen on the even half of BFCL's questions, see benchmarks/planning.
LEXICAL = 0.35


@dataclass(frozen=True, slots=True)
class Entry:
    """A tool as it is compared: shape (d,), and its terms."""

    vector: Vectors
    terms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Fitting:
    """A tool and how well it fits, in [-1, 1]."""

    card: ToolCard
    fit: float


class ToolIndex:
    """Vectors and terms of tools by their texts, each computed once; of more than `MAX_TOOLS` the ones asked for last.

    Threads may share it.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._lock = threading.Lock()

    def nearest(self, text: str, cards: Sequence[ToolCard], count: int) -> list[Fitting]:
        """The best `count` of the cards, best first; takes a few milliseconds for 500 that are known already."""
        if not cards:
            return []
        with self._lock:
            entries = self._known(cards)
            query = self._encoder.encode([normalised(text)])[0]
        cosines = np.stack([entry.vector for entry in entries]) @ query
        scores = (1 - LEXICAL) * cosines + LEXICAL * overlap(terms(text), [entry.terms for entry in entries])
        order = np.argsort(-scores, kind="stable")[:count]
        return [Fitting(cards[place], float(scores[place])) for place in order.tolist()]

    def _known(self, cards: Sequence[ToolCard]) -> list[Entry]:
        texts = [text_of(card) for card in cards]
        if new := [text for text in dict.fromkeys(texts) if text not in self._entries]:
            vectors = self._encoder.encode([normalised(text) for text in new])
            for text, vector in zip(new, vectors, strict=True):
                self._entries[text] = Entry(vector, terms(text))
        entries = [self._entries[text] for text in texts]
        self._forget(texts)
        return entries

    def _forget(self, texts: Sequence[str]) -> None:
        for text in texts:
            self._entries.move_to_end(text)
        while len(self._entries) > MAX_TOOLS:
            self._entries.popitem(last=False)


def text_of(card: ToolCard) -> str:
    """What a tool is compared by: its name in words, its description, and the names of its parameters."""
    names = list(card.parameters.get("properties", {}))[:MAX_NAMES]
    return f"{card.name.replace('_', ' ').replace('.', ' ')}. {card.description} {' '.join(names)}"


def overlap(wanted: frozenset[str], offered: Sequence[frozenset[str]]) -> Vectors:
    """Which part of the wanted terms each offer has, by their weight: shape (n,), in [0, 1].

    A term weighs the more the fewer offers have it (Spärck Jones, A Statistical Interpretation of Term Specificity,
    1972); the root keeps one rare word from counting for all.
    """
    frequency = Counter(term for has in offered for term in wanted & has)
    weights = {term: float(np.log1p(len(offered) / (1 + frequency[term]))) for term in wanted}
    total = sum(weights.values()) or 1.0
    shares = [sum(weights[term] for term in wanted & has) / total for has in offered]
    return np.sqrt(np.asarray(shares, dtype=np.float32))
