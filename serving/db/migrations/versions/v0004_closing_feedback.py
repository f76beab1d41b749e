"""Codes of the reasons with which handovers and deals end; answers, disputes, notes, missed answers.

What ended before has no code: it is counted as not mapped until a policy maps its text. Nobody was asked
about it, so nothing of it is due.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
CODE, GROUP, PERSON, ID, SUBJECT = (
    sa.String(40),
    sa.String(16),
    sa.String(200),
    sa.String(200),
    sa.String(220),
)

COLUMNS = (
    ("handovers", "reason_code", CODE),
    ("handovers", "reason_policy", sa.Integer()),
    ("deals", "loss_code", CODE),
    ("deals", "reason_group", GROUP),
    ("deals", "reason_code", CODE),
    ("deals", "reason_policy", sa.Integer()),
    ("deals", "recorded_at", INSTANT),
)
INDEXES = (
    ("handovers", ("reason_group", "created_at")),
    ("deals", ("reason_group", "recorded_at")),
    ("deals", ("outcome", "closed_at")),
)
TABLES = ("feedback_answers", "disputes", "notes", "missed_answers")


def upgrade() -> None:
    """Add the columns, then the tables."""
    for table, name, kind in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    for table, columns in INDEXES:
        op.create_index(_index(table, columns), table, list(columns))
    _create_feedback_answers()
    _create_disputes()
    _create_notes()
    _create_missed_answers()


def downgrade() -> None:
    """Drop the tables, then the columns."""
    for table in reversed(TABLES):
        op.drop_table(table)
    for table, columns in reversed(INDEXES):
        op.drop_index(_index(table, columns), table)
    for table, name, _kind in reversed(COLUMNS):
        op.drop_column(table, name)


def _index(table: str, columns: tuple[str, ...]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"


def _create_feedback_answers() -> None:
    op.create_table(
        "feedback_answers",
        sa.Column("answer_id", sa.String(32), nullable=False),
        sa.Column("reason_group", GROUP, nullable=False),
        sa.Column("question_id", SUBJECT, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("answered_at", INSTANT, nullable=False),
        sa.Column("by", PERSON, nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("answer_id", name="pk_feedback_answers"),
    )
    columns = ("reason_group", "answered_at")
    op.create_index(_index("feedback_answers", columns), "feedback_answers", list(columns))


def _create_disputes() -> None:
    op.create_table(
        "disputes",
        sa.Column("dispute_id", ID, nullable=False),
        sa.Column("lead_id", ID, nullable=False),
        sa.Column("score_id", sa.String(32), nullable=True),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", PERSON, nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=True),
        sa.Column("side", sa.String(16), nullable=True),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("answered_by", PERSON, nullable=True),
        sa.Column("verdict", sa.String(16), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.lead_id"], name="fk_disputes_lead_id_leads"),
        sa.PrimaryKeyConstraint("dispute_id", name="pk_disputes"),
    )
    for columns in (("lead_id",), ("recorded_at", "dispute_id")):
        op.create_index(_index("disputes", columns), "disputes", list(columns))


def _create_notes() -> None:
    op.create_table(
        "notes",
        sa.Column("note_id", ID, nullable=False),
        sa.Column("lead_id", ID, nullable=False),
        sa.Column("attempt_id", ID, nullable=True),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("by", PERSON, nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("persona", PERSON, nullable=True),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("objection", CODE, nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.lead_id"], name="fk_notes_lead_id_leads"),
        sa.PrimaryKeyConstraint("note_id", name="pk_notes"),
    )
    for columns in (("lead_id",), ("occurred_at",)):
        op.create_index(_index("notes", columns), "notes", list(columns))


def _create_missed_answers() -> None:
    op.create_table(
        "missed_answers",
        sa.Column("event_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject_id", SUBJECT, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("raised_at", INSTANT, nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("event_id", name="pk_missed_answers"),
    )
    op.create_index("ix_missed_answers_raised_at", "missed_answers", ["raised_at"])
