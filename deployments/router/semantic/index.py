"""The index: every route's examples as vectors, and the decision for one text."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoglm.contract.route import NearestExample, RouteCandidate, RouteDecision, RouteKind
from deployments.meaning.encoder import Encoder, Vectors, unit
from deployments.meaning.grams import hashed
from deployments.meaning.text import normalised
from deployments.router.semantic.confidence import NO_SECOND, Confidence
from deployments.router.semantic.config import RoutingConfig
from deployments.router.semantic.decision import Ranking, decided, refused
from deployments.router.semantic.ridge import Labels, Solution
from deployments.router.semantic.spelling import Spelling

GRAM_SHARE = 0.2  # of the squared length; 0.5 cost a point on held-out BANKING77 questions, typed well or not
MEANING_LENGTH, GRAM_LENGTH = np.float32((1 - GRAM_SHARE) ** 0.5), np.float32(GRAM_SHARE**0.5)
CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class Scope:
    """The routes that a request may take, and the rows of their examples."""

    routes: Labels
    examples: Labels


class RouteIndex:
    """Decides by kernel ridge regression over the examples; fitted once, then only read, so threads may share it.

    A text becomes the encoder's vector beside its character n-grams, after its misspelt words were corrected.
    """

    def __init__(self, config: RoutingConfig, encoder: Encoder) -> None:
        """Fit. For 770 examples 0.4 s of computing, so call it in a thread.

        Args:
            config: at least one route.
            encoder: the one that `config.encoder` names.
        """
        self._config = config
        self._encoder = encoder
        self._texts = [text for route in config.routes for text in route.examples]
        cleaned = [normalised(text) for text in self._texts]
        self._spelling = Spelling(cleaned, encoder.words)
        self._labels = np.repeat(np.arange(len(config.routes)), [len(route.examples) for route in config.routes])
        solution = Solution(self._vectors(cleaned), self._labels, len(config.routes))
        self._ridge = solution.ridge()
        self._confidence = Confidence.fit(solution)
        self._scopes = {kind: self._scope(kind) for kind in (None, "model", "task")}

    async def route(self, text: str, kind: RouteKind | None = None) -> RouteDecision:
        """`decide`, in a thread where the encoder is too slow for the event loop."""
        if self._encoder.inline:
            return self.decide(text, kind)
        return await asyncio.to_thread(self.decide, text, kind)

    def decide(self, text: str, kind: RouteKind | None = None) -> RouteDecision:
        """Where a text goes among all routes, or among those to a model or to a task only."""
        scope = self._scopes[kind]
        cleaned = normalised(text)
        if not cleaned:
            return refused(self._config, kind, "the text is empty")
        if not len(scope.routes):
            return refused(self._config, kind, f"no route leads to a {kind}")
        return decided(self._config, kind, self._ranking(cleaned, scope))

    def _ranking(self, cleaned: str, scope: Scope) -> Ranking:
        """The best routes of a scope, and what speaks for the first."""
        vector = self._vectors([self._spelling.correct(cleaned)])[0]
        similarities = self._ridge.similarities(vector)
        scores = self._ridge.scores(similarities)
        order = scope.routes[np.argsort(-scores[scope.routes], kind="stable")[:CANDIDATES]].tolist()
        best, second = [*scores[order].tolist(), NO_SECOND][:2]
        closest = float(similarities[scope.examples].max())
        return Ranking(
            candidates=tuple(self._candidate(route, float(scores[route])) for route in order),
            confidence=self._confidence.of(best, best - second, closest),
            margin=best - second,
            nearest=self._nearest(order[0], similarities),
        )

    def _candidate(self, index: int, score: float) -> RouteCandidate:
        route = self._config.routes[index]
        return RouteCandidate(route=route.name, model=route.model, task=route.task, score=score)

    def _nearest(self, index: int, similarities: Vectors) -> NearestExample:
        own = np.flatnonzero(self._labels == index)
        row = int(own[similarities[own].argmax()])
        similarity = min(float(similarities[row]), 1.0)  # single precision may round above
        return NearestExample(route=self._config.routes[index].name, text=self._texts[row], similarity=similarity)

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        """Float32 of shape (n, d): the encoder's part and the n-grams', joined at length 1."""
        grams = unit(np.stack([hashed(text) for text in texts]))
        meaning = self._encoder.encode(texts)
        return np.hstack([meaning * MEANING_LENGTH, grams * GRAM_LENGTH])

    def _scope(self, kind: RouteKind | None) -> Scope:
        routes = [i for i, route in enumerate(self._config.routes) if kind is None or getattr(route, kind) is not None]
        chosen = np.array(routes, dtype=np.intp)
        return Scope(chosen, np.flatnonzero(np.isin(self._labels, chosen)))
