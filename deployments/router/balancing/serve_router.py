"""What Serve calls to choose a replica: its own request routers behind our guards.

Serve keeps a `RequestRouter` for each handle, which `handle` makes one of these. This file and that one are all that
know Serve's internals (2.60).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from ray.exceptions import ActorDiedError, RayError
from ray.serve._private.request_router import PowerOfTwoChoicesRequestRouter
from ray.serve.exceptions import DeploymentUnavailableError
from ray.serve.experimental.consistent_hash_router import ConsistentHashRouter
from ray.serve.experimental.round_robin_router import RoundRobinRouter
from ray.serve.request_router import PendingRequest, ReplicaID, RequestRouter, RunningReplica

from deployments.router.balancing.attempt import Attempt, current_attempt
from deployments.router.balancing.config import BalancingConfig, Policy
from deployments.router.balancing.pool import Pool
from deployments.router.balancing.prefix import PrefixAffinity, chain
from deployments.router.balancing.prober import Prober
from deployments.router.balancing.weighted import weighted_order

Ranks = list[list[RunningReplica]]  # Serve takes the least loaded of the first rank that has room

EVERY_REPLICA = 2**31  # as the number of fallbacks on the hash ring: the guards, not the ring, say who is left


@dataclass(frozen=True, slots=True)
class Routing:
    """A call that waits for its replica, and the attempt that it is; one without hints where the caller gave none."""

    request: PendingRequest
    attempt: Attempt


def name(replica: RunningReplica) -> str:
    """What the pool calls it."""
    return str(replica.replica_id.unique_id)


class Guarded(RequestRouter):
    """The guards: a mixin that keeps a pool, and leaves the policies only what it admits."""

    def initialize_state(self, *, config: BalancingConfig) -> None:
        """Called by Serve with what `handle` gave it, before any replica is known."""
        self._config = config
        self._rng = Random()
        self._pool = Pool(self._config, rng=self._rng)
        self._prober = Prober(self._config.probe, self._pool, self._probe)
        self._routing: dict[int, Routing] = {}

    def update_replicas(self, replicas: list[RunningReplica]) -> None:
        """Called by Serve on each change."""
        self._pool.update(map(name, replicas))
        super().update_replicas(replicas)
        self._release()

    def on_replica_actor_died(self, replica_id: ReplicaID) -> None:
        """Called by Serve when Ray knows it to be dead, before the controller takes it off the list."""
        super().on_replica_actor_died(replica_id)
        self._pool.died(str(replica_id.unique_id))
        self._release()

    async def _choose_replica_for_request(
        self, pending_request: PendingRequest, *, is_retry: bool = False
    ) -> RunningReplica:
        """Runs in the task of the handle call, so with the caller's context; the policy runs in another."""
        self._prober.wake()
        attempt = current_attempt()
        if attempt is not None and not attempt.may_wait and not self._pool.replicas:
            raise DeploymentUnavailableError(self._deployment_id)
        key = id(pending_request.metadata)
        self._routing[key] = Routing(pending_request, attempt or Attempt())
        try:
            replica = await super()._choose_replica_for_request(pending_request, is_retry=is_retry)
        finally:
            del self._routing[key]
        if attempt is not None:
            self._pool.chosen(attempt, name(replica))
        return replica

    def _fulfill_next_pending_request(self, replica: RunningReplica, request_metadata: Any = None) -> None:
        """Give the replica to the very call that it was chosen for.

        Serve's FIFO gives it to whoever waits longest, who may have to avoid it; and its own match by internal request
        id takes one call for another, as all calls made while one request is handled bear the same. Metadata is made
        anew for each call, and alive as long as the call waits.
        """
        routing = self._routing.get(id(request_metadata))
        if routing is None or routing.request.future.done():
            return
        self._record_queue_wait_time(routing.request)
        routing.request.future.set_result(replica)
        self._remove_pending_request_from_indices(routing.request)

    def _release(self) -> None:
        """Without any replica, those that may not wait for one fail."""
        if self._pool.replicas:
            return
        for routing in self._routing.values():
            if not routing.attempt.may_wait and not routing.request.future.done():
                routing.request.future.set_exception(DeploymentUnavailableError(self._deployment_id))
                self._remove_pending_request_from_indices(routing.request)

    def _attempt(self, request: PendingRequest | None) -> Attempt:
        routing = None if request is None else self._routing.get(id(request.metadata))
        return Attempt() if routing is None else routing.attempt

    def _admitted(self, replicas: Iterable[RunningReplica], request: PendingRequest | None) -> list[RunningReplica]:
        """The candidates that the pool lets an attempt have."""
        candidates = list(replicas)
        admitted = self._pool.admitted(map(name, candidates), self._attempt(request).excluded)
        return [replica for replica in candidates if name(replica) in admitted]

    async def _probe(self, replica: str) -> bool:
        """Whether it tells its queue's length, which is news for Serve's cache as well."""
        running = next((known for known in self._replicas_list if name(known) == replica), None)
        if running is None:
            return False
        try:
            length = await running.get_queue_len(deadline_s=self._config.probe.timeout_s)
        except ActorDiedError:
            self.on_replica_actor_died(running.replica_id)
            return False
        except RayError:
            return False
        self.on_new_queue_len_info(running.replica_id, length)
        return True


def backing_off(request: PendingRequest | None) -> None:
    """Without this flag Serve asks again without a pause while every replica is full."""
    if request is not None:
        request.routing_context.should_backoff = True


class GuardedPowerOfTwo(Guarded, PowerOfTwoChoicesRequestRouter):
    """The less loaded of two replicas taken at random (Mitzenmacher, 2001): Serve's default."""

    def apply_locality_routing(self, pending_request: PendingRequest | None = None) -> set[ReplicaID]:
        """Serve draws its two from these."""
        wanted = super().apply_locality_routing(pending_request)
        admitted = self._admitted(self._replicas_list, pending_request)
        return wanted & {replica.replica_id for replica in admitted}


class GuardedRoundRobin(Guarded, RoundRobinRouter):
    """One after the other."""

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> Ranks:
        """Called by Serve."""
        return await super().choose_replicas(self._admitted(candidate_replicas, pending_request), pending_request)


class GuardedLeastOutstanding(Guarded):
    """The one with the fewest requests under way, by lot among equals."""

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> Ranks:
        """All of them in one rank, of which Serve takes the first of the least loaded."""
        backing_off(pending_request)
        admitted = self._admitted(candidate_replicas, pending_request)
        self._rng.shuffle(admitted)
        return [admitted]


class GuardedWeighted(Guarded):
    """At random, in proportion to the weights of availability zones or nodes."""

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> Ranks:
        """The rest, in the same manner, is for when the first has no room."""
        backing_off(pending_request)
        admitted = {name(replica): replica for replica in self._admitted(candidate_replicas, pending_request)}
        weights = {key: self._weight(replica) for key, replica in admitted.items()}
        return [[admitted[key]] for key in weighted_order(weights, self._rng)]

    def _weight(self, replica: RunningReplica) -> float:
        weights = self._config.weights
        by_node = weights.get(replica._replica_info.node_ip or "", 1.0)
        return weights.get(replica.availability_zone or "", by_node)


class GuardedConsistentHash(Guarded, ConsistentHashRouter):
    """The replica that a key belongs to on Serve's hash ring (Karger et al., 1997), else the next one on it."""

    def initialize_state(self, *, config: BalancingConfig) -> None:
        """Ours, and the ring's own settings."""
        super().initialize_state(config=config)
        ConsistentHashRouter.initialize_state(self, num_fallback_replicas=EVERY_REPLICA)

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> Ranks:
        """In the order of the ring."""
        ranks = await super().choose_replicas(candidate_replicas, pending_request)
        return [[replica] for replica in self._admitted((rank[0] for rank in ranks), pending_request)]

    def _routing_key(self, pending_request: PendingRequest | None) -> str | None:
        """The attempt's key; without one, Serve's, which spreads requests evenly."""
        key: str | None = self._attempt(pending_request).key or super()._routing_key(pending_request)
        return key


class GuardedPrefixAffinity(Guarded):
    """Where the beginning of the prompt was computed before."""

    def initialize_state(self, *, config: BalancingConfig) -> None:
        """With what was sent where, as far as this router knows."""
        super().initialize_state(config=config)
        self._affinity = PrefixAffinity(self._config.prefix_blocks, self._rng)

    def update_replicas(self, replicas: list[RunningReplica]) -> None:
        """What is gone took its cache with it."""
        super().update_replicas(replicas)
        self._affinity.keep(map(name, replicas))

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> Ranks:
        """The best one, and the rest for when it has no room."""
        backing_off(pending_request)
        admitted = self._admitted(candidate_replicas, pending_request)
        if not admitted:
            return []
        loads = {name(replica): self._load(replica) for replica in admitted}
        best = self._affinity.choose(chain(self._attempt(pending_request).prefix or ()), loads)
        ranks: Ranks = [[], []]
        for replica in admitted:
            ranks[name(replica) != best].append(replica)
        self._rng.shuffle(ranks[1])
        return ranks

    def _load(self, replica: RunningReplica) -> int:
        """Requests under way on it from all routers, as last told, and from here since."""
        return self._replica_queue_len_cache.get(replica.replica_id) or 0

    async def _choose_replica_for_request(
        self, pending_request: PendingRequest, *, is_retry: bool = False
    ) -> RunningReplica:
        replica = await super()._choose_replica_for_request(pending_request, is_retry=is_retry)
        attempt = current_attempt()
        if attempt is not None and attempt.prefix is not None:
            self._affinity.sent(chain(attempt.prefix), name(replica))
        return replica


SERVE_ROUTERS: dict[Policy, type[Guarded]] = {
    "power_of_two": GuardedPowerOfTwo,
    "round_robin": GuardedRoundRobin,
    "least_outstanding": GuardedLeastOutstanding,
    "weighted": GuardedWeighted,
    "consistent_hash": GuardedConsistentHash,
    "prefix_affinity": GuardedPrefixAffinity,
}
