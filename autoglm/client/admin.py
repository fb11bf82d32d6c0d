"""Administration: keys, users, quotas, usage, registered tasks, breakers and audit, under `client.admin`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Generator, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Protocol, TypeVar, Unpack

from autoglm.client import admin_calls, registration
from autoglm.client.admin_calls import Pages, QuotaLimits, Scopes
from autoglm.client.exchange import Call
from autoglm.contract.audit import AuditPage
from autoglm.contract.breaker import BreakerControl, BreakerHold, BreakerList
from autoglm.contract.key import KeyCard, KeyCreated
from autoglm.contract.quota import QuotaCard, QuotaKind
from autoglm.contract.registration import RegistrationCard
from autoglm.contract.usage_report import UsageDimension, UsageReport
from autoglm.contract.user import UserCard

T = TypeVar("T")

BY: tuple[UsageDimension, ...] = ("key", "model", "day")


class Run(Protocol):
    """The synchronous client's way to make a call."""

    def __call__(self, call: Call[T], /) -> T: ...


class AsyncRun(Protocol):
    """The asynchronous client's."""

    def __call__(self, call: Call[T], /) -> Awaitable[T]: ...


class Admin:
    """The admin API of a cluster; each call needs the scope `admin`.

    A key or a user is made at most once: where the server may have begun, the call is not repeated, and its error
    leaves open whether it was made; `keys()` and `users()` tell.

    Raises, from every call:
        AuthenticationError, PermissionDeniedError: the credential is none, or has not the scope `admin`.
        BadRequestError: an argument is not of the documented form; `param` names it.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def create_key(
        self,
        name: str,
        *,
        scopes: Scopes,
        tenant: str = "default",
        models: Iterable[str] | None = None,
        expires: datetime | None = None,
    ) -> KeyCreated:
        """Makes an API key; its `secret` is in this answer and can never be read again.

        `scopes` are `chat`, `predict`, `embed`, `tasks`, `admin`, `tools:NAME` and `tools:*`; without `models` it may
        use all of them, without `expires` (with its time zone) it lives until it is revoked.
        """
        return self._run(admin_calls.create_key(name, scopes=scopes, tenant=tenant, models=models, expires=expires))

    def keys(self, tenant: str | None = None) -> Generator[KeyCard, None, None]:
        """All keys, or a tenant's, the newest first; asked for in pages as they are needed."""
        return self._all(admin_calls.keys(tenant))

    def revoke_key(self, key_id: str) -> KeyCard:
        """Ends a key, which stays in the list; a second time changes nothing.

        Raises:
            NotFoundError: there is no such key.
        """
        return self._run(admin_calls.revoke_key(key_id))

    def create_user(
        self,
        name: str,
        password: str,
        *,
        scopes: Scopes,
        tenant: str = "default",
        models: Iterable[str] | None = None,
    ) -> UserCard:
        """Makes a user of HTTP Basic, with a password of 12 to 256 characters.

        Raises:
            ConflictError: the name is taken.
        """
        return self._run(admin_calls.create_user(name, password, scopes=scopes, tenant=tenant, models=models))

    def users(self) -> Generator[UserCard, None, None]:
        """All users by name; asked for in pages as they are needed."""
        return self._all(admin_calls.users())

    def delete_user(self, name: str) -> UserCard:
        """Takes a user away.

        Raises:
            NotFoundError: there is no such user.
        """
        return self._run(admin_calls.delete_user(name))

    def set_quota(self, kind: QuotaKind, subject: str, **limits: Unpack[QuotaLimits]) -> QuotaCard:
        """Sets all limits of a key (by its id) or a tenant; one that is not given is none from now on.

        Minutes and days are UTC's, and the `budget` is for ever.

        Raises:
            NotFoundError: there is no such key or tenant; a tenant is made with its first key or user.
        """
        return self._run(admin_calls.set_quota(kind, subject, limits))

    def quotas(self) -> Generator[QuotaCard, None, None]:
        """All quotas by kind and subject; asked for in pages as they are needed."""
        return self._all(admin_calls.quotas())

    def usage(
        self, by: Iterable[UsageDimension] = BY, since: date | None = None, until: date | None = None
    ) -> UsageReport:
        """What was used: a sum for each value of `by` (`key`, `tenant`, `model`, `day`), over the days from `since` to
        `until` in UTC, both included. At most 10,000 rows; `has_more` says that there are others.
        """
        return self._run(admin_calls.usage(by, since, until))

    def usage_csv(self, by: Iterable[UsageDimension] = BY, since: date | None = None, until: date | None = None) -> str:
        """The same as CSV with a header.

        Raises:
            UnprocessableEntityError: there are more than 10,000 rows.
        """
        return self._run(admin_calls.usage_csv(by, since, until))

    def register_task(self, name: str, version: str, archive: Path) -> RegistrationCard:
        """Uploads a saved task's folder, zipped, as a version that the cluster then deploys; `AutoTask.deploy` does
        all of it.

        The same content under the same name and version changes nothing.

        Raises:
            ConflictError: the version exists with other content, or is the cluster's own file's.
            UnprocessableEntityError: the archive is no saved task, or one that the cluster cannot serve.
            PayloadTooLargeError: it has more than 2 GiB.
        """
        return self._run(registration.register(name, version, archive))

    def tasks(self, name: str | None = None) -> Generator[RegistrationCard, None, None]:
        """All registered versions, or those of one name; asked for in pages as they are needed."""
        return self._all(registration.registrations(name))

    def task(self, name: str, version: str) -> RegistrationCard:
        """One version, and how it fares.

        Raises:
            NotFoundError: it is not registered.
        """
        return self._run(registration.registration(name, version))

    def delete_task(self, name: str, version: str) -> RegistrationCard:
        """Takes a version off the cluster, with its files.

        Raises:
            NotFoundError: it is not registered.
        """
        return self._run(registration.unregister(name, version))

    def breakers(self) -> BreakerList:
        """The circuit breaker of each version, as each router replica that answers sees it, and those held by hand.

        Raises:
            UnavailableError: no router replica answers.
        """
        return self._run(admin_calls.breakers())

    def hold_breaker(self, name: str, version: str, state: BreakerControl) -> BreakerHold:
        """Holds a version's breaker `open` (no request reaches it) or `closed` (all do) in all router replicas, those
        that start later too, until it is `automatic` again.

        Raises:
            NotFoundError: no such version is declared; the message names the nearest.
        """
        return self._run(admin_calls.hold_breaker(name, version, state))

    def audit(self, limit: int = 100, before: int | None = None) -> AuditPage:
        """The newest `limit` (at most 1,000) administrative actions, or those before the entry of the id `before`."""
        return self._run(admin_calls.audit(limit, before))

    def _all(self, pages: Pages[T]) -> Generator[T, None, None]:
        call = next(pages)
        while True:
            page = self._run(call)
            yield from page.data
            try:
                call = pages.send(page)
            except StopIteration:
                return


class AsyncAdmin:
    """`Admin` for asyncio: the same arguments, calls and errors; lists are for `async for`."""

    def __init__(self, run: AsyncRun) -> None:
        self._run = run

    async def create_key(
        self,
        name: str,
        *,
        scopes: Scopes,
        tenant: str = "default",
        models: Iterable[str] | None = None,
        expires: datetime | None = None,
    ) -> KeyCreated:
        """As `Admin.create_key`."""
        return await self._run(
            admin_calls.create_key(name, scopes=scopes, tenant=tenant, models=models, expires=expires)
        )

    def keys(self, tenant: str | None = None) -> AsyncGenerator[KeyCard, None]:
        """As `Admin.keys`."""
        return self._all(admin_calls.keys(tenant))

    async def revoke_key(self, key_id: str) -> KeyCard:
        """As `Admin.revoke_key`."""
        return await self._run(admin_calls.revoke_key(key_id))

    async def create_user(
        self,
        name: str,
        password: str,
        *,
        scopes: Scopes,
        tenant: str = "default",
        models: Iterable[str] | None = None,
    ) -> UserCard:
        """As `Admin.create_user`."""
        return await self._run(admin_calls.create_user(name, password, scopes=scopes, tenant=tenant, models=models))

    def users(self) -> AsyncGenerator[UserCard, None]:
        """As `Admin.users`."""
        return self._all(admin_calls.users())

    async def delete_user(self, name: str) -> UserCard:
        """As `Admin.delete_user`."""
        return await self._run(admin_calls.delete_user(name))

    async def set_quota(self, kind: QuotaKind, subject: str, **limits: Unpack[QuotaLimits]) -> QuotaCard:
        """As `Admin.set_quota`."""
        return await self._run(admin_calls.set_quota(kind, subject, limits))

    def quotas(self) -> AsyncGenerator[QuotaCard, None]:
        """As `Admin.quotas`."""
        return self._all(admin_calls.quotas())

    async def usage(
        self, by: Iterable[UsageDimension] = BY, since: date | None = None, until: date | None = None
    ) -> UsageReport:
        """As `Admin.usage`."""
        return await self._run(admin_calls.usage(by, since, until))

    async def usage_csv(
        self, by: Iterable[UsageDimension] = BY, since: date | None = None, until: date | None = None
    ) -> str:
        """As `Admin.usage_csv`."""
        return await self._run(admin_calls.usage_csv(by, since, until))

    async def register_task(self, name: str, version: str, archive: Path) -> RegistrationCard:
        """As `Admin.register_task`."""
        return await self._run(registration.register(name, version, archive))

    def tasks(self, name: str | None = None) -> AsyncGenerator[RegistrationCard, None]:
        """As `Admin.tasks`."""
        return self._all(registration.registrations(name))

    async def task(self, name: str, version: str) -> RegistrationCard:
        """As `Admin.task`."""
        return await self._run(registration.registration(name, version))

    async def delete_task(self, name: str, version: str) -> RegistrationCard:
        """As `Admin.delete_task`."""
        return await self._run(registration.unregister(name, version))

    async def breakers(self) -> BreakerList:
        """As `Admin.breakers`."""
        return await self._run(admin_calls.breakers())

    async def hold_breaker(self, name: str, version: str, state: BreakerControl) -> BreakerHold:
        """As `Admin.hold_breaker`."""
        return await self._run(admin_calls.hold_breaker(name, version, state))

    async def audit(self, limit: int = 100, before: int | None = None) -> AuditPage:
        """As `Admin.audit`."""
        return await self._run(admin_calls.audit(limit, before))

    async def _all(self, pages: Pages[T]) -> AsyncGenerator[T, None]:
        call = next(pages)
        while True:
            page = await self._run(call)
            for item in page.data:
                yield item
            try:
                call = pages.send(page)
            except StopIteration:
                return
