"""The replicas of one target as one router replica sees them: who may be chosen, and what is under way where."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

from deployments.router.balancing.attempt import Attempt
from deployments.router.balancing.config import BalancingConfig
from deployments.router.balancing.ejection import Ejections
from deployments.router.balancing.rise_fall import RiseFall
from deployments.router.balancing.slow_start import SlowStart


@dataclass(frozen=True, slots=True)
class ReplicaStatus:
    """One replica, for metrics. Seconds are 0 where the state is not."""

    replica: str
    outstanding: int  # attempts of this router replica that are under way on it
    ejected_for_s: float  # still to come
    hanging_for_s: float  # so far
    share: float  # of what it would get when warm


class Pool:
    """Ejections, probes and slow start of the same replicas, and the attempts under way. Not for threads.

    Replicas go by Serve's unique id. Every record ends with its replica, every attempt with its settling.
    """

    def __init__(
        self,
        config: BalancingConfig,
        *,
        clock: Callable[[], float] = time.monotonic,
        rng: Random | None = None,
    ) -> None:
        self._ejections = Ejections(config.ejection, clock)
        self._health = RiseFall(rise=config.probe.rise, fall=config.probe.fall, clock=clock)
        window_s = 0.0 if config.policy == "consistent_hash" else config.slow_start_s
        self._slow_start = SlowStart(window_s, clock, rng or Random())
        self._replicas: tuple[str, ...] = ()
        self._under_way: dict[str, set[Attempt]] = {}
        self._dead: set[str] = set()  # of those where something is under way

    @property
    def replicas(self) -> tuple[str, ...]:
        """Those that there are now."""
        return self._replicas

    @property
    def busy(self) -> bool:
        """Whether attempts are under way."""
        return bool(self._under_way)

    def update(self, replicas: Iterable[str]) -> None:
        """The replicas that there are now. One that is gone may be draining: what is under way on it goes on."""
        self._replicas = tuple(replicas)
        for part in (self._ejections, self._health, self._slow_start):
            part.keep(self._replicas)

    def admitted(self, replicas: Iterable[str], excluded: frozenset[str]) -> set[str]:
        """Those of `replicas` that may be chosen, never none of some.

        What would leave none is not applied (Envoy's panic mode): first slow start gives way, then ejection, then the
        probes, and last that an attempt avoids the replicas where its request failed before.
        """
        left = set(replicas)
        for out in (excluded, self._health.fallen(), self._ejections.ejected(), self._slow_start.held_back()):
            left = left - out or left
        return left

    def chosen(self, attempt: Attempt, replica: str) -> None:
        """An attempt goes to a replica; where that one was full it comes again, with another."""
        self._end(attempt)
        attempt.pool = self
        attempt.replica = replica
        self._under_way.setdefault(replica, set()).add(attempt)

    def succeeded(self, attempt: Attempt) -> None:
        """The replica answered, which is as good as a probe."""
        if (replica := self._end(attempt)) is not None:
            self._ejections.succeeded(replica)
            self._health.answered(replica)

    def failed(self, attempt: Attempt) -> None:
        """Counts towards the replica's ejection."""
        if (replica := self._end(attempt)) is not None:
            self._ejections.failed(replica)

    def released(self, attempt: Attempt) -> None:
        """Counts for nothing."""
        self._end(attempt)

    def answered(self, replica: str) -> None:
        """A probe came back."""
        self._health.answered(replica)

    def missed(self, replica: str) -> None:
        """A probe did not."""
        self._health.missed(replica)

    def died(self, replica: str) -> None:
        """It is known to be dead: it is there no more, and nothing that is under way on it will come back."""
        self._replicas = tuple(known for known in self._replicas if known != replica)
        if replica in self._under_way:
            self._dead.add(replica)
            self._give_up(replica)

    def give_up_lost(self) -> None:
        """Give up what is under way on dead replicas, and on those that do not answer as long as another one does.

        Where none does, the fault may be this process's own, and there is nowhere to fail over to.
        """
        fallen = self._health.fallen()
        for replica in self._dead | (fallen if len(fallen) < len(self._replicas) else set()):
            self._give_up(replica)

    def status(self) -> tuple[ReplicaStatus, ...]:
        """Every replica, for metrics."""
        return tuple(
            ReplicaStatus(
                replica=replica,
                outstanding=len(self._under_way.get(replica, ())),
                ejected_for_s=self._ejections.left_s(replica),
                hanging_for_s=self._health.fallen_s(replica),
                share=self._slow_start.share(replica),
            )
            for replica in self._replicas
        )

    def _give_up(self, replica: str) -> None:
        for attempt in self._under_way.get(replica, ()):
            attempt.give_up()

    def _end(self, attempt: Attempt) -> str | None:
        """The replica that the attempt was under way on; None where it was settled before."""
        replica = attempt.replica
        if replica is None or attempt not in (attempts := self._under_way.get(replica, set())):
            return None
        attempts.remove(attempt)
        if not attempts:
            del self._under_way[replica]
            self._dead.discard(replica)
        return replica
