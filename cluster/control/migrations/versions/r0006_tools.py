"""Grants, registered tools, the calls of tools, and durable runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
REFUSED = "the calls of tools are append-only"
KEPT = 1_000_000  # of the newest calls none can be deleted; at some 500 bytes each they take half a gigabyte


def upgrade() -> None:
    """Make the tables, and the triggers that guard the calls."""
    make_grants()
    make_tools()
    make_runs()
    guard_calls()


def downgrade() -> None:
    """Drop them with their rows: no grant that was made at run time is left, and no run goes on."""
    for table in ("run_events", "run_steps", "runs", "tool_calls", "tools", "grants"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_tool_call_change()")


def make_grants() -> None:
    """The grants."""
    op.create_table(
        "grants",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False, index=True),
        sa.Column("tool", sa.String(65), nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("calls_per_minute", sa.BigInteger),
        sa.Column("needs_approval", sa.Boolean, nullable=False),
        sa.Column("created", MOMENT, nullable=False, index=True),
    )


def make_tools() -> None:
    """The registered tools, and the calls of all."""
    op.create_table(
        "tools",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
    )
    op.create_table(
        "tool_calls",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("entry", sa.String(32), nullable=False, unique=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("caller", sa.String(200), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("tool", sa.String(64), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("preview", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(30), nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
    )


def make_runs() -> None:
    """Runs, their steps and their events, which go with them."""
    op.create_table(
        "runs",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("status", sa.String(10), nullable=False, index=True),
        sa.Column("approved", sa.Text, nullable=False),
        sa.Column("is_cancelled", sa.Boolean, nullable=False),
        sa.Column("worker", sa.String(100)),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("leased_until", MOMENT),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("finished", MOMENT, index=True),
    )
    op.create_index("ix_runs_tenant_created", "runs", ["tenant", "created"])
    op.create_table(
        "run_steps",
        sa.Column("run", sa.String(36), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
    )
    op.create_table(
        "run_events",
        sa.Column("run", sa.String(36), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("event", sa.Text, nullable=False),
    )


def guard_calls() -> None:
    """Triggers that refuse to change or replace a call, and to delete one of the newest."""
    if op.get_bind().dialect.name == "postgresql":
        guard_on_postgresql()
    else:
        guard_on_sqlite()


def guard_on_postgresql() -> None:
    """One function for rows and for the whole table, which has none to compare."""
    op.execute(
        "CREATE FUNCTION refuse_tool_call_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'DELETE' AND OLD.id <= (SELECT max(id) FROM tool_calls) - {KEPT} THEN RETURN OLD; END IF; "
        f"RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for change in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER tool_calls_no_{change} BEFORE {change.upper()} ON tool_calls "
            "FOR EACH ROW EXECUTE FUNCTION refuse_tool_call_change()"
        )
    op.execute(
        "CREATE TRIGGER tool_calls_no_truncate BEFORE TRUNCATE ON tool_calls "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_tool_call_change()"
    )


def guard_on_sqlite() -> None:
    """REPLACE deletes without firing the trigger for that, so an insert of a known call is refused too."""
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    op.execute(f"CREATE TRIGGER tool_calls_no_update BEFORE UPDATE ON tool_calls {refuse}")
    op.execute(
        "CREATE TRIGGER tool_calls_no_delete BEFORE DELETE ON tool_calls "
        f"WHEN OLD.id > (SELECT max(id) FROM tool_calls) - {KEPT} {refuse}"
    )
    op.execute(
        "CREATE TRIGGER tool_calls_no_replace BEFORE INSERT ON tool_calls "
        f"WHEN EXISTS (SELECT 1 FROM tool_calls WHERE id = NEW.id OR entry = NEW.entry) {refuse}"
    )
