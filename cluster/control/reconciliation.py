"""The reconcile loop: what the database says becomes what Serve runs and what the routers know."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from autoglm.errors import AutoGLMError
from cluster.control import epoch, grants, holds, registrations, snapshot, tools
from cluster.control.applications import State
from cluster.control.database import Database
from cluster.control.desired import desired, is_deployed, is_settled
from cluster.control.registrations import Registered
from cluster.control.store import Store
from deployments.access import Snapshot
from deployments.clock import Clock, utc_now

POLL_S = 1.0  # changes made through this process are seen at once; others' (a second process, a restored file) so late
DRIFT_S = 5.0  # so often Serve is asked whether an operator deployed a file, which knows nothing of what was told

logger = logging.getLogger("ray.serve")


class Serves(Protocol):
    """Serve, as the control plane needs it (`serving.Serving`)."""

    def details(self) -> dict[str, Any]: ...

    def deploy(self, config: dict[str, Any]) -> None: ...

    def states(self) -> Mapping[str, State]: ...


class Reconciler:
    """Brings Serve to what the database says, again and again; a round that fails is tried again in the next."""

    def __init__(
        self,
        database: Database,
        store: Store,
        serving: Serves,
        on_credentials: Callable[[Snapshot], None],
        *,
        clock: Clock = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._store = store
        self._serving = serving
        self._on_credentials = on_credentials
        self._clock = clock
        self._monotonic = monotonic
        self._changed = asyncio.Event()
        self._done: tuple[int, list[Registered]] | None = None  # what the last round that ended well was about
        self._compared = float("-inf")
        self._fault = ""
        self._broken: Mapping[str, str] = {}

    def changed(self) -> None:
        """Begin a round now; called on the event loop."""
        self._changed.set()

    async def run(self) -> None:
        """Rounds until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.round)
                self._tell_fault("")
            except AutoGLMError as error:
                self._tell_fault(error.message)
            except Exception as fault:  # this program's own; the next change must find the loop alive
                self._tell_fault(repr(fault), fault)
            try:
                await asyncio.wait_for(self._changed.wait(), POLL_S)
            except TimeoutError:
                pass
            self._changed.clear()

    def round(self) -> None:
        """Compare and, where they differ, deploy. Blocks.

        Raises:
            UnavailableError: the database or Serve does not answer.
        """
        with self._database.read() as session:
            seen = epoch.current(session), registrations.all(session, self._store)
            if seen == self._done and self._monotonic() - self._compared < DRIFT_S:
                return
            credentials = snapshot.take(session, self._clock())
            quotas = snapshot.quotas(session)
            held = holds.all(session)
            granted = grants.all(session)
            entries, broken = tools.all(session)
        self._tell_broken(broken)
        self._on_credentials(credentials)
        told = {
            "credentials": credentials.model_dump(mode="json", exclude_defaults=True),
            "quotas": [quota.model_dump(mode="json", exclude_defaults=True) for quota in quotas],
            "breakers": [hold.model_dump(mode="json") for hold in held],
            "grants": [grant.model_dump(mode="json", exclude_defaults=True) for grant in granted],
            "tools": list(entries),
        }
        details = self._serving.details()
        wanted = desired(details, seen[1], told)
        if not is_deployed(details, wanted):
            self._serving.deploy(wanted)
        self._done = seen if is_settled(details, seen[1]) else None
        self._compared = self._monotonic()

    def _tell_broken(self, tools: Mapping[str, str]) -> None:
        """Each entry that cannot be read once, and again where its fault is another."""
        for name, fault in tools.items():
            if self._broken.get(name) != fault:
                logger.error("the registered tool %s cannot be read and is left out: %s", name, fault)
        self._broken = tools

    def _tell_fault(self, message: str, cause: Exception | None = None) -> None:
        """Each fault once, not each second; and that it is over."""
        if message == self._fault:
            return
        self._fault = message
        if message:
            logger.error("the control plane cannot do its work and tries again: %s", message, exc_info=cause)
        else:
            logger.info("the control plane works again")
