"""A model whose call takes 8 ms whatever the batch: what is measured with it is everything around a model."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ray import serve
from ray.serve import Application

from autoglm.contract import Prediction, TaskConfig
from deployments.predictor import Predictor
from deployments.router import Route, RouterConfig
from serve_app.app import PREDICTOR_CALLS, ROUTER_APP

CALL_S = 0.008
APP = "model-stub-v1"


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


def load(config: TaskConfig) -> Stub:
    """The stub in place of the declared task's adapter."""
    return Stub()


def build(args: dict[str, Any]) -> Application:
    """The stub as a predictor."""
    return serve.deployment(Predictor, name="predictor", max_ongoing_requests=PREDICTOR_CALLS).bind(  # type: ignore[no-any-return]
        {"task": "text-classification"}, load
    )


def config(port: int, batching: dict[str, Any]) -> dict[str, Any]:
    """The Serve config of the stub behind the project's own router."""
    route = Route(
        name="stub",
        task="text-classification",
        model="stub",
        version="v1",
        app=APP,
        deployment="predictor",
        max_batch_size=batching["max_batch_size"],
    )
    routing = RouterConfig(routes=(route,)).model_dump(mode="json", exclude_defaults=True)
    return {
        "http_options": {"host": "127.0.0.1", "port": port},
        "applications": [
            {
                "name": APP,
                "route_prefix": None,
                "import_path": "benchmarks.stub:build",
                "args": {},
                "deployments": [{"name": "predictor", "user_config": batching}],
            },
            {
                "name": ROUTER_APP,
                "route_prefix": "/",
                "import_path": "serve_app.app:build_router",
                "args": {"replicas": 1, "max_body_bytes": 1 << 20},
                "deployments": [{"name": "router", "user_config": routing}],
            },
        ],
    }
