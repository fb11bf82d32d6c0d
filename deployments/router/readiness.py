"""Which models have a healthy target, as Serve's controller sees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from ray import serve
from ray.serve.schema import ApplicationStatus, ReplicaState

from deployments.router.config import Route

FRESH_S = 1.0  # probes come every second or so from several sides; the controller is asked once


class Readiness:
    """Asks the controller for the state of every application, at most once in `FRESH_S` seconds."""

    def __init__(self, status: Callable[[], Any] = serve.status, clock: Callable[[], float] = time.monotonic) -> None:
        self._status = status
        self._clock = clock
        self._lock = asyncio.Lock()
        self._healthy: frozenset[str] = frozenset()
        self._asked = float("-inf")

    async def missing(self, routes: Iterable[Route]) -> tuple[str, ...]:
        """The names of the routes that have no running replica."""
        async with self._lock:
            if self._clock() - self._asked >= FRESH_S:
                self._healthy = healthy(await asyncio.to_thread(self._status))
                self._asked = self._clock()
        return tuple(route.name for route in routes if route.app not in self._healthy)


def healthy(status: Any) -> frozenset[str]:
    """The applications whose every deployment has a running replica."""
    return frozenset(
        name
        for name, app in status.applications.items()
        if app.status in (ApplicationStatus.RUNNING, ApplicationStatus.UNHEALTHY, ApplicationStatus.DEPLOYING)
        and app.deployments
        and all(deployment.replica_states.get(ReplicaState.RUNNING) for deployment in app.deployments.values())
    )
