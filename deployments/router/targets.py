"""Targets: a version's deployment handle, with what the router needs beside it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing
from typing import Any, Literal

from autoglm import suggestion
from autoglm.errors import BadRequestError, NotFoundError
from deployments.breaking import Breaker, Transition
from deployments.router.aggregation import Aggregator, Outcome, Request
from deployments.router.attempts import Attempts
from deployments.router.balancing import BalancingConfig, ReplicaStatus
from deployments.router.batches import Batches
from deployments.router.call import Call
from deployments.router.config import Limits, Route
from deployments.router.deadline import DEFAULT_S, Deadline
from deployments.router.failures import translated
from deployments.router.limits import texts_of
from deployments.router.shedding import Gate, Slot
from deployments.stream import Event, Progress

Connect = Callable[[str, str, BalancingConfig], Any]  # (deployment, app, how) -> a Serve DeploymentHandle

logger = logging.getLogger("ray.serve")

PREFIX_CHARS = 16_384  # of a prompt that decide where its cached blocks may lie
SLOTS_A_REPLICA = 8  # enough that a replica's scheduler has several passes to choose from


class Target:
    """One version's deployment: called whole, streamed from, or through the aggregator.

    Every request passes the gate once, and the breaker with each of its attempts.
    """

    def __init__(self, route: Route, handle: Any, limits: Limits) -> None:
        self.route = route
        self.fallbacks: Counter[str] = Counter()  # what stood in, and how often
        self.transitions: Counter[str] = Counter()  # of the breaker, by the state it went to
        self.batches = Batches()
        self.breaker = Breaker(route.name, route.version, route.policy.breaker, on_transition=self._changed)
        self.gate = Gate(route.name, route.policy.shedding)
        self.attempts = Attempts(route.name, route.policy, self.breaker)
        self._handle = handle.options(request_serialization="pickle", response_serialization="pickle")
        # A handle makes a copy of itself for each method that it is asked for, so it is asked once.
        self._streaming = self._handle.options(stream=True).stream
        self._methods: dict[str, Any] = {}
        self.aggregator = Aggregator(
            self._predict,
            max_batch_size=route.max_batch_size,
            slots=SLOTS_A_REPLICA * route.max_replicas,
            max_waiting_inputs=limits.max_waiting_inputs,
            replicas=route.max_replicas,
            max_wait_s=route.batch_wait_timeout_s,
            by_length=route.is_text or route.task == "embedding",
            observe=self.batches.add,
        )

    def __str__(self) -> str:
        return f"{self.route.name}:{self.route.version}"

    @property
    def meta(self) -> dict[str, str | int]:
        """Who answers."""
        return {"model": self.route.name, "version": self.route.version}

    def replicas(self) -> tuple[ReplicaStatus, ...]:
        """The replicas as the balancing sees them; none before the first call."""
        return self.attempts.replicas.status() if self.attempts.replicas is not None else ()

    def _changed(self, transition: Transition) -> None:
        self.transitions[transition.after] += transition.before != transition.after
        logger.warning(
            "the breaker of %s went from %s to %s: %s", self, transition.before, transition.after, transition.reason
        )

    def hold(self, state: Literal["open", "closed"] | None) -> None:
        """Hold the breaker by hand; None lets it go."""
        if state == "open":
            self.breaker.force_open()
        elif state == "closed":
            self.breaker.force_closed()
        else:
            self.breaker.release_forced()

    async def predict(self, inputs: list[Any], call: Call) -> dict[str, Any]:
        """The outputs of a list of inputs: `{"outputs": [...], "tokens": int}`."""
        with await self._place(call):
            try:
                async with call.deadline.scope():
                    return await self.aggregator.submit(inputs, call.deadline.remaining())
            except TimeoutError:
                raise call.deadline.error() from None

    async def answer(self, method: str, request: dict[str, Any], call: Call) -> dict[str, Any]:
        """One whole answer of the deployment's `method`."""

        async def send() -> dict[str, Any]:
            with translated(self.route.name):
                return await answered(self._method(method).remote(request, call.deadline.remaining()))

        with await self._place(call):
            return await self.attempts.whole(call, send, self._prefix(request))

    async def stream(self, method: str, request: dict[str, Any], call: Call) -> AsyncGenerator[bytes]:
        """The events of a streamed answer. Closing the iterator cancels the request down to the engine."""

        def begin(progress: Progress | None) -> AsyncGenerator[Event]:
            return self._events(self._streaming.remote(method, request, call.deadline.remaining(), progress))

        with await self._place(call) as place:
            begun_s = call.deadline.remaining()
            async with aclosing(self.attempts.stream(call, begin, self._prefix(request))) as events:
                async for event in events:
                    if begun_s:
                        place.sample(begun_s - call.deadline.remaining())
                        begun_s = 0.0
                    yield event

    def _prefix(self, request: dict[str, Any]) -> str | None:
        """The beginning of a prompt, which the turns of a conversation have in common, where replicas go by it."""
        if self.route.policy.balancing.policy != "prefix_affinity":
            return None
        return "\n".join(text for _, text in texts_of(request))[:PREFIX_CHARS]

    async def _events(self, response: Any) -> AsyncGenerator[Event]:
        with translated(self.route.name):
            try:
                async for event in response:
                    yield event
            finally:
                response.cancel()

    def _method(self, name: str) -> Any:
        if name not in self._methods:
            self._methods[name] = getattr(self._handle, name)
        return self._methods[name]

    async def _place(self, call: Call) -> Slot:
        return await self.gate.enter(call.priority, call.deadline.remaining())

    async def _predict(self, requests: list[Request]) -> list[Outcome]:
        """One call for many requests, and its attempts: what dies with a replica is sent to another together."""

        async def send() -> list[Outcome]:
            with translated(self.route.name):
                return await answered(self._method("predict").remote(requests))

        longest_s = max(DEFAULT_S if timeout_s is None else timeout_s for _, timeout_s in requests)
        return await self.attempts.whole(Call(deadline=Deadline(longest_s)), send)


async def answered(response: Any) -> Any:
    """What a handle call gives; one whose caller stops waiting is cancelled at the replica too."""
    try:
        return await response
    except asyncio.CancelledError:
        response.cancel()
        raise


class TargetTable:
    """All targets, in the order of declaration; of a name's versions the first is the one that is asked.

    What is declared as before keeps its target, and so what its breaker and its gate have learned.
    """

    def __init__(
        self, routes: Iterable[Route], limits: Limits, connect: Connect, before: TargetTable | None = None
    ) -> None:
        self.limits: Limits = limits
        known = before.targets if before is not None and before.limits == limits else {}
        self.targets: dict[tuple[str, str], Target] = {}
        self._first: dict[str, Target] = {}
        for route in routes:
            place = (route.name, route.version)
            target = known.get(place)
            if target is None or target.route != route:
                target = Target(route, connect(route.deployment, route.app, route.policy.balancing), limits)
            self.targets[place] = target
            self._first.setdefault(route.name, target)

    @property
    def builds(self) -> frozenset[tuple[str, str]]:
        """The name and the build of each target."""
        return frozenset((target.route.name, target.route.build) for target in self)

    def __iter__(self) -> Iterator[Target]:
        return iter(self.targets.values())

    @property
    def routes(self) -> list[Route]:
        """Where each name leads."""
        return [target.route for target in self._first.values()]

    def versions(self, name: str) -> tuple[str, ...]:
        """All versions of a model or task, the first one first."""
        return tuple(version for known, version in self.targets if known == name)

    def get(self, name: str, version: str | None = None) -> Target:
        """The target of a declared name, or of one of its versions.

        Raises:
            NotFoundError: there is none.
        """
        target = self._first.get(name) if version is None else self.targets.get((name, version))
        if target is None:
            raise NotFoundError(f"{name!r} {version or ''} is not declared".replace("  ", " "))
        return target

    def find(self, name: str, *, param: str, tasks: frozenset[str]) -> Target:
        """The target of a model or task that a request names.

        Raises:
            NotFoundError: nothing of this name is declared.
            BadRequestError: it is declared, and its task is not one of `tasks`.
        """
        target = self._first.get(name)
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
