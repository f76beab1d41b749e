"""Leads as the CRM sends them, their stages, handovers with attempts and pauses, and what clocks raised."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

TABLES = (
    "leads",
    "lead_attributes",
    "activities",
    "deals",
    "stage_events",
    "handovers",
    "attempts",
    "pauses",
    "absences",
    "clock_events",
)


def upgrade() -> None:
    """Create the tables, those that others refer to first."""
    _create_leads()
    _create_lead_attributes()
    _create_activities()
    _create_deals()
    _create_stage_events()
    _create_handovers()
    _create_attempts()
    _create_pauses()
    _create_absences()
    _create_clock_events()


def downgrade() -> None:
    """Drop them, dependants first."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_leads() -> None:
    op.create_table(
        "leads",
        sa.Column("lead_id", sa.String(200), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("stage_since", INSTANT, nullable=True),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("held_stage", sa.String(16), nullable=True),
        sa.Column("score_id", sa.String(32), nullable=True),
        sa.Column("scored_at", INSTANT, nullable=True),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("points", sa.Integer(), nullable=True),
        sa.Column("persona", sa.String(200), nullable=True),
        sa.PrimaryKeyConstraint("lead_id", name="pk_leads"),
    )


def _create_lead_attributes() -> None:
    op.create_table(
        "lead_attributes",
        sa.Column("lead_id", sa.String(200), nullable=False),
        sa.Column("attribute", sa.String(200), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.lead_id"], name="fk_lead_attributes_lead_id_leads"),
        sa.PrimaryKeyConstraint("lead_id", "attribute", "changed_at", name="pk_lead_attributes"),
    )


def _create_activities() -> None:
    op.create_table(
        "activities",
        sa.Column("activity_id", sa.String(200), nullable=False),
        sa.Column("lead_id", sa.String(200), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("kind", sa.String(200), nullable=False),
        sa.Column("asset", sa.Text(), nullable=True),
        sa.Column("channel", sa.String(200), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.lead_id"], name="fk_activities_lead_id_leads"),
        sa.PrimaryKeyConstraint("activity_id", name="pk_activities"),
    )
    op.create_index("ix_activities_lead_id_occurred_at", "activities", ["lead_id", "occurred_at"])


def _create_deals() -> None:
    op.create_table(
        "deals",
        sa.Column("deal_id", sa.String(200), nullable=False),
        sa.Column("lead_id", sa.String(200), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("outcome", sa.String(8), nullable=True),
        sa.Column("opened_at", INSTANT, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("planned_close_at", INSTANT, nullable=True),
        sa.Column("amount", sa.Double(), nullable=True),
        sa.Column("loss_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.lead_id"], name="fk_deals_lead_id_leads"),
        sa.PrimaryKeyConstraint("deal_id", name="pk_deals"),
    )
    op.create_index("ix_deals_lead_id", "deals", ["lead_id"])


def _create_stage_events() -> None:
    op.create_table(
        "stage_events",
        sa.Column("event_id", sa.String(100), nullable=False),
        sa.Column("lead_id", sa.String(200), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("stage", sa.String(16), nullable=True),
        sa.Column("basis", sa.String(200), nullable=False),
        sa.Column("dwell_days", sa.Integer(), nullable=False),
        sa.Column("rest_days", sa.Integer(), nullable=False),
        sa.Column("lifts", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.lead_id"], name="fk_stage_events_lead_id_leads"),
        sa.PrimaryKeyConstraint("event_id", name="pk_stage_events"),
    )
    op.create_index("ix_stage_events_lead_id", "stage_events", ["lead_id"])


def _create_handovers() -> None:
    op.create_table(
        "handovers",
        sa.Column("handover_id", sa.String(32), nullable=False),
        sa.Column("lead_id", sa.String(200), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("direction", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("persona", sa.String(200), nullable=True),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("points", sa.Integer(), nullable=True),
        sa.Column("owner", sa.String(200), nullable=True),
        sa.Column("route", sa.String(16), nullable=True),
        sa.Column("caused_at", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("assigned_at", INSTANT, nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("ended_by", sa.String(16), nullable=True),
        sa.Column("reason_group", sa.String(16), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("next_clock_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.lead_id"], name="fk_handovers_lead_id_leads"),
        sa.PrimaryKeyConstraint("handover_id", name="pk_handovers"),
        sa.UniqueConstraint(
            "lead_id", "cycle", "entry", "direction", name="uq_handovers_lead_id_cycle_entry_direction"
        ),
    )
    op.create_index("ix_handovers_due_at_handover_id", "handovers", ["due_at", "handover_id"])
    op.create_index("ix_handovers_next_clock_at", "handovers", ["next_clock_at"])
    op.create_index("ix_handovers_status_owner", "handovers", ["status", "owner"])


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("attempt_id", sa.String(200), nullable=False),
        sa.Column("handover_id", sa.String(32), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("channel", sa.String(200), nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["handover_id"], ["handovers.handover_id"], name="fk_attempts_handover_id_handovers"
        ),
        sa.PrimaryKeyConstraint("attempt_id", name="pk_attempts"),
    )
    op.create_index("ix_attempts_handover_id", "attempts", ["handover_id"])


def _create_pauses() -> None:
    op.create_table(
        "pauses",
        sa.Column("pause_id", sa.String(32), nullable=False),
        sa.Column("handover_id", sa.String(32), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(
            ["handover_id"], ["handovers.handover_id"], name="fk_pauses_handover_id_handovers"
        ),
        sa.PrimaryKeyConstraint("pause_id", name="pk_pauses"),
    )
    op.create_index("ix_pauses_handover_id", "pauses", ["handover_id"])


def _create_absences() -> None:
    op.create_table(
        "absences",
        sa.Column("absence_id", sa.String(200), nullable=False),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("absence_id", name="pk_absences"),
    )
    op.create_index("ix_absences_person_until", "absences", ["person", "until"])


def _create_clock_events() -> None:
    op.create_table(
        "clock_events",
        sa.Column("event_id", sa.String(32), nullable=False),
        sa.Column("handover_id", sa.String(32), nullable=False),
        sa.Column("clock", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("raised_at", INSTANT, nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["handover_id"], ["handovers.handover_id"], name="fk_clock_events_handover_id_handovers"
        ),
        sa.PrimaryKeyConstraint("event_id", name="pk_clock_events"),
    )
    op.create_index("ix_clock_events_handover_id", "clock_events", ["handover_id"])
    op.create_index("ix_clock_events_raised_at", "clock_events", ["raised_at"])
