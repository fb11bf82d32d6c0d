"""Circuit breakers that are held by hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "breaker_holds",
        sa.Column("name", sa.String(63), primary_key=True),
        sa.Column("version", sa.String(63), primary_key=True),
        sa.Column("state", sa.String(10), nullable=False),
    )


def downgrade() -> None:
    """Drop it with its rows: every breaker decides by itself again."""
    op.drop_table("breaker_holds")
