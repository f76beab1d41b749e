"""What stays of erased persons, and who objects to being scored."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tombstones; nobody objects yet."""
    op.create_table(
        "tombstones",
        sa.Column("mark", sa.String(64), nullable=False),
        sa.Column("erased_at", INSTANT, nullable=False),
        sa.Column("files_pending", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("mark", name="pk_tombstones"),
    )
    op.create_index("ix_tombstones_files_pending", "tombstones", ["files_pending"])
    op.add_column("leads", sa.Column("objected_at", INSTANT, nullable=True))


def downgrade() -> None:
    """Forget both: erased persons may come back then."""
    with op.batch_alter_table("leads") as leads:
        leads.drop_column("objected_at")
    op.drop_table("tombstones")
