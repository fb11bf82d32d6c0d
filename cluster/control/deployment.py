"""The control plane's one replica: the admin API, the ledgers of quotas and of runs, and the reconcile loop."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from autoglm.errors import BadRequestError, ConfigError, UnavailableError
from autoglm.home import server_key
from cluster.control import migrate, runs, tool_calls
from cluster.control.api import build_admin
from cluster.control.database import Database
from cluster.control.quota import Ledger
from cluster.control.reconciliation import Reconciler, Serves
from cluster.control.routers import Routers, Sight
from cluster.control.runs import RunLedger
from cluster.control.serving import Serving
from cluster.control.store import Store, default_root
from cluster.control.tool_hosts import Hosts, ToolHosts
from deployments.access import AccessConfig, Authenticator, Principal
from deployments.clock import utc_now
from deployments.quota import Lease, Report, Wanted
from deployments.tools.call_log import CallEntry
from serve_app.environment import proxies_in_front
from serve_app.http.address import client_address
from serve_app.http.middleware import authenticated

READING = frozenset({"GET", "HEAD", "OPTIONS"})
RETRY_S = 1.0

logger = logging.getLogger("ray.serve")


class Control:
    """Serves `/admin/v1` by HTTP, and by handle the ledgers of quotas, usage and runs, and the calls of tools.

    Raises:
        ConfigError: the database is of a newer program, or half-migrated. One that does not answer yet is waited for.
    """

    def __init__(
        self,
        access: dict[str, Any],
        trusted_proxies: int,
        serving: Serves | None = None,
        sight: Sight | None = None,
        hosts: Hosts | None = None,
    ) -> None:
        self._is_told = False
        self._refused: ConfigError | None = None
        self._url = os.environ.get("AUTOGLM_DATABASE_URL")
        self._is_migrated = self._migrate()
        self._database = Database(self._url)
        self._ledger = Ledger(self._database)
        self._runs = RunLedger(self._database)
        self._store = Store(default_root())
        self._serving = serving or Serving()
        self._sight = sight or Routers().breakers
        self._hosts = hosts or ToolHosts()
        self._proxies = trusted_proxies + proxies_in_front()
        self._authenticator = Authenticator(AccessConfig.model_validate(access), local_key=server_key())
        self._reconciling: asyncio.Task[None] | None = None
        # Serve awaits it when the replica stops. As the class's, Python's collector would call it, and await nothing.
        self.__del__ = self.stop

    async def __serve_build_asgi_app__(self) -> ASGIApp:
        reconciler = Reconciler(self._database, self._store, self._serving, self._authenticator.update)
        self._reconciling = asyncio.create_task(self._reconcile(reconciler))
        admin = build_admin(
            self._database,
            self._authenticate,
            store=self._store,
            states=self._serving.states,
            sight=self._sight,
            hosts=self._hosts,
            proxies=self._proxies,
        )
        return Announcing(at_the_root(admin), reconciler.changed)

    def check_health(self) -> None:
        """Called by Serve; raises ConfigError, as the start would, for a database that came back as another."""
        if self._refused is not None:
            raise self._refused

    async def stop(self) -> None:
        """End what runs in the background, and close the database."""
        if self._reconciling is not None:
            self._reconciling.cancel()
        await self._authenticator.aclose()
        self._database.close()

    async def reserve(self, wanted: Wanted) -> Lease:
        """For a router replica, as `deployments.quota.Bank` says."""
        return await asyncio.to_thread(self._ledger.reserve, wanted, utc_now())

    async def report(self, report: Report) -> None:
        """Of a router replica, as `deployments.quota.Bank` says."""
        await asyncio.to_thread(self._ledger.report, report, utc_now())

    async def runs(self, method: str, *arguments: Any) -> Any:
        """A method of `cluster.control.runs.RunLedger`: those of `deployments.planner.run_store.RunStore`, and a few.

        Raises:
            BadRequestError: there is no such method; else as the method.
        """
        if method not in runs.METHODS:
            raise BadRequestError(f"method: got {method!r}; known: {', '.join(sorted(runs.METHODS))}", param="method")
        return await asyncio.to_thread(getattr(self._runs, method), *arguments)

    async def tool_calls(self, entries: Sequence[CallEntry], lost: int) -> None:
        """Of a replica that calls tools, as `deployments.tools.call_log.Send` says."""
        await asyncio.to_thread(self._keep, entries, lost)

    def _keep(self, entries: Sequence[CallEntry], lost: int) -> None:
        with self._database.write() as session:
            tool_calls.add(session, entries, lost, utc_now())

    async def _authenticate(self, request: Request) -> Principal:
        address = client_address(request.scope, self._proxies)
        return await authenticated(request.scope, self._authenticator, address)

    async def _reconcile(self, reconciler: Reconciler) -> None:
        while not self._is_migrated:
            await asyncio.sleep(RETRY_S)
            try:
                self._is_migrated = await asyncio.to_thread(self._migrate)
            except ConfigError as error:
                self._refused = error
                return
        await reconciler.run()

    def _migrate(self) -> bool:
        """Whether the database answered and has this program's schema now; raises ConfigError where it cannot."""
        try:
            migrate.upgrade(self._url)
        except UnavailableError as error:
            if not self._is_told:
                logger.warning("the control plane's database does not answer and is waited for: %s", error.message)
            self._is_told = True
            return False
        return True


class Announcing:
    """Tells after each request that may have changed something."""

    def __init__(self, app: ASGIApp, changed: Callable[[], None]) -> None:
        self._app = app
        self._changed = changed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
        if scope["type"] == "http" and scope["method"] not in READING:
            self._changed()


def at_the_root(app: ASGIApp) -> ASGIApp:
    """The application with whole paths: Serve tells its route prefix as ASGI's root_path, and the paths name it too."""

    async def rooted(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "root_path": ""}, receive, send)

    return rooted
