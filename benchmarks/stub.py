"""A model whose call takes 8 ms whatever the batch: what is measured with it is everything around a model."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ray import serve
from ray.serve import Application

from autoglm.contract import Prediction, TaskConfig
from deployments.predictor import Predictor
from serve_app.app import PREDICTOR_CALLS

CALL_S = 0.008
CPUS = 0.1  # it sleeps


class Stub:
    """An adapter that sleeps."""

    labels = ("stub",)
    pass_tokens = None

    def parse(self, item: Any, index: int) -> Any:
        """Anything goes."""
        return item

    def predict(self, parsed: Sequence[Any]) -> list[Prediction]:
        """The same answer for each, after 8 ms for all."""
        time.sleep(CALL_S)
        return [Prediction(label="stub", score=1.0)] * len(parsed)

    def tokens(self, parsed: Any) -> int:
        """One."""
        return 1


def load(config: TaskConfig, fitted: Path | None) -> Stub:
    """The stub in place of the declared task's adapter."""
    return Stub()


def build(args: dict[str, Any]) -> Application:
    """The stub as a predictor."""
    deployment = serve.deployment(
        Predictor, name="predictor", ray_actor_options={"num_cpus": CPUS}, max_ongoing_requests=PREDICTOR_CALLS
    )
    return deployment.bind({"task": "text-classification"}, load=load)
