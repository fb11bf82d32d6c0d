"""What the router's replicas tell of themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from autoglm.contract.breaker import BreakerCard
from cluster.control.replicas import Reach, Replicas, threaded_handle
from serve_app.names import ROUTER, ROUTER_APP


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


class Routers:
    """This cluster's router replicas. Every call blocks, for about two seconds at most."""

    def __init__(self, reach: Reach = threaded_handle) -> None:
        self._replicas = Replicas("the router", ROUTER, ROUTER_APP, reach)

    def breakers(self) -> Sighting:
        """What the replicas see that answer in time.

        Raises:
            UnavailableError: none does, or there is none.
        """
        told, replicas = self._replicas.asked("breakers")
        cards = [BreakerCard.model_validate(card) for answer in told for card in answer]
        cards.sort(key=lambda card: (card.name, card.version, card.replica))
        return Sighting(tuple(cards), replicas, len(told))
