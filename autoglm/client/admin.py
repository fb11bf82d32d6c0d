"""Administration: keys, users, quotas, usage, tasks, grants, tools, breakers and audit, under `client.admin`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar, Unpack

from autoglm.client import admin_calls, registration
from autoglm.client.admin_calls import Pages, QuotaLimits, Scopes
from autoglm.client.exchange import AsyncRun, Run
from autoglm.client.paging import items, items_async
from autoglm.contract.audit import AuditPage
from autoglm.contract.breaker import BreakerControl, BreakerHold, BreakerList
from autoglm.contract.grant import GrantCard, GrantKind
from autoglm.contract.key import KeyCard, KeyCreated
from autoglm.contract.quota import QuotaCard, QuotaKind
from autoglm.contract.registration import RegistrationCard
from autoglm.contract.tool_call import ToolCallPage
from autoglm.contract.tool_registration import ToolRegistration
from autoglm.contract.usage_report import UsageDimension, UsageReport
from autoglm.contract.user import UserCard

T = TypeVar("T")

BY: tuple[UsageDimension, ...] = ("key", "model", "day")


class Admin:
    """The admin API of a cluster; each call needs the scope `admin`.

    A key, a user or a grant is made at most once: where the server may have begun, the call is not repeated, and its
    error leaves open whether it was made; `keys()`, `users()` and `grants()` tell.

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

    def create_grant(
        self,
        kind: GrantKind,
        subject: str,
        tool: str,
        *,
        arguments: Mapping[str, str] | None = None,
        calls_per_minute: int | None = None,
        needs_approval: bool = False,
    ) -> GrantCard:
        """Lets a key (by its id) or a tenant use a tool, or with `files.*` all whose names begin so; `*` is all.

        `arguments` are regular expressions in RE2's syntax by the argument's name: each must be there, and the whole
        of its text match. The rate counts on each replica; with `needs_approval` a person must approve each call.

        Raises:
            UnprocessableEntityError: a pattern is none.
        """
        return self._run(
            admin_calls.create_grant(
                kind,
                subject,
                tool,
                arguments=arguments,
                calls_per_minute=calls_per_minute,
                needs_approval=needs_approval,
            )
        )

    def grants(self, kind: GrantKind | None = None, subject: str | None = None) -> Generator[GrantCard, None, None]:
        """All grants, or those of a kind or of a key or tenant, the newest first; asked for in pages as needed.

        Those that the cluster's own file has are not among them.
        """
        return self._all(admin_calls.grants(kind, subject))

    def delete_grant(self, grant_id: str) -> GrantCard:
        """Takes a grant away, from runs that are under way too.

        Raises:
            NotFoundError: there is none of this id.
        """
        return self._run(admin_calls.delete_grant(grant_id))

    def register_tool(self, name: str, entry: Mapping[str, Any]) -> ToolRegistration:
        """Loads an entry of tools while the cluster runs, or another in its place: as in the file's `tools:`, such as
        `{"python": "mytools:now"}` or `{"mcp": {"url": "https://…"}}`, without its name.

        The cluster runs what it names, so the scope `admin` is as good as its user's own account there.

        Raises:
            UnprocessableEntityError: it is no entry; `param` names the field.
        """
        return self._run(admin_calls.register_tool(name, entry))

    def tools(self) -> Generator[ToolRegistration, None, None]:
        """All registered entries by name, without those of the cluster's own file; asked for in pages as needed."""
        return self._all(admin_calls.tools())

    def delete_tool(self, name: str) -> ToolRegistration:
        """Takes an entry out; calls of its tools that are under way end within a bound.

        Raises:
            NotFoundError: it is not registered.
        """
        return self._run(admin_calls.delete_tool(name))

    def tool_calls(self, tenant: str | None = None, limit: int = 100, before: int | None = None) -> ToolCallPage:
        """The newest `limit` (at most 1,000) calls of tools, refused ones too, or those before the one of the id
        `before`; of a tenant or of all.
        """
        return self._run(admin_calls.tool_calls(tenant, limit, before))

    def audit(self, limit: int = 100, before: int | None = None) -> AuditPage:
        """The newest `limit` (at most 1,000) administrative actions, or those before the entry of the id `before`."""
        return self._run(admin_calls.audit(limit, before))

    def _all(self, pages: Pages[T]) -> Generator[T, None, None]:
        return items(self._run, pages)


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

    async def create_grant(
        self,
        kind: GrantKind,
        subject: str,
        tool: str,
        *,
        arguments: Mapping[str, str] | None = None,
        calls_per_minute: int | None = None,
        needs_approval: bool = False,
    ) -> GrantCard:
        """As `Admin.create_grant`."""
        return await self._run(
            admin_calls.create_grant(
                kind,
                subject,
                tool,
                arguments=arguments,
                calls_per_minute=calls_per_minute,
                needs_approval=needs_approval,
            )
        )

    def grants(self, kind: GrantKind | None = None, subject: str | None = None) -> AsyncGenerator[GrantCard, None]:
        """As `Admin.grants`."""
        return self._all(admin_calls.grants(kind, subject))

    async def delete_grant(self, grant_id: str) -> GrantCard:
        """As `Admin.delete_grant`."""
        return await self._run(admin_calls.delete_grant(grant_id))

    async def register_tool(self, name: str, entry: Mapping[str, Any]) -> ToolRegistration:
        """As `Admin.register_tool`."""
        return await self._run(admin_calls.register_tool(name, entry))

    def tools(self) -> AsyncGenerator[ToolRegistration, None]:
        """As `Admin.tools`."""
        return self._all(admin_calls.tools())

    async def delete_tool(self, name: str) -> ToolRegistration:
        """As `Admin.delete_tool`."""
        return await self._run(admin_calls.delete_tool(name))

    async def tool_calls(self, tenant: str | None = None, limit: int = 100, before: int | None = None) -> ToolCallPage:
        """As `Admin.tool_calls`."""
        return await self._run(admin_calls.tool_calls(tenant, limit, before))

    async def audit(self, limit: int = 100, before: int | None = None) -> AuditPage:
        """As `Admin.audit`."""
        return await self._run(admin_calls.audit(limit, before))

    def _all(self, pages: Pages[T]) -> AsyncGenerator[T, None]:
        return items_async(self._run, pages)
