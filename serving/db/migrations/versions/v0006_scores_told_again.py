"""What a score needs to be decided again and its changes to be told; when a lead was last looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
RECORDED = ("activities", "lead_attributes")


def upgrade() -> None:
    """Add columns that stay empty for what was stored before."""
    op.add_column("scores", sa.Column("decided_from", sa.Text(), nullable=True))
    for table in RECORDED:
        op.add_column(table, sa.Column("recorded_at", INSTANT, nullable=True))
    op.add_column("leads", sa.Column("looked_at", INSTANT, nullable=True))
    op.create_index("ix_leads_looked_at", "leads", ["looked_at"])


def downgrade() -> None:
    """Take them away again; SQLite can drop a column without making its table anew."""
    op.drop_index("ix_leads_looked_at", "leads")
    op.drop_column("leads", "looked_at")
    for table in RECORDED:
        op.drop_column(table, "recorded_at")
    op.drop_column("scores", "decided_from")
