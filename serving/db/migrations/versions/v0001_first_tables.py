"""API keys, policies with their signatures, and scores of known leads."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the first tables."""
    _create_api_keys()
    _create_policies()
    _create_policy_signatures()
    _create_scores()


def downgrade() -> None:
    """Drop them, dependants first."""
    for table in ("scores", "policy_signatures", "policies", "api_keys"):
        op.drop_table(table)


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("prefix", sa.String(8), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("prefix", name="pk_api_keys"),
    )


def _create_policies() -> None:
    op.create_table(
        "policies",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_by", sa.String(200), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_policies"),
    )


def _create_policy_signatures() -> None:
    op.create_table(
        "policy_signatures",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(16), nullable=False),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("person_key", sa.String(200), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy_hash", sa.String(64), nullable=False),
        sa.CheckConstraint("side IN ('marketing', 'sales')", name="side"),
        sa.ForeignKeyConstraint(
            ["version"], ["policies.version"], name="fk_policy_signatures_version_policies"
        ),
        sa.PrimaryKeyConstraint("version", "side", name="pk_policy_signatures"),
        sa.UniqueConstraint("version", "person_key", name="uq_policy_signatures_version_person_key"),
    )


def _create_scores() -> None:
    op.create_table(
        "scores",
        sa.Column("score_id", sa.String(32), nullable=False),
        sa.Column("lead_id", sa.String(200), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("probability_low", sa.Double(), nullable=False),
        sa.Column("probability_high", sa.Double(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("model_version", sa.String(64), nullable=False),
        sa.Column("model_hash", sa.String(64), nullable=False),
        sa.Column("policy_version", sa.String(64), nullable=False),
        sa.Column("policy_hash", sa.String(64), nullable=False),
        sa.Column("feature_set_hash", sa.String(64), nullable=False),
        sa.Column("feature_row", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("score_id", name="pk_scores"),
    )
    op.create_index("ix_scores_lead_id_as_of", "scores", ["lead_id", "as_of"])
