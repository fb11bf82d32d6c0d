"""The tables. `migrations` makes them; a test compares the two."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar, Literal

from sqlalchemy import JSON, BigInteger, Date, DateTime, ForeignKey, Integer, LargeBinary, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from autoglm.contract.quota import QuotaKind

HeldState = Literal["open", "closed"]
Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows itself only for this type


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC, with its zone in Python; SQLite stores it without."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Raises ValueError for a time without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone; give datetime(..., tzinfo=UTC)")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The stored moment with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The base of all tables."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcTime,
        int: BigInteger,
        date: Date,
        dict[str, Any]: JSON,
        list[str]: JSON,
    }


class Tenant(Base):
    """Who pays; made with its first key or user."""

    __tablename__ = "tenants"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    created: Mapped[datetime]


class Key(Base):
    """An API key. `hash` is its secret's SHA-256, 32 bytes; the secret itself is nowhere."""

    __tablename__ = "keys"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    prefix: Mapped[str] = mapped_column(String(8), unique=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    name: Mapped[str] = mapped_column(String(100))
    tenant: Mapped[str] = mapped_column(ForeignKey("tenants.name"), index=True)
    scopes: Mapped[list[str]]
    models: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    created: Mapped[datetime] = mapped_column(index=True)
    expires: Mapped[datetime | None]
    revoked: Mapped[datetime | None]


class User(Base):
    """A user of HTTP Basic; `password_hash` is argon2's, with salt and cost."""

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    password_hash: Mapped[str] = mapped_column(String(256))
    tenant: Mapped[str] = mapped_column(ForeignKey("tenants.name"))
    scopes: Mapped[list[str]]
    models: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    created: Mapped[datetime]


class Epoch(Base):
    """One row: how many changes there have been of what the routers are told."""

    __tablename__ = "epoch"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int]


class Audit(Base):
    """Administrative actions; triggers refuse to change or delete one."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(100))
    object: Mapped[str] = mapped_column(String(200))
    detail: Mapped[dict[str, Any]]
    address: Mapped[str] = mapped_column(String(100))


class Quota(Base):
    """The limits of a key or a tenant; null is none. Millionths of the currency, as floats would drift."""

    __tablename__ = "quotas"

    kind: Mapped[QuotaKind] = mapped_column(String(10), primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    requests_per_minute: Mapped[int | None]
    tokens_per_minute: Mapped[int | None]
    requests_per_day: Mapped[int | None]
    tokens_per_day: Mapped[int | None]
    budget_micros: Mapped[int | None]


class Counter(Base):
    """What a subject used and has reserved in one window."""

    __tablename__ = "counters"

    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    window: Mapped[str] = mapped_column(String(10), primary_key=True)
    start: Mapped[datetime] = mapped_column(primary_key=True)
    requests: Mapped[int]
    tokens: Mapped[int]
    cost_micros: Mapped[int]


class LeaseRow(Base):
    """What a lease has reserved of one subject, until it is settled or expires."""

    __tablename__ = "leases"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    requests: Mapped[int]
    tokens: Mapped[int]
    cost_micros: Mapped[int]
    taken: Mapped[datetime]
    expires: Mapped[datetime]


class ReportRow(Base):
    """A router replica's report that was booked, so that it is booked once."""

    __tablename__ = "reports"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


class Usage(Base):
    """What a key used of a model on one day."""

    __tablename__ = "usage"

    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(String(128), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True, index=True)
    requests: Mapped[int]
    prompt_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    cost_micros: Mapped[int]


class Registration(Base):
    """A version of a model or task that was registered on the running cluster, as AutoTask.deploy does."""

    __tablename__ = "registrations"

    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    version: Mapped[str] = mapped_column(String(63), primary_key=True)
    declaration: Mapped[dict[str, Any]]
    source: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime]


class HoldRow(Base):
    """A version's circuit breaker that is held open or closed by hand; what is automatic has no row."""

    __tablename__ = "breaker_holds"

    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    version: Mapped[str] = mapped_column(String(63), primary_key=True)
    state: Mapped[HeldState] = mapped_column(String(10))
