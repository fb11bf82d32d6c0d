"""The calls of the admin API: what each sends, and how long lists come page by page."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from datetime import date, datetime
from typing import Any, Protocol, TypedDict, TypeVar
from urllib.parse import quote

import httpx

from autoglm.client.calls import reads
from autoglm.client.exchange import Call
from autoglm.contract.audit import AuditPage
from autoglm.contract.breaker import BreakerControl, BreakerHold, BreakerList
from autoglm.contract.grant import GrantCard, GrantKind, GrantList
from autoglm.contract.key import KeyCard, KeyCreated, KeyList
from autoglm.contract.quota import QuotaCard, QuotaKind, QuotaList
from autoglm.contract.scope import Scope
from autoglm.contract.tool_call import ToolCallPage
from autoglm.contract.tool_registration import ToolRegistration, ToolRegistrationList
from autoglm.contract.usage_report import HAS_MORE_HEADER, MAX_ROWS, UsageDimension, UsageReport
from autoglm.contract.user import UserCard, UserList
from autoglm.errors import UnprocessableEntityError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Query = Mapping[str, Any]
Scopes = Iterable[str | Scope]

PREFIX = "/admin/v1"


class QuotaLimits(TypedDict, total=False):
    """The limits of a key or a tenant, each None where there is none; `budget` in the currency of the prices."""

    requests_per_minute: int | None
    tokens_per_minute: int | None
    requests_per_day: int | None
    tokens_per_day: int | None
    budget: float | None


class Page(Protocol[T_co]):
    """A part of a list."""

    @property
    def data(self) -> tuple[T_co, ...]: ...

    @property
    def has_more(self) -> bool: ...


Pages = Generator[Call[Page[T]], Page[T], None]  # a call for each page, each answered with the page


def create_key(
    name: str, *, scopes: Scopes, tenant: str, models: Iterable[str] | None, expires: datetime | None
) -> Call[KeyCreated]:
    """A new key; sent again, it would be a second one."""
    payload = {"name": name, **grant(scopes, tenant, models), "expires": expires.isoformat() if expires else None}
    return Call("POST", f"{PREFIX}/keys", reads(KeyCreated), payload, once=True)


def keys(tenant: str | None) -> Pages[KeyCard]:
    """Keys, the newest first."""
    return pages("keys", reads(KeyList), lambda key: {"after": key.id}, {"tenant": tenant})


def revoke_key(key_id: str) -> Call[KeyCard]:
    """A key ended; a second time changes nothing."""
    return Call("DELETE", f"{PREFIX}/keys/{segment(key_id)}", reads(KeyCard), idempotent=True)


def create_user(
    name: str, password: str, *, scopes: Scopes, tenant: str, models: Iterable[str] | None
) -> Call[UserCard]:
    """A new user; sent again, its name would be taken."""
    payload = {"name": name, "password": password, **grant(scopes, tenant, models)}
    return Call("POST", f"{PREFIX}/users", reads(UserCard), payload, once=True)


def users() -> Pages[UserCard]:
    """Users by name."""
    return pages("users", reads(UserList), lambda user: {"after": user.name}, {})


def delete_user(name: str) -> Call[UserCard]:
    """A user taken away; sent again, there would be none of this name."""
    return Call("DELETE", f"{PREFIX}/users/{segment(name)}", reads(UserCard), once=True)


def set_quota(kind: QuotaKind, subject: str, limits: QuotaLimits) -> Call[QuotaCard]:
    """All limits of one subject."""
    path = f"{PREFIX}/quotas/{segment(kind)}/{segment(subject)}"
    return Call("PUT", path, reads(QuotaCard), dict(limits), idempotent=True)


def quotas() -> Pages[QuotaCard]:
    """Quotas by kind and subject."""
    return pages("quotas", reads(QuotaList), lambda last: {"after_kind": last.kind, "after": last.subject}, {})


def usage(by: Iterable[UsageDimension], since: date | None, until: date | None) -> Call[UsageReport]:
    """Sums as objects."""
    return Call("GET", f"{PREFIX}/usage", reads(UsageReport), query=asked(by, since, until), idempotent=True)


def usage_csv(by: Iterable[UsageDimension], since: date | None, until: date | None) -> Call[str]:
    """Sums as CSV."""
    query = {**asked(by, since, until), "format": "csv"}
    return Call("GET", f"{PREFIX}/usage", read_csv, query=query, idempotent=True)


def breakers() -> Call[BreakerList]:
    """All of them."""
    return Call("GET", f"{PREFIX}/breakers", reads(BreakerList), idempotent=True)


def hold_breaker(name: str, version: str, state: BreakerControl) -> Call[BreakerHold]:
    """One, held or let go."""
    path = f"{PREFIX}/breakers/{segment(name)}/{segment(version)}"
    return Call("PUT", path, reads(BreakerHold), {"state": state}, idempotent=True)


def create_grant(
    kind: GrantKind,
    subject: str,
    tool: str,
    *,
    arguments: Mapping[str, str] | None,
    calls_per_minute: int | None,
    needs_approval: bool,
) -> Call[GrantCard]:
    """A new grant; sent again, it would be a second one."""
    payload = {
        "kind": kind,
        "subject": subject,
        "tool": tool,
        "arguments": dict(arguments or {}),
        "calls_per_minute": calls_per_minute,
        "needs_approval": needs_approval,
    }
    return Call("POST", f"{PREFIX}/grants", reads(GrantCard), payload, once=True)


def grants(kind: GrantKind | None, subject: str | None) -> Pages[GrantCard]:
    """Grants, the newest first."""
    query = {"kind": kind, "subject": subject}
    return pages("grants", reads(GrantList), lambda grant: {"after": grant.id}, query)


def delete_grant(grant_id: str) -> Call[GrantCard]:
    """A grant taken away; sent again, there would be none of this id."""
    return Call("DELETE", f"{PREFIX}/grants/{segment(grant_id)}", reads(GrantCard), once=True)


def register_tool(name: str, entry: Mapping[str, Any]) -> Call[ToolRegistration]:
    """An entry under its name; a second time changes nothing."""
    return Call("PUT", f"{PREFIX}/tools/{segment(name)}", reads(ToolRegistration), dict(entry), idempotent=True)


def tools() -> Pages[ToolRegistration]:
    """Registered entries by name."""
    return pages("tools", reads(ToolRegistrationList), lambda last: {"after": last.name}, {})


def delete_tool(name: str) -> Call[ToolRegistration]:
    """An entry taken out; sent again, there would be none of this name."""
    return Call("DELETE", f"{PREFIX}/tools/{segment(name)}", reads(ToolRegistration), once=True)


def tool_calls(tenant: str | None, limit: int, before: int | None) -> Call[ToolCallPage]:
    """Calls, the newest first."""
    query = given({"tenant": tenant, "limit": limit, "before": before})
    return Call("GET", f"{PREFIX}/tool-calls", reads(ToolCallPage), query=query, idempotent=True)


def audit(limit: int, before: int | None) -> Call[AuditPage]:
    """Entries, the newest first."""
    query = given({"limit": limit, "before": before})
    return Call("GET", f"{PREFIX}/audit", reads(AuditPage), query=query, idempotent=True)


def pages(noun: str, read: Callable[[httpx.Response], Page[T]], place: Callable[[T], Query], query: Query) -> Pages[T]:
    """One page after the other; `place` gives the query of what comes after an item."""
    after: Query = {}
    while True:
        page = yield Call("GET", f"{PREFIX}/{noun}", read, query=given({**query, **after}), idempotent=True)
        if not (page.has_more and page.data):
            return
        after = place(page.data[-1])


def grant(scopes: Scopes, tenant: str, models: Iterable[str] | None) -> dict[str, Any]:
    """What a credential may do and who pays; one text is one scope or model, not its letters."""
    return {
        "scopes": [str(scope) for scope in listed(scopes)],
        "tenant": tenant,
        "models": None if models is None else listed(models),
    }


def listed(values: Any) -> list[Any]:
    """The values; a text is one."""
    return [values] if isinstance(values, str | Scope) else list(values)


def asked(by: Iterable[UsageDimension], since: date | None, until: date | None) -> Query:
    """The query of a report, as large as the server makes one."""
    return given({"by": listed(by), "since": since, "until": until, "limit": MAX_ROWS})


def given(query: Query) -> Query:
    """Without what is None."""
    return {name: value for name, value in query.items() if value is not None}


def segment(name: str) -> str:
    """A name as one part of a path, whatever stands in it."""
    return quote(name, safe="", errors="replace")


def read_csv(response: httpx.Response) -> str:
    """The report's text.

    Raises:
        UnprocessableEntityError: it was cut short, which in CSV nobody would see.
    """
    if response.headers.get(HAS_MORE_HEADER) == "true":
        raise UnprocessableEntityError(
            f"usage: more than {MAX_ROWS:,} rows, the most of one report; ask for fewer days (since, until) or "
            "dimensions (by)"
        )
    return response.text
