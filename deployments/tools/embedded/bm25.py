"""Passages ranked by BM25 (S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework", 2009)."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

K1, B = 1.2, 0.75  # the customary ones


class Bm25:
    """An inverted index over passages, each a sequence of terms."""

    def __init__(self, passages: Sequence[Sequence[str]]) -> None:
        self._lengths = [len(terms) for terms in passages]
        self._mean = max(1.0, sum(self._lengths) / max(1, len(passages)))
        self._postings: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for index, terms in enumerate(passages):
            for term, count in Counter(terms).items():
                self._postings[term].append((index, count))

    def ranked(self, terms: Sequence[str], limit: int) -> list[tuple[int, float]]:
        """The passages that hold any of the terms, and their scores, the best first; equal ones in their order."""
        scores: defaultdict[int, float] = defaultdict(float)
        for term in dict.fromkeys(terms):
            postings = self._postings.get(term, ())
            weight = self._weight(len(postings))
            for index, count in postings:
                norm = K1 * (1 - B + B * self._lengths[index] / self._mean)
                scores[index] += weight * count * (K1 + 1) / (count + norm)
        return sorted(scores.items(), key=lambda scored: (-scored[1], scored[0]))[:limit]

    def _weight(self, holders: int) -> float:
        """The inverse document frequency, in Lucene's form, which is never negative."""
        return math.log(1 + (len(self._lengths) - holders + 0.5) / (holders + 0.5))
