"""How long each durable run was held, so that its time is bounded over all who hold it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; runs that are under way begin to count now."""
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("seen", sa.DateTime(timezone=True)))
        runs.add_column(sa.Column("spent_s", sa.Float, nullable=False, server_default=sa.text("0")))


def downgrade() -> None:
    """Drop them: each claim gives a run its whole time again."""
    with op.batch_alter_table("runs") as runs:
        runs.drop_column("spent_s")
        runs.drop_column("seen")
