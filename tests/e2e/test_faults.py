"""Processes killed under load: each comes back by itself, and only what it touched is harmed."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
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
ENDLESS = {**CHAT, "max_tokens": 1500, "ignore_eos": True}
UNCACHED = {"cache-control": "no-store"}
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
            status = client.post(self.path, json=self.body, headers=UNCACHED).status_code
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


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_frees_the_engine(cluster: Cluster, stream: bool) -> None:
    """The engine computes for nobody: what would take half a minute is over as soon as the connection is."""

    def engine_s() -> float:
        """The CPU time of the engine and its workers so far."""
        [core] = cluster.processes("EngineCore")
        return sum(process.cpu_times().user for process in (core, *core.children(recursive=True)))

    def is_idle() -> bool:
        before = engine_s()
        time.sleep(0.5)  # the time over which it is measured
        return engine_s() - before < 0.1

    wait_until(is_idle, "the engine is idle before")
    leave(cluster, stream)
    gone = time.monotonic()
    wait_until(is_idle, "the engine is idle again")
    assert time.monotonic() - gone < 5


def leave(cluster: Cluster, stream: bool) -> None:
    """Ask for a long answer and hang up: after some events, or when nothing has come for a while."""
    with cluster.http() as http:
        body = {**ENDLESS, "stream": stream}
        timeout = httpx.Timeout(30, read=30 if stream else 3)  # a replica's first call takes some seconds
        try:
            with http.stream("POST", "/v1/chat/completions", json=body, timeout=timeout) as answer:
                deque(itertools.islice(answer.iter_lines(), 20), maxlen=0)
        except httpx.ReadTimeout:
            assert not stream
