"""Processes killed under load: each comes back by itself, and only what it touched is harmed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from tests.e2e.running_cluster import Cluster

BACK_S = 180
IRIS = {"task": "iris", "inputs": [[5.1, 3.5, 1.4, 0.2]]}
SENTIMENT = {"task": "sentiment", "inputs": ["a wonderful film"]}
CHAT = {"model": "chat", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8}
DOCUMENTED = {500, 502, 503}


@dataclass
class Load:
    """One kind of request, sent over and over; what came of each is kept."""

    path: str
    body: dict[str, object]
    answers: list[tuple[float, float, int]] = field(default_factory=list)  # began, ended, status (0: no connection)

    def send(self, client: httpx.Client) -> int:
        """One request."""
        began = time.monotonic()
        try:
            status = client.post(self.path, json=self.body).status_code
        except httpx.TransportError:
            status = 0
        self.answers.append((began, time.monotonic(), status))
        return status


@contextmanager
def running(cluster: Cluster, load: Load, clients: int = 2) -> Iterator[None]:
    """The load from some clients at once, until the block is left."""
    over = threading.Event()

    def client() -> None:
        with cluster.http() as http:
            while not over.is_set():
                load.send(http)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + BACK_S
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {BACK_S} s"
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("title", "path", "body"),
    [
        ("ServeReplica:model-sentiment-v1", "/v1/predict", SENTIMENT),
        ("EngineCore", "/v1/chat/completions", CHAT),
    ],
)
def test_killed_replica_comes_back_alone(cluster: Cluster, title: str, path: str, body: dict[str, object]) -> None:
    """Its own requests get a documented error until it is back; another model's never notice."""
    touched, untouched = Load(path, body), Load("/v1/predict", IRIS)
    (victim,) = cluster.processes(title)
    with running(cluster, touched), running(cluster, untouched):
        wait_until(lambda: len(touched.answers) >= 4, "the load runs")
        victim.kill()
        killed = time.monotonic()
        wait_until(lambda: not victim.is_running(), "the kill")
        wait_until(lambda: bool(cluster.processes(title)) and victim not in cluster.processes(title), "a new process")
        wait_until(lambda: [s for b, _, s in touched.answers if b > killed][-3:] == [200] * 3, "answers again")
    assert {status for _, _, status in untouched.answers} == {200}
    assert {status for _, _, status in touched.answers} <= {200, *DOCUMENTED}


def test_killed_router_comes_back_while_the_other_serves(cluster: Cluster) -> None:
    """Only requests that were under way in the killed router may fail."""
    load = Load("/v1/predict", IRIS)
    routers = cluster.processes("ServeReplica:autoglm:router")
    assert len(routers) == 2
    with running(cluster, load, clients=4):
        wait_until(lambda: len(load.answers) >= 20, "the load runs")
        killed = time.monotonic()
        routers[0].kill()
        wait_until(lambda: not routers[0].is_running(), "the kill")
        dead = time.monotonic()
        wait_until(
            lambda: len(current := cluster.processes("ServeReplica:autoglm:router")) == 2 and routers[0] not in current,
            "a new router",
        )
        seen = len(load.answers)
        wait_until(lambda: len(load.answers) > seen + 20, "the load goes on")
    harmed = [(began, ended, status) for began, ended, status in load.answers if status != 200]
    assert all(began <= dead and ended >= killed for began, ended, _ in harmed), harmed
