"""What a router replica keeps of what it is told."""

from __future__ import annotations

from typing import Any

import pytest

from autoglm.contract.scope import Scope
from autoglm.errors import AuthenticationError, NotFoundError
from autoglm.home import home
from deployments.access import KeyView, Snapshot, secret
from deployments.router import PREDICTING
from serve_app.ingress import Ingress
from tests.fake_replica import FakeReplica

SECRET = secret.new_secret()
KEY = KeyView(
    id="key_1",
    prefix=secret.prefix_of(SECRET),
    sha256=secret.digest(SECRET).hex(),
    tenant="acme",
    scopes=(Scope("chat"),),
)


def route(name: str, version: str) -> dict[str, Any]:
    task = "text-classification"
    return {"name": name, "task": task, "model": "m", "version": version, "app": name, "deployment": "predictor"}


TOLD = {
    "credentials": Snapshot(epoch=1, keys=(KEY,)).model_dump(mode="json"),
    "quotas": [{"kind": "key", "subject": "key_1", "requests_per_minute": 0}],
    "registered": [route("mood", "v2")],
}


@pytest.fixture
def ingress(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Ingress:
    monkeypatch.setenv("AUTOGLM_HOME", str(tmp_path))
    monkeypatch.delenv("AUTOGLM_API_KEY", raising=False)
    return Ingress({}, connect=lambda deployment, app, balancing: FakeReplica())


async def served(ingress: Ingress) -> list[tuple[str, str]]:
    return [(card["id"], card["versions"][0]) for card in ingress.models()["data"]]


async def test_the_local_key_is_made_once_and_opens(ingress: Ingress) -> None:
    """Where no operator has set another."""
    key = (home() / "key").read_text().strip()
    assert (await ingress.authenticator.authenticate(f"Bearer {key}", "")).kind == "local"


async def test_a_registered_version_is_served_beside_the_declared_ones(ingress: Ingress) -> None:
    """One of a declared name takes its place, and costs as much."""
    priced = route("mood", "v1") | {"price": {"prompt": "2"}}
    await ingress.reconfigure({"routes": [priced, route("iris", "v1")], **TOLD})
    assert await served(ingress) == [("mood", "v2"), ("iris", "v1")]
    assert ingress.route("mood", param="task", tasks=PREDICTING).price.prompt == 2
    await ingress.reconfigure({"routes": [route("mood", "v1")], **TOLD, "registered": []})
    assert await served(ingress) == [("mood", "v1")]


async def test_a_file_that_knows_nothing_of_credentials_takes_none_away(ingress: Ingress) -> None:
    """An operator deploys one while callers work; the control plane tells the rest a little later."""
    await ingress.reconfigure({"routes": [route("iris", "v1")], **TOLD})
    await ingress.reconfigure({"routes": [route("iris", "v1")]})
    assert (await ingress.authenticator.authenticate(f"Bearer {SECRET}", "")).id == "key_1"
    assert await served(ingress) == [("iris", "v1"), ("mood", "v2")]


async def test_what_is_told_empty_is_empty(ingress: Ingress) -> None:
    """The last key was revoked, the last version deleted."""
    await ingress.reconfigure({"routes": [], **TOLD})
    await ingress.reconfigure({"routes": [], "credentials": {"epoch": 2}, "quotas": [], "registered": []})
    with pytest.raises(AuthenticationError):
        await ingress.authenticator.authenticate(f"Bearer {SECRET}", "")
    with pytest.raises(NotFoundError):
        ingress.route("mood", param="task", tasks=PREDICTING)
