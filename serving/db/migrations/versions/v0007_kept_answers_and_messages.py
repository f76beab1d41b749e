"""Answers kept for repeated requests; webhooks with their secrets, messages, and their deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    _create_kept_answers()
    _create_webhooks()
    _create_messages()
    _create_deliveries()


def downgrade() -> None:
    """Drop them, dependants first."""
    for table in ("deliveries", "messages", "webhook_secrets", "webhooks", "kept_answers"):
        op.drop_table(table)


def _create_kept_answers() -> None:
    op.create_table(
        "kept_answers",
        sa.Column("api_key", sa.String(8), nullable=False),
        sa.Column("idempotency_key", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("answered_at", INSTANT, nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("api_key", "idempotency_key", name="pk_kept_answers"),
    )
    op.create_index("ix_kept_answers_answered_at", "kept_answers", ["answered_at"])


def _create_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("webhook_id", sa.String(32), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("rests_until", INSTANT, nullable=True),
        sa.Column("disabled_at", INSTANT, nullable=True),
        sa.Column("disabled_because", sa.String(200), nullable=True),
        sa.PrimaryKeyConstraint("webhook_id", name="pk_webhooks"),
    )
    op.create_table(
        "webhook_secrets",
        sa.Column("secret_id", sa.String(32), nullable=False),
        sa.Column("webhook_id", sa.String(32), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.webhook_id"], name="fk_webhook_secrets_webhook_id_webhooks"
        ),
        sa.PrimaryKeyConstraint("secret_id", name="pk_webhook_secrets"),
    )
    op.create_index("ix_webhook_secrets_webhook_id", "webhook_secrets", ["webhook_id"])


def _create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("position", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("message_id", sa.String(40), nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("lead_id", sa.String(200), nullable=True),
        sa.Column("written_at", INSTANT, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_messages"),
        sa.UniqueConstraint("message_id", name="uq_messages_message_id"),
    )
    op.create_index("ix_messages_lead_id", "messages", ["lead_id"])
    op.create_index("ix_messages_written_at", "messages", ["written_at"])


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("webhook_id", sa.String(32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("queue", sa.String(200), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("lease", sa.String(32), nullable=True),
        sa.Column("leased_until", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("last_result", sa.String(200), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.webhook_id"], name="fk_deliveries_webhook_id_webhooks"
        ),
        sa.ForeignKeyConstraint(["position"], ["messages.position"], name="fk_deliveries_position_messages"),
        sa.PrimaryKeyConstraint("webhook_id", "position", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_status_next_at", "deliveries", ["status", "next_at"])
    op.create_index(
        "ix_deliveries_webhook_id_queue_status_position",
        "deliveries",
        ["webhook_id", "queue", "status", "position"],
    )
