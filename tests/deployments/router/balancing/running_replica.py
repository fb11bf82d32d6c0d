"""A stand-in for what Serve knows of a running replica, and a request that is routed to one."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from ray.exceptions import ActorDiedError
from ray.serve._private.common import DeploymentHandleSource, DeploymentID, ReplicaID, RequestMetadata
from ray.serve.request_router import PendingRequest

from deployments.router.balancing.attempt import Attempt
from deployments.router.balancing.config import BalancingConfig
from deployments.router.balancing.serve_router import SERVE_ROUTERS, Guarded, name

DEPLOYMENT = DeploymentID(name="model", app_name="app")


class FakeRunning:
    """What a request router uses of a `RunningReplica`. It answers probes unless `hangs` or `is_dead`."""

    max_ongoing_requests = 1000
    node_id = "node"
    multiplexed_model_ids: frozenset[str] = frozenset()

    def __init__(self, unique_id: str, *, zone: str | None = None, address: str | None = None) -> None:
        self.replica_id = ReplicaID(unique_id=unique_id, deployment_id=DEPLOYMENT)
        self.availability_zone = zone
        self._replica_info = SimpleNamespace(node_ip=address)
        self.queue = 0  # requests under way on it, as it tells a probe
        self.probed = asyncio.Event()
        self.hangs = False
        self.is_dead = False

    async def get_queue_len(self, *, deadline_s: float) -> int:
        if self.is_dead:
            raise ActorDiedError
        if self.hangs:
            await asyncio.Event().wait()
        self.probed.set()
        return self.queue


async def routed_by(config: BalancingConfig, replicas: list[FakeRunning]) -> Guarded:
    """The policy's router, as Serve makes it and tells it of its replicas."""
    router = SERVE_ROUTERS[config.policy](
        deployment_id=DEPLOYMENT, handle_source=DeploymentHandleSource.REPLICA, use_replica_queue_len_cache=True
    )
    router.initialize_state(config=config)
    router.update_replicas(replicas)
    return router


async def route(router: Guarded, attempt: Attempt | None = None) -> str:
    """Where a call goes, made while one request of the caller's is handled, so that all bear the same internal id."""
    metadata = RequestMetadata(request_id="r", internal_request_id="same")
    with (attempt or Attempt()).current():
        replica = await router._choose_replica_for_request(PendingRequest([], {}, metadata))
    router.on_send_request(replica.replica_id)
    return name(replica)
