"""Serve's REST API: what runs, and what should."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ray
from ray.dashboard.modules.serve.sdk import ServeSubmissionClient
from ray.dashboard.utils import ray_address_to_api_server_url
from requests.exceptions import RequestException

from autoglm.errors import UnavailableError
from cluster.control.applications import State
from cluster.control.desired import FAILED, RUNNING, routed

PREFIX = "model-"


class Serving:
    """This cluster's Serve. Every call blocks; a failed one is an UnavailableError."""

    def __init__(self) -> None:
        self._client: ServeSubmissionClient | None = None

    def details(self) -> dict[str, Any]:
        """All applications with their configs and states, as `GET /api/serve/applications/` tells them."""
        with self._connected() as client:
            details: dict[str, Any] = client.get_serve_details()
            return details

    def deploy(self, config: dict[str, Any]) -> None:
        """Hand over the whole desired state; what is as it was is not touched."""
        with self._connected() as client:
            client.deploy_applications(config)

    def states(self) -> Mapping[str, State]:
        """Of the applications that are model versions; one runs when the routers know it."""
        details = self.details()
        known = routed(details)
        return {
            name: state(application, name in known)
            for name, application in details["applications"].items()
            if name.startswith(PREFIX)
        }

    @contextmanager
    def _connected(self) -> Iterator[ServeSubmissionClient]:
        """A client of the cluster that this process is in: several may run on a machine, and RAY_ADDRESS name another.

        After a fault the address is looked up anew; a dashboard that was started again may have another.
        """
        try:
            if self._client is None:
                address = ray.get_runtime_context().gcs_address
                self._client = ServeSubmissionClient(ray_address_to_api_server_url(address))
            yield self._client
        except (RequestException, ConnectionError, RuntimeError, ValueError) as fault:
            self._client = None
            raise unavailable(fault) from fault


def state(application: Mapping[str, Any], is_routed: bool) -> State:
    """An application's, in the words of a registration."""
    if application["status"] == FAILED:
        return State("failed", application["message"])
    return State("running" if application["status"] == RUNNING and is_routed else "deploying")


def unavailable(fault: Exception) -> UnavailableError:
    """The error of a call that Serve did not answer, or did not take."""
    return UnavailableError(f"Serve's API: {type(fault).__name__}: {str(fault)[:500]}", retry_after=1.0)
