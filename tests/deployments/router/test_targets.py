"""Finding a target by name, and what a wrong name hears."""

from __future__ import annotations

import pytest

from autoglm.errors import BadRequestError, NotFoundError
from deployments.router.balancing import BalancingConfig
from deployments.router.config import Limits, Route
from deployments.router.targets import TargetTable
from tests.fake_replica import FakeReplica

CLASSIFYING = frozenset({"text-classification"})


def table() -> TargetTable:
    routes = [
        Route(name="chat", task="text-generation", model="m", version="v1", app="a", deployment="llm"),
        Route(name="sentiment", task="text-classification", model="m", version="v1", app="b", deployment="predictor"),
    ]
    return TargetTable(routes, Limits(), connect=lambda deployment, app, balancing: FakeReplica())


@pytest.mark.parametrize(
    ("name", "message"),
    [("sentimant", "'sentimant' is not declared; did you mean 'sentiment'"), ("zzz", "known: sentiment")],
)
def test_an_unknown_name_hears_what_would_do(name: str, message: str) -> None:
    """The nearest name of a fitting task, or else all of them."""
    with pytest.raises(NotFoundError, match=message) as caught:
        table().find(name, param="task", tasks=CLASSIFYING)
    assert caught.value.param == "task"


def test_a_known_name_of_another_task_is_refused_by_its_task() -> None:
    """A chat model asked to classify exists, but not here."""
    with pytest.raises(BadRequestError, match="'chat' does text-generation, which this path does not serve"):
        table().find("chat", param="model", tasks=CLASSIFYING)


def test_each_route_is_connected_to_its_own_deployment() -> None:
    """The handle belongs to the version's application, not to the route's name."""
    connected: list[tuple[str, str]] = []

    def connect(deployment: str, app: str, balancing: BalancingConfig) -> FakeReplica:
        connected.append((deployment, app))
        return FakeReplica()

    TargetTable(table().routes, Limits(), connect)
    assert connected == [("llm", "a"), ("predictor", "b")]


def test_a_route_that_is_declared_as_before_keeps_its_target() -> None:
    """What its breaker and its gate have learned outlives a new key or another model's change."""
    before = table()
    chat, sentiment = before.routes
    changed = sentiment.model_copy(update={"max_batch_size": 1})
    after = TargetTable([chat, changed], Limits(), lambda deployment, app, balancing: FakeReplica(), before)
    assert after.get("chat") is before.get("chat")
    assert after.get("sentiment") is not before.get("sentiment")


def test_of_several_versions_the_first_is_asked_and_all_are_listed() -> None:
    """The others are there for fallbacks and releases."""
    [chat, _] = table().routes
    versions = [chat, chat.model_copy(update={"version": "v2", "app": "c"})]
    both = TargetTable(versions, Limits(), lambda deployment, app, balancing: FakeReplica())
    assert both.get("chat").route.version == "v1"
    assert both.get("chat", "v2").route.app == "c"
    assert both.versions("chat") == ("v1", "v2")
    with pytest.raises(NotFoundError, match="'chat' v3 is not declared"):
        both.get("chat", "v3")
