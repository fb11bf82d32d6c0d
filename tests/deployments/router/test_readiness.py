"""Which models are ready, by what Serve's controller says of their applications."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ray.serve.schema import ApplicationStatus, ReplicaState

from deployments.router import Route, Router
from deployments.router.readiness import FRESH_S, Readiness
from tests.fake_replica import FakeReplica

ROUTE = Route(name="chat", task="text-generation", model="m", version="v1", app="model-chat-v1", deployment="llm")


class Controller:
    """Serve's controller with one application, and a clock that the test moves."""

    def __init__(self) -> None:
        self.status = ApplicationStatus.RUNNING
        self.replicas: dict[ReplicaState, int] = {ReplicaState.RUNNING: 1}
        self.asked = 0
        self.now = 0.0

    def __call__(self) -> Any:
        self.asked += 1
        deployments = {"llm": SimpleNamespace(replica_states=self.replicas)}
        return SimpleNamespace(applications={ROUTE.app: SimpleNamespace(status=self.status, deployments=deployments)})

    def readiness(self) -> Readiness:
        return Readiness(self, clock=lambda: self.now)


@pytest.mark.parametrize(
    ("status", "replicas", "missing"),
    [
        (ApplicationStatus.RUNNING, {ReplicaState.RUNNING: 1}, ()),
        (ApplicationStatus.DEPLOYING, {ReplicaState.STARTING: 1}, ("chat",)),
        # A rolling update, and a replica of several that died: the others still answer.
        (ApplicationStatus.DEPLOYING, {ReplicaState.STARTING: 1, ReplicaState.RUNNING: 1}, ()),
        (ApplicationStatus.UNHEALTHY, {ReplicaState.RUNNING: 1}, ()),
        (ApplicationStatus.UNHEALTHY, {ReplicaState.STARTING: 1}, ("chat",)),
        (ApplicationStatus.DELETING, {ReplicaState.RUNNING: 1}, ("chat",)),
    ],
)
async def test_a_model_is_ready_while_a_replica_of_it_runs(
    status: ApplicationStatus, replicas: dict[ReplicaState, int], missing: tuple[str, ...]
) -> None:
    """The application's own word is not enough either way; a running replica is."""
    controller = Controller()
    controller.status, controller.replicas = status, replicas
    assert await controller.readiness().missing([ROUTE]) == missing


async def test_a_model_that_serve_does_not_know_is_missing() -> None:
    """Declared is not deployed."""
    other = ROUTE.model_copy(update={"name": "other", "app": "model-other-v1"})
    assert await Controller().readiness().missing([ROUTE, other]) == ("other",)


async def test_the_controller_is_asked_once_while_its_answer_is_fresh() -> None:
    """Probes of every load balancer must not become load on the controller; an old answer is not repeated."""
    controller = Controller()
    readiness = controller.readiness()
    assert await readiness.missing([ROUTE]) == ()
    controller.replicas = {}
    assert await readiness.missing([ROUTE]) == ()
    controller.now = FRESH_S
    assert await readiness.missing([ROUTE]) == ("chat",)
    assert controller.asked == 2


async def test_the_router_says_what_it_waits_for() -> None:
    """The body of /ready."""
    controller = Controller()
    controller.replicas = {}
    router = Router(connect=lambda deployment, app, balancing: FakeReplica(), readiness=controller.readiness())
    await router.reconfigure({"routes": [ROUTE.model_dump()]})
    state = await router.ready()
    assert (state["status"], state["missing"]) == ("starting", ["chat"])
