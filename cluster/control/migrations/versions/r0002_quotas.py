"""Quotas, what they count, leases of them, and usage."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
LIMITS = ("requests_per_minute", "tokens_per_minute", "requests_per_day", "tokens_per_day", "budget_micros")
AMOUNTS = ("requests", "tokens", "cost_micros")


def upgrade() -> None:
    """Make them."""
    op.create_table("quotas", *subject(), *(sa.Column(name, sa.BigInteger) for name in LIMITS))
    op.create_table(
        "counters",
        *subject(),
        sa.Column("window", sa.String(10), primary_key=True),
        sa.Column("start", MOMENT, primary_key=True),
        *numbers(*AMOUNTS),
    )
    op.create_table(
        "leases",
        sa.Column("id", sa.String(32), primary_key=True),
        *subject(),
        *numbers(*AMOUNTS),
        sa.Column("taken", MOMENT, nullable=False),
        sa.Column("expires", MOMENT, nullable=False),
    )
    op.create_table(
        "usage",
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("tenant", sa.String(64), primary_key=True),
        sa.Column("model", sa.String(128), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True, index=True),
        *numbers("requests", "prompt_tokens", "completion_tokens", "cost_micros"),
    )


def downgrade() -> None:
    """Drop them with their rows."""
    for table in ("usage", "leases", "counters", "quotas"):
        op.drop_table(table)


def subject() -> tuple[sa.Column[str], sa.Column[str]]:
    """Whose limits or amounts they are."""
    return sa.Column("kind", sa.String(10), primary_key=True), sa.Column("subject", sa.String(64), primary_key=True)


def numbers(*names: str) -> list[sa.Column[int]]:
    """Amounts, of which none may be missing."""
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]
