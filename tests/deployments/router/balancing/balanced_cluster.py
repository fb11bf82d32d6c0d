"""A small real cluster, run as a process of its own: three replicas, called as the router calls them.

Prints as JSON what the calls saw. The environment is production's, which must be set before Ray is imported.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serve_app import environment

PROBE = {"interval_s": 0.5, "timeout_s": 0.5}
POLICIES = ("power_of_two", "consistent_hash")
HELD_S = 60.0  # how long a held call would take, were it not given up


def build(args: dict[str, Any]) -> Any:
    """The application: one deployment, as a model's is."""
    from ray import serve

    @serve.deployment(name="model", num_replicas=3, ray_actor_options={"num_cpus": 0})
    class Model:
        async def __call__(self, seconds: float) -> tuple[str, int]:
            await asyncio.sleep(seconds)
            return serve.get_replica_context().replica_id.unique_id, os.getpid()

    return Model.bind()


APPLICATION = {
    "name": "app",
    "route_prefix": None,
    "import_path": "tests.deployments.router.balancing.balanced_cluster:build",
    "args": {},
}


async def observed() -> dict[str, Any]:
    """What the calls saw."""
    from deployments.router.balancing import BalancingConfig, balanced_handle

    configs = (BalancingConfig.model_validate({"policy": policy, "probe": PROBE}) for policy in POLICIES)
    by_load, by_key = (balanced_handle("model", "app", config) for config in configs)
    spread = Counter([(await called(by_load))[0] for _ in range(60)])
    first, *others = sorted(spread)
    homes = {str(key): {(await called(by_key, key=str(key)))[0] for _ in range(3)} for key in range(20)}
    return {
        "spread": list(spread.values()),
        "excluded": {(await called(by_load, excluded=frozenset(others)))[0] for _ in range(10)} == {first},
        "replicas_of_a_key": [len(home) for home in homes.values()],
        "replicas_of_all_keys": len(set().union(*homes.values())),
        **await stopped(by_load, first, frozenset(others)),
    }


async def called(handle: Any, *, seconds: float = 0.0, **hints: Any) -> tuple[str, int]:
    """One attempt: the replica that answered, and its process."""
    from deployments.router.balancing import Attempt

    attempt = Attempt(**hints)
    with attempt.current():
        response = handle.remote(seconds)
    replica, process = await response
    attempt.succeeded()
    assert attempt.replica == replica
    return replica, process


async def stopped(handle: Any, replica: str, others: frozenset[str]) -> dict[str, Any]:
    """One replica is stopped while it holds a call, then let go on."""
    from deployments.router.balancing import Attempt

    _, process = await called(handle, excluded=others)
    attempt = Attempt(excluded=others)
    with attempt.current():
        response = handle.remote(HELD_S)
    asyncio.get_running_loop().call_later(0.5, os.kill, process, signal.SIGSTOP)
    began = time.monotonic()
    try:
        async with asyncio.timeout(HELD_S) as attempt.scope:
            await response
    except TimeoutError:
        attempt.failed()
    waited = time.monotonic() - began
    avoided = {(await called(handle))[0] for _ in range(30)}
    os.kill(process, signal.SIGCONT)
    assert attempt.pool is not None
    pool = attempt.pool
    await until(lambda: not any(row.hanging_for_s for row in pool.status()))
    return {
        "given_up": attempt.given_up and attempt.replica == replica,
        "given_up_after_s": round(waited, 1),
        "avoided": replica not in avoided,
        "back": (await called(handle, excluded=others))[0] == replica,
    }


async def until(condition: Callable[[], bool]) -> None:
    """Poll: the probes that bring a replica back are the pool's own."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.1)


def main() -> None:
    """Start, watch, end."""
    with tempfile.TemporaryDirectory() as folder:
        environment.prepare(Path(folder))
        from serve_app import cluster

        with cluster.local_ray() as dashboard:
            cluster.deploy(dashboard, {"applications": [APPLICATION]})
            for _ in cluster.watch(dashboard, ["app"]):
                pass
            print(json.dumps(asyncio.run(observed())))


if __name__ == "__main__":
    main()
