"""Plain `@serve.batch`, as Ray's guide has it: one deployment that is the ingress and gathers its own requests."""

from __future__ import annotations

import asyncio
from typing import Any

from ray import serve
from ray.serve import Application
from starlette.requests import Request

from autoglm.contract import Prediction
from benchmarks.subjects import adapter
from deployments.threads import use_all_cores

MAX_BATCH_SIZE = 32
WAIT_S = 0.01
CALLS = 1024
CPUS = 0.1  # one replica computes at a time


class Ingress:
    """One input a request. The model computes in a thread, so that the next requests are read meanwhile."""

    def __init__(self, subject: str) -> None:
        use_all_cores()
        self._adapter = adapter(subject)

    async def __call__(self, request: Request) -> dict[str, Any]:
        """`{"inputs": [input]}` to its prediction; a GET asks whether the model is there."""
        if request.method == "GET":
            return {}
        body = await request.json()
        prediction = await self._batch(self._adapter.parse(body["inputs"][0], 0))
        return prediction.model_dump()

    @serve.batch(max_batch_size=MAX_BATCH_SIZE, batch_wait_timeout_s=WAIT_S)
    async def _batch(self, parsed: list[Any]) -> list[Prediction]:
        return list(await asyncio.to_thread(self._adapter.predict, parsed))


def build(args: dict[str, Any]) -> Application:
    """The ingress of `args["subject"]`."""
    deployment = serve.deployment(
        Ingress, name="ingress", ray_actor_options={"num_cpus": CPUS}, max_ongoing_requests=CALLS
    )
    return deployment.bind(args["subject"])
