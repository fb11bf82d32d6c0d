"""Tenants, keys, users, the epoch of their changes, and the audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
REFUSED = "the audit is append-only"


def upgrade() -> None:
    """Make them; the epoch begins at 0."""
    op.create_table(
        "tenants",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("created", MOMENT, nullable=False),
    )
    op.create_table(
        "keys",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("prefix", sa.String(8), nullable=False, unique=True),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("tenant", sa.String(64), sa.ForeignKey("tenants.name"), nullable=False, index=True),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("models", sa.JSON),
        sa.Column("created", MOMENT, nullable=False, index=True),
        sa.Column("expires", MOMENT),
        sa.Column("revoked", MOMENT),
    )
    op.create_table(
        "users",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("password_hash", sa.String(256), nullable=False),
        sa.Column("tenant", sa.String(64), sa.ForeignKey("tenants.name"), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("models", sa.JSON),
        sa.Column("created", MOMENT, nullable=False),
    )
    epoch = op.create_table(
        "epoch",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(epoch, [{"id": 1, "number": 0}])
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("action", sa.String(100), nullable=False),
        sa.Column("object", sa.String(200), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("address", sa.String(100), nullable=False),
    )
    guard_audit()


def downgrade() -> None:
    """Drop them with their rows."""
    op.drop_table("audit")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_audit_change()")
    for table in ("epoch", "users", "keys", "tenants"):
        op.drop_table(table)


def guard_audit() -> None:
    """Triggers that refuse to change, delete or replace an entry."""
    if op.get_bind().dialect.name == "postgresql":
        guard_on_postgresql()
    else:
        guard_on_sqlite()


def guard_on_postgresql() -> None:
    """One function; TRUNCATE fires no trigger for rows, so it has one for the statement."""
    op.execute(
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for change in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER audit_no_{change} BEFORE {change.upper()} ON audit "
            "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()"
        )
    op.execute(
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
    )


def guard_on_sqlite() -> None:
    """REPLACE deletes without firing the trigger for that, so an insert of a known id is refused too."""
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    for change in ("update", "delete"):
        op.execute(f"CREATE TRIGGER audit_no_{change} BEFORE {change.upper()} ON audit {refuse}")
    op.execute(
        "CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit "
        f"WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) {refuse}"
    )
