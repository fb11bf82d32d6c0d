"""The control plane's ledger, as a router replica reaches it: by handle, and never for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ray import serve

from autoglm.errors import UnavailableError, UpstreamError
from deployments.quota import Lease, Report, Wanted
from deployments.router.failures import translated
from serve_app.names import CONTROL_APP

Reach = Callable[[str, str], Any]  # (deployment, app) -> a Serve DeploymentHandle

TIMEOUT_S = 2.0  # a first call without a lease waits so long at most; then its replica goes on by itself


def unchecked(deployment: str, app: str) -> Any:
    """A handle, whether the application is there or not: to look would block the event loop."""
    return serve.get_deployment_handle(deployment, app, _check_exists=False, _record_telemetry=False)


class ControlBank:
    """Raises UnavailableError or TimeoutError where the control plane is away, slow, or without its database."""

    def __init__(self, reach: Reach = unchecked) -> None:
        self._reach = reach

    async def reserve(self, wanted: Wanted) -> Lease:
        """Raises QuotaExceededError, as `deployments.quota.Bank` says."""
        lease: Lease = await self._answer("reserve", wanted)
        return lease

    async def report(self, report: Report) -> None:
        """Told once, however often it is sent."""
        await self._answer("report", report)

    async def _answer(self, method: str, message: Wanted | Report) -> Any:
        try:
            with translated("the control plane"):
                handle = self._reach(CONTROL_APP, CONTROL_APP)
                async with asyncio.timeout(TIMEOUT_S):
                    return await getattr(handle, method).remote(message)
        except UpstreamError as fault:
            raise UnavailableError(fault.message) from fault
