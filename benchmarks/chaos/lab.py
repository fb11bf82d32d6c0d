"""A cluster on this machine, of whose processes the lab knows which is which."""

from __future__ import annotations

import asyncio
import copy
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.schema import ReplicaState

from benchmarks.chaos.subject import MODEL, VERSION, Subject
from benchmarks.servers import descendants
from serve_app import cluster
from serve_app.app import app_name
from serve_app.environment import free_ports
from serve_app.names import CONTROL_APP, ROUTER_APP

POLL_S = 0.2
BACK_S = 300.0  # a vLLM replica starts in 100 s on two cores
MODEL_APP = app_name(MODEL, VERSION)
ROUTER_TITLE = f"ray::ServeReplica:{ROUTER_APP}:router"
CONTROL_TITLE = f"ray::ServeReplica:{CONTROL_APP}:"
CONTROLLER_TITLE = "ray::ServeController"


class NotBackError(Exception):
    """Something that was killed did not come back."""


class Redis:
    """A Redis server that keeps nothing, on a port of its own, which it comes back to."""

    def __init__(self) -> None:
        [self._port] = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Of its first database."""
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it; clients that come too early are refused."""
        command = ["redis-server", "--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def running(self) -> Iterator[str]:
        """Its URL, until the block is left."""
        self.start()
        try:
            yield self.url
        finally:
            self.kill()


class Lab:
    """The cluster that this process has started, for those who break it. `time_up` says when to make an end."""

    def __init__(
        self, dashboard: str, config: dict[str, Any], subject: Subject, redis: Redis, time_up: Callable[[], bool]
    ) -> None:
        self._dashboard = dashboard
        self._config = config
        self.subject = subject
        self.redis = redis
        self.time_up = time_up

    async def deploy(self) -> None:
        """Serve the configuration, and return when all of it runs."""
        await asyncio.to_thread(self._deploy, self._config)

    async def configure_engine(self, **changed: Any) -> None:
        """Have the running replicas of the model behave otherwise."""
        config = copy.deepcopy(self._config)
        [application] = [application for application in config["applications"] if application["name"] == MODEL_APP]
        application["deployments"][0]["user_config"] |= changed
        await asyncio.to_thread(self._deploy, config)

    def _deploy(self, config: dict[str, Any]) -> None:
        cluster.deploy(self._dashboard, config)
        for _ in cluster.watch(self._dashboard, [application["name"] for application in config["applications"]]):
            pass

    async def processes(self, title: str) -> list[psutil.Process]:
        """The cluster's, by a part of their command line."""
        return await asyncio.to_thread(processes, title)

    async def serving(self, app: str, deployment: str) -> int:
        """Replicas that Serve says are running and of which each process lives; 0 while nobody can tell."""
        try:
            status = await asyncio.to_thread(serve.status)
        except (RayError, RayServeException):
            return 0
        found = status.applications[app].deployments.get(deployment) if app in status.applications else None
        running = found.replica_states.get(ReplicaState.RUNNING, 0) if found else 0
        titles = self.subject.kills if app == MODEL_APP else (f"ray::ServeReplica:{app}:{deployment}",)
        return min(running, *[len(await self.processes(title)) for title in titles])

    async def until_serving(self, replicas: int, app: str = MODEL_APP, deployment: str = "llm") -> None:
        """Wait for so many.

        Raises:
            NotBackError: they are not there after BACK_S seconds.
        """
        deadline = time.monotonic() + BACK_S
        while await self.serving(app, deployment) < replicas:
            if time.monotonic() > deadline:
                raise NotBackError(f"{app}: fewer than {replicas} replicas for {BACK_S:g} s")
            await asyncio.sleep(POLL_S)

    async def recovered(self) -> None:
        """Wait until every replica of model, router and control plane is there."""
        await self.until_serving(self.subject.replicas)
        await self.until_serving(2, ROUTER_APP, "router")
        await self.until_serving(1, CONTROL_APP, "control")

    async def tally(self) -> Counter[str]:
        """What the routers that live have counted, over all targets."""
        handle = serve.get_deployment_handle("router", ROUTER_APP)
        told = await handle.broadcast("tallies").results_async()
        return sum((Counter(target) for router in told for target in router.values()), Counter[str]())

    def join_node(self) -> subprocess.Popen[bytes]:
        """Another node of the cluster, on this machine, of as many CPUs."""
        [port] = free_ports(1)
        address = ray.get_runtime_context().gcs_address
        command = ["start", f"--address={address}", "--num-cpus=2", f"--dashboard-agent-listen-port={port}", "--block"]
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("ray")), *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def processes(title: str, pid: int | None = None) -> list[psutil.Process]:
    """A process's descendants, those of this one unless `pid` says whose, by a part of their command line."""
    return descendants(psutil.Process(pid), title)


def send(victim: psutil.Process, number: signal.Signals) -> None:
    """A signal to a process that may be gone already."""
    try:
        victim.send_signal(number)
    except psutil.NoSuchProcess:
        pass
