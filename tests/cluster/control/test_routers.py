"""What the control plane makes of the router replicas' answers."""

from __future__ import annotations

from typing import Any

import pytest
from ray.exceptions import RayActorError
from ray.serve._private.common import DeploymentID
from ray.serve.exceptions import DeploymentUnavailableError, RayServeException

from autoglm.errors import UnavailableError
from cluster.control.replicas import TIMEOUT_S
from cluster.control.routers import Routers, Sighting

GONE = DeploymentUnavailableError(DeploymentID("router", "autoglm"))


class FakeRouters:
    """The handle of a deployment, with what each of its replicas answers; an exception is raised by all."""

    def __init__(self, answers: list[Any] | Exception) -> None:
        self._answers = answers
        self.asked: list[Any] = []

    def reach(self, deployment: str, app: str) -> FakeRouters:
        self.asked += [deployment, app]
        return self

    def broadcast(self, method: str) -> FakeRouters:
        self.asked.append(method)
        return self

    def results(self, *, timeout_s: float, return_exceptions: bool) -> list[Any]:
        self.asked.append(timeout_s)
        assert return_exceptions
        if isinstance(self._answers, Exception):
            raise self._answers
        return self._answers


def breaker(replica: str, name: str) -> dict[str, Any]:
    """As a router dumps it."""
    return {"name": name, "version": "v1", "replica": replica, "state": "open", "failure_rate": 0.5}


def sighting(*answers: Any) -> Sighting:
    return Routers(FakeRouters([*answers]).reach).breakers()


def test_every_replicas_view_is_told_in_order() -> None:
    """By name and version, then by replica, whoever answered first; all are asked, and not for long."""
    routers = FakeRouters([[breaker("r2", "b"), breaker("r2", "a")], [breaker("r1", "b"), breaker("r1", "a")]])
    found = Routers(routers.reach).breakers()
    assert [(card.name, card.replica) for card in found.cards] == [("a", "r1"), ("a", "r2"), ("b", "r1"), ("b", "r2")]
    assert (found.cards[0].failure_rate, found.replicas, found.answered) == (0.5, 2, 2)
    assert routers.asked == ["router", "autoglm", "breakers", TIMEOUT_S]


def test_the_handle_is_made_once() -> None:
    """Each keeps a connection to Serve's controller as long as the process lives."""
    routers = FakeRouters([[]])
    fleet = Routers(routers.reach)
    fleet.breakers()
    fleet.breakers()
    assert routers.asked.count("autoglm") == 1


@pytest.mark.parametrize("fault", [TimeoutError(), RayActorError(), GONE])
def test_a_silent_replica_hides_no_other(fault: Exception) -> None:
    """It hangs or died, and is counted as asked."""
    found = sighting(fault, [breaker("r1", "a")])
    assert ([card.replica for card in found.cards], found.replicas, found.answered) == (["r1"], 2, 1)


@pytest.mark.parametrize("answers", [[], [TimeoutError(), TimeoutError()], TimeoutError(), GONE])
def test_that_no_replica_answers_is_a_503(answers: list[Any] | Exception) -> None:
    """An empty list would say that there is no breaker."""
    with pytest.raises(UnavailableError, match="no replica of the router answers") as refused:
        Routers(FakeRouters(answers).reach).breakers()
    assert refused.value.retry_after


def test_a_cluster_without_serve_is_a_503() -> None:
    """The handle cannot even be made."""

    def reach(deployment: str, app: str) -> Any:
        raise RayServeException("Serve is shut down")

    with pytest.raises(UnavailableError):
        Routers(reach).breakers()
