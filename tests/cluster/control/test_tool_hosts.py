"""What the control plane makes of the tool hosts' answers."""

from __future__ import annotations

from typing import Any

from ray.serve._private.common import DeploymentID
from ray.serve.exceptions import DeploymentUnavailableError

from cluster.control.replicas import TIMEOUT_S
from cluster.control.tool_hosts import ToolHosts

LOADED = {"clock": {"status": "loaded", "message": ""}}


class FakeHandle:
    """A host's, with what its replicas answer; one without replicas is no deployment."""

    def __init__(self, app: str, answers: list[Any]) -> None:
        self._app = app
        self._answers = answers
        self.asked: list[tuple[str, float]] = []
        self.is_open = True

    def broadcast(self, method: str) -> FakeHandle:
        self._method = method
        return self

    def results(self, *, timeout_s: float, return_exceptions: bool) -> list[Any]:
        self.asked.append((self._method, timeout_s))
        if not self._answers:
            raise DeploymentUnavailableError(DeploymentID("tools", self._app))
        return self._answers

    def shutdown(self) -> None:
        self.is_open = False


class Fleet:
    """Handles by application, each made anew, and a clock that every one of them moves by a second."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = answers
        self.made: list[FakeHandle] = []
        self.time = 0.0

    def reach(self, deployment: str, app: str) -> FakeHandle:
        assert deployment == "tools"
        self.time += 1.0
        self.made.append(FakeHandle(app, self.answers[app]))
        return self.made[-1]

    def hosts(self) -> ToolHosts:
        return ToolHosts(self.reach, lambda: self.time)


def test_each_replica_of_each_host_is_heard() -> None:
    """One that does not answer in time is passed over, and a host without any says nothing."""
    fleet = Fleet(tools=[LOADED, TimeoutError(), LOADED], away=[])
    assert fleet.hosts()(["tools", "away"]) == {"tools": [LOADED, LOADED], "away": ()}


def test_a_handle_is_kept_while_its_host_answers_and_let_go_with_it() -> None:
    """Each asks Serve's controller for news as long as it lives, and entries come and go."""
    fleet = Fleet(tools=[LOADED], away=[])
    hosts = fleet.hosts()
    hosts(["tools", "away"])
    hosts(["tools", "away"])
    assert [handle.is_open for handle in fleet.made] == [True, False, False]


def test_many_hosts_that_hang_take_no_longer_than_one() -> None:
    """The time is shared: a listing is not worth more."""
    fleet = Fleet(a=[], b=[], c=[], d=[])
    fleet.hosts()(["a", "b", "c", "d"])
    assert [left for handle in fleet.made for _, left in handle.asked] == [TIMEOUT_S, TIMEOUT_S - 1, 0.0, 0.0]
