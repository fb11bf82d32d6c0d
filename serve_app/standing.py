"""What callers may do now, asked for by their names: a run goes on when its caller has long hung up."""

from __future__ import annotations

import asyncio

from autoglm.errors import PermissionDeniedError
from deployments.access import Principal, Snapshot
from deployments.access.authenticator import LOCAL
from deployments.caller import Caller
from deployments.clock import Clock, utc_now

# Router and planner are told of a new key within about a second of each other; its first run may come in between.
PATIENCE_S = 3.0


class Standing:
    """By the credentials that the control plane told last."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._snapshot = Snapshot()
        self._told = asyncio.Event()

    def update(self, snapshot: Snapshot) -> None:
        """Decide by this snapshot from now on."""
        self._snapshot = snapshot
        self._told.set()
        self._told = asyncio.Event()

    def principal(self, caller: Caller) -> Principal:
        """The caller as it stands.

        Raises:
            PermissionDeniedError: the credential is revoked, has expired, or is of another tenant by now.
        """
        found = self._found(caller)
        if found is None or found.tenant != caller.tenant:
            raise PermissionDeniedError(f"the credential {caller} lives no longer", param="authorization")
        return found

    async def awaited(self, caller: Caller) -> Principal:
        """The same for a caller whom a router has just admitted, and of whom this process may hear a little later."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while self._found(caller) is None:
                    await self._told.wait()
        except TimeoutError:
            pass  # it was revoked in the meantime, and the error says so
        return self.principal(caller)

    def _found(self, caller: Caller) -> Principal | None:
        if caller.kind == "local":
            return LOCAL
        if caller.kind == "token":
            return self._token(caller)
        return self._snapshot.by_name(caller.kind, caller.id, self._clock())

    def _token(self, caller: Caller) -> Principal | None:
        """By what it said; a run does not outlive it."""
        if caller.expires is None or caller.expires <= self._clock().timestamp():
            return None
        return Principal.model_validate(caller.model_dump())


def named(principal: Principal) -> Caller:
    """The principal by its name; with what a token said, which is known from nowhere else."""
    if principal.kind == "token":
        return Caller.model_validate(principal.model_dump())
    return Caller(kind=principal.kind, id=principal.id, tenant=principal.tenant)
