"""A declared task over a list of inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autoglm.contract import Prediction as Predicted
from autoglm.contract import PredictRequest
from deployments.router.cache import Computed
from deployments.router.call import Call
from deployments.router.config import Limits, Route
from deployments.router.limits import check_inputs, check_texts
from deployments.router.targets import Target
from deployments.router.work.work import computed, read_only


@dataclass(frozen=True, slots=True)
class Prediction:
    """`POST /v1/predict`."""

    inputs: list[Any]
    is_repeatable = True

    @classmethod
    def of(cls, request: PredictRequest, route: Route, limits: Limits) -> Prediction:
        """A request that its limits admit; raises as `check_inputs` and `check_texts` do."""
        check_inputs(request.inputs, "inputs", limits)
        if route.is_text:
            check_texts(request.inputs, "inputs", limits)
        return cls(request.inputs)

    @property
    def payload(self) -> Mapping[str, Any]:
        """What makes two of them the same."""
        return {"inputs": self.inputs}

    async def whole(self, target: Target, call: Call) -> Computed:
        """The predictions, in the order of the inputs."""
        outcome = await target.predict(self.inputs, call)
        predictions = [prediction.model_dump() for prediction in outcome["outputs"]]
        return self._answer(predictions, outcome["tokens"], target.route)

    def fixed(self, text: str, route: Route) -> Computed:
        """The declared label for each input, with no probability."""
        label = Predicted(label=text, score=0).model_dump()
        return self._answer([label] * len(self.inputs), 0, route)

    def _answer(self, predictions: list[dict[str, Any]], tokens: int, route: Route) -> Computed:
        body = {
            "task": route.name,
            "model": route.model,
            "version": route.version,
            "predictions": predictions,
            "usage": read_only(tokens),
        }
        return computed(body, route)
