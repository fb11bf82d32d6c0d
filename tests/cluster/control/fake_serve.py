"""A Serve that runs at once whatever it is given."""

from __future__ import annotations

from collections.abc import Mapping
from queue import SimpleQueue
from typing import Any

from cluster.control.applications import State
from deployments.access import Snapshot

ROUTER: dict[str, Any] = {"name": "autoglm", "args": {}, "deployments": [{"name": "router", "user_config": {}}]}


class FakeServe:
    """One router, and what was deployed since; `fault` is raised instead."""

    def __init__(self) -> None:
        self.applications: list[dict[str, Any]] = [ROUTER]
        self.deployed = 0
        self.asked = 0
        self.fault: Exception | None = None
        self.pushed: SimpleQueue[Snapshot] = SimpleQueue()  # the credentials of each deployment

    def details(self) -> dict[str, Any]:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        applications = {app["name"]: {"status": "RUNNING", "deployed_app_config": app} for app in self.applications}
        return {"http_options": {"host": "127.0.0.1", "port": 8000}, "applications": applications}

    def deploy(self, config: dict[str, Any]) -> None:
        self.deployed += 1
        self.applications = config["applications"]
        self.pushed.put(self.credentials)

    def states(self) -> Mapping[str, State]:
        return {}

    @property
    def credentials(self) -> Snapshot:
        """What the routers know."""
        return Snapshot.model_validate(self.told["credentials"])

    @property
    def told(self) -> dict[str, Any]:
        """The routers' user_config."""
        user_config: dict[str, Any] = self.applications[0]["deployments"][0]["user_config"]
        return user_config
