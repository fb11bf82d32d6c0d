"""Embeddings in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autoglm.contract import EmbeddingRequest
from autoglm.errors import UnprocessableEntityError
from deployments.router.cache import Computed
from deployments.router.call import Call
from deployments.router.config import Limits, Route
from deployments.router.limits import check_inputs, check_texts
from deployments.router.targets import Target
from deployments.router.vectors import embedding, shortened
from deployments.router.work.work import computed, read_only


@dataclass(frozen=True, slots=True)
class Embedding:
    """`POST /v1/embeddings`."""

    texts: list[str]
    dimensions: int | None
    encoding: str
    is_repeatable = True

    @classmethod
    def of(cls, request: EmbeddingRequest, limits: Limits) -> Embedding:
        """A request that its limits admit; raises as `check_inputs` and `check_texts` do."""
        texts = [request.input] if isinstance(request.input, str) else request.input
        check_inputs(texts, "input", limits)
        check_texts(texts, "input", limits)
        return cls(texts, request.dimensions, request.encoding_format)

    @property
    def payload(self) -> Mapping[str, Any]:
        """What makes two of them the same."""
        return {"input": self.texts, "dimensions": self.dimensions, "encoding_format": self.encoding}

    async def whole(self, target: Target, call: Call) -> Computed:
        """A vector for each text."""
        outcome = await target.predict(self.texts, call)
        vectors = [shortened(vector, self.dimensions) for vector in outcome["outputs"]]
        body = {
            "object": "list",
            "data": [embedding(index, vector, self.encoding) for index, vector in enumerate(vectors)],
            "model": target.route.name,
            "usage": read_only(outcome["tokens"]),
        }
        return computed(body, target.route)

    def fixed(self, text: str, route: Route) -> Computed:
        """Raises UnprocessableEntityError: no text stands in for a vector, and the file's check refuses one."""
        raise UnprocessableEntityError(f"{route.name}: a fixed answer cannot stand in for an embedding")
