"""Targets: a version's deployment handle, with what the router needs beside it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any

from autoglm import suggestion
from autoglm.errors import BadRequestError, NotFoundError
from deployments.router.aggregation import Aggregator, Outcome
from deployments.router.config import Limits, Route
from deployments.router.failures import translated

Connect = Callable[[str, str], Any]  # (deployment, app) -> a Serve DeploymentHandle

SLOTS_A_REPLICA = 8  # enough that a replica's scheduler has several passes to choose from


class Target:
    """One route's deployment: called whole, streamed from, or through the aggregator."""

    def __init__(self, route: Route, handle: Any, limits: Limits) -> None:
        self.route = route
        self._handle = handle.options(request_serialization="pickle", response_serialization="pickle")
        self._streaming = self._handle.options(stream=True)
        self._aggregator = Aggregator(
            self._predict,
            max_batch_size=route.max_batch_size,
            slots=SLOTS_A_REPLICA * route.max_replicas,
            max_waiting_inputs=limits.max_waiting_inputs,
        )

    async def predict(self, inputs: list[Any]) -> dict[str, Any]:
        """The outputs of a list of inputs: `{"outputs": [...], "tokens": int}`."""
        return await self._aggregator.submit(inputs)

    async def call(self, method: str, request: dict[str, Any]) -> dict[str, Any]:
        """One whole answer of the deployment's `method`."""
        with translated(self.route.name):
            return await getattr(self._handle, method).remote(request)

    async def stream(self, method: str, request: dict[str, Any]) -> AsyncGenerator[bytes]:
        """The events of a streamed answer. Closing the iterator cancels the request down to the engine."""
        with translated(self.route.name):
            response = self._streaming.stream.remote(method, request)
            try:
                async for event in response:
                    yield event
            finally:
                response.cancel()

    async def _predict(self, requests: list[list[Any]]) -> list[Outcome]:
        with translated(self.route.name):
            return await self._handle.predict.remote(requests)


class TargetTable:
    """All targets by name, in the order of declaration."""

    def __init__(self, routes: Iterable[Route], limits: Limits, connect: Connect) -> None:
        self._targets = {route.name: Target(route, connect(route.deployment, route.app), limits) for route in routes}

    @property
    def routes(self) -> list[Route]:
        """What is served."""
        return [target.route for target in self._targets.values()]

    def find(self, name: str, *, param: str, tasks: frozenset[str]) -> Target:
        """The target of a model or task.

        Raises:
            NotFoundError: nothing of this name is declared.
            BadRequestError: it is declared, and its task is not one of `tasks`.
        """
        target = self._targets.get(name)
        if target is None:
            raise NotFoundError(f"{param}: {name!r} is not declared{self._hint(name, tasks)}", param=param)
        if target.route.task not in tasks:
            raise BadRequestError(
                f"{param}: {name!r} does {target.route.task}, which this path does not serve{self._hint(name, tasks)}",
                param=param,
            )
        return target

    def _hint(self, name: str, tasks: frozenset[str]) -> str:
        fitting = [route.name for route in self.routes if route.task in tasks]
        return "; " + suggestion.nearest(name, fitting)
