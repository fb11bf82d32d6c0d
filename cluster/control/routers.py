"""What the router's replicas tell of themselves, asked of all at once by handle."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle

from autoglm.contract.breaker import BreakerCard
from autoglm.errors import UnavailableError
from serve_app.names import ROUTER_APP

Reach = Callable[[str, str], Any]  # (deployment, app) -> a Serve DeploymentHandle

ROUTER = "router"
TIMEOUT_S = (
    2.0  # a replica answers from memory, in milliseconds; one that takes longer hangs, and is reported as silent
)

logger = logging.getLogger("ray.serve")


@dataclass(frozen=True, slots=True)
class Sighting:
    """The breakers as the replicas that answered see them, by name, version and replica."""

    cards: tuple[BreakerCard, ...] = ()
    replicas: int = 0
    answered: int = 0


class Sight(Protocol):
    """Tells the breakers of all router replicas."""

    def __call__(self) -> Sighting:
        """It is called in a thread. Raises UnavailableError where no replica answers."""


def no_routers() -> Sighting:
    """Where no Serve runs."""
    return Sighting()


def threaded_handle(deployment: str, app: str) -> Any:
    """A handle whose answers can be waited for in a thread; a replica's own are bound to its event loop."""
    handle: Any = DeploymentHandle(deployment, app)
    handle._init(_run_router_in_separate_loop=True)
    return handle


class Routers:
    """This cluster's router replicas. Every call blocks, for about `TIMEOUT_S` at most."""

    def __init__(self, reach: Reach = threaded_handle) -> None:
        self._reach = reach
        self._handle: Any = None  # made when it is first needed, which is after Serve has begun

    def breakers(self) -> Sighting:
        """What the replicas see that answer in time.

        Raises:
            UnavailableError: none does, or there is none.
        """
        told, replicas = self._asked("breakers")
        cards = [BreakerCard.model_validate(card) for answer in told for card in answer]
        cards.sort(key=lambda card: (card.name, card.version, card.replica))
        return Sighting(tuple(cards), replicas, len(told))

    def _asked(self, method: str) -> tuple[list[Any], int]:
        """The answers of those replicas that gave one in time, and how many were asked."""
        try:
            if self._handle is None:
                self._handle = self._reach(ROUTER, ROUTER_APP)
            answers = self._handle.broadcast(method).results(timeout_s=TIMEOUT_S, return_exceptions=True)
        except (RayError, RayServeException, TimeoutError) as fault:
            raise unavailable(fault) from fault
        faults = [answer for answer in answers if isinstance(answer, BaseException)]
        for silent in faults:
            logger.warning("a router replica did not tell its %s: %r", method, silent)
        if len(faults) == len(answers):
            raise unavailable(*faults[:1])
        return [answer for answer in answers if not isinstance(answer, BaseException)], len(answers)


def unavailable(fault: BaseException | None = None) -> UnavailableError:
    """The error of a call that no replica answered."""
    reason = "there is none" if fault is None else type(fault).__name__
    return UnavailableError(f"no replica of the router answers: {reason}", retry_after=1.0)
