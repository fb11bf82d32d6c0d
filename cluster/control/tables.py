"""The tables. `migrations` makes them; a test compares the two."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any, ClassVar, Literal

from sqlalchemy import JSON, BigInteger, Date, DateTime, Float, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from autoglm.contract.grant import GrantKind
from autoglm.contract.quota import QuotaKind
from autoglm.contract.task_run import RunStatus

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


class Document(TypeDecorator[Any]):
    """JSON as ASCII text: PostgreSQL's own types refuse NUL, lone surrogates or NaN, which results may hold."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """None is null."""
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """The JSON."""
        return None if value is None else json.loads(value)


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


class GrantRow(Base):
    """A grant; `subject` is a key's id or a tenant's name, and may be one that is not there yet."""

    __tablename__ = "grants"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[GrantKind] = mapped_column(String(10))
    subject: Mapped[str] = mapped_column(String(64), index=True)
    tool: Mapped[str] = mapped_column(String(65))
    arguments: Mapped[Any] = mapped_column(Document)
    calls_per_minute: Mapped[int | None]
    needs_approval: Mapped[bool]
    created: Mapped[datetime] = mapped_column(index=True)


class ToolRow(Base):
    """An entry of tools that was registered on the running cluster, in the form of the file's `tools:`."""

    __tablename__ = "tools"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    entry: Mapped[Any] = mapped_column(Document)
    created: Mapped[datetime]


class ToolCallRow(Base):
    """A call of a tool, made or refused; triggers refuse to change one, and to delete one of the newest million."""

    __tablename__ = "tool_calls"

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    entry: Mapped[str] = mapped_column(String(32), unique=True)  # as its replica calls it, so that it is kept once
    at: Mapped[datetime]
    caller: Mapped[str] = mapped_column(String(200))
    tenant: Mapped[str] = mapped_column(String(64))
    tool: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(255))
    digest: Mapped[str] = mapped_column(String(64))
    preview: Mapped[Any] = mapped_column(Document)
    outcome: Mapped[str] = mapped_column(String(30))
    seconds: Mapped[float] = mapped_column(Float)


class RunRow(Base):
    """A durable run. `run` is what is told of it, without its steps.

    `spent_s` is how long workers have held it; `seen` is when the one that has it gave its last sign.
    """

    __tablename__ = "runs"
    __table_args__ = (Index("ix_runs_tenant_created", "tenant", "created"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(64))
    caller: Mapped[Any] = mapped_column(Document)
    request: Mapped[Any] = mapped_column(Document)
    run: Mapped[Any] = mapped_column(Document)
    status: Mapped[RunStatus] = mapped_column(String(10), index=True)
    approved: Mapped[Any] = mapped_column(Document)
    is_cancelled: Mapped[bool]
    worker: Mapped[str | None] = mapped_column(String(100))
    fence: Mapped[int]
    leased_until: Mapped[datetime | None]
    seen: Mapped[datetime | None]
    spent_s: Mapped[float] = mapped_column(Float)
    created: Mapped[datetime]
    finished: Mapped[datetime | None] = mapped_column(index=True)


class RunStepRow(Base):
    """A step of a run, with its whole result until the run has ended; `size` is its JSON's, in bytes."""

    __tablename__ = "run_steps"

    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    position: Mapped[int]
    size: Mapped[int]
    step: Mapped[Any] = mapped_column(Document)


class RunEventRow(Base):
    """An event of a run."""

    __tablename__ = "run_events"

    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event: Mapped[Any] = mapped_column(Document)
