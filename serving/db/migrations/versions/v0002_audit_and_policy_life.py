"""The audit log, the life of a policy (state, people, events), and the person an API key acts for."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

GENESIS = "0" * 64
SIDE_RULE = "side IN ('marketing', 'sales')"
NOT_TO_CHANGE = "the audit log is append-only"

INSTANT = sa.DateTime(timezone=True)
POLICIES = sa.table(
    "policies",
    sa.column("version", sa.Integer),
    sa.column("content_hash", sa.String),
    sa.column("valid_from", INSTANT),
    sa.column("proposed_by", sa.String),
    sa.column("proposed_at", INSTANT),
    sa.column("drafted_by", sa.String),
    sa.column("drafted_at", INSTANT),
    sa.column("state", sa.String),
    sa.column("effective_at", INSTANT),
)
SIGNATURES = sa.table(
    "policy_signatures",
    sa.column("version", sa.Integer),
    sa.column("side", sa.String),
    sa.column("person", sa.String),
    sa.column("person_key", sa.String),
    sa.column("signed_at", INSTANT),
    sa.column("policy_hash", sa.String),
)
PEOPLE = sa.table(
    "policy_people",
    sa.column("version", sa.Integer),
    sa.column("person_key", sa.String),
    sa.column("side", sa.String),
)
EVENTS = sa.table(
    "policy_events",
    sa.column("version", sa.Integer),
    sa.column("act", sa.String),
    sa.column("side", sa.String),
    sa.column("person", sa.String),
    sa.column("at", INSTANT),
    sa.column("content_hash", sa.String),
    sa.column("note", sa.Text),
)


def upgrade() -> None:
    """Create the new tables and give every policy its state, its people and its history."""
    _create_audit()
    op.add_column("api_keys", sa.Column("person", sa.String(200), nullable=True))
    signatures = _take_signatures()
    _extend_policies()
    _create_signatures()
    _create_people()
    _create_events()
    _fill(signatures)


def downgrade() -> None:
    """Go back to policies that are proposed and signed only; drafts and the history are lost."""
    op.drop_table("policy_events")
    op.drop_table("policy_people")
    signatures = _take_signatures()
    op.execute("DELETE FROM policies WHERE proposed_at IS NULL")
    op.execute("UPDATE policies SET valid_from = COALESCE(valid_from, proposed_at)")
    with op.batch_alter_table("policies") as policies:
        for name in ("state", "side", "drafted_by", "drafted_at", "expires_at", "effective_at"):
            policies.drop_column(name)
        policies.alter_column("valid_from", existing_type=INSTANT, nullable=False)
        policies.alter_column("proposed_by", existing_type=sa.String(200), nullable=False)
        policies.alter_column("proposed_at", existing_type=INSTANT, nullable=False)
    _create_signatures()
    if signatures:
        op.bulk_insert(SIGNATURES, signatures)
    with op.batch_alter_table("api_keys") as keys:
        keys.drop_column("person")
    op.drop_table("audit_head")
    op.drop_table("audit_log")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_log_is_append_only()")


def _create_audit() -> None:
    op.create_table(
        "audit_log",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("who", sa.String(300), nullable=False),
        sa.Column("act", sa.String(64), nullable=False),
        sa.Column("what", sa.String(300), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("entry_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_log"),
        sa.UniqueConstraint("previous_hash", name="uq_audit_log_previous_hash"),
        sa.UniqueConstraint("entry_hash", name="uq_audit_log_entry_hash"),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("entry_hash", sa.String(64), nullable=False),
        sa.CheckConstraint("id = 1", name="only_one"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.bulk_insert(head, [{"id": 1, "number": 0, "entry_hash": GENESIS}])
    _forbid_changes()


def _forbid_changes() -> None:
    """Let the database itself refuse to change or delete an entry."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER audit_log_no_{verb} BEFORE {verb.upper()} ON audit_log "
                f"BEGIN SELECT RAISE(ABORT, '{NOT_TO_CHANGE}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{NOT_TO_CHANGE}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only()"
    )


def _take_signatures() -> list[dict[str, Any]]:
    """Take the signatures out: SQLite rebuilds `policies`, and must not while another table points at it."""
    rows = op.get_bind().execute(sa.select(SIGNATURES)).mappings()
    signatures = [dict(row) for row in rows]
    op.drop_table("policy_signatures")
    return signatures


def _extend_policies() -> None:
    with op.batch_alter_table("policies") as policies:
        policies.add_column(sa.Column("state", sa.String(16), nullable=True))
        policies.add_column(sa.Column("side", sa.String(16), nullable=True))
        policies.add_column(sa.Column("drafted_by", sa.String(200), nullable=True))
        policies.add_column(sa.Column("drafted_at", INSTANT, nullable=True))
        policies.add_column(sa.Column("expires_at", INSTANT, nullable=True))
        policies.add_column(sa.Column("effective_at", INSTANT, nullable=True))
        policies.alter_column("valid_from", existing_type=INSTANT, nullable=True)
        policies.alter_column("proposed_by", existing_type=sa.String(200), nullable=True)
        policies.alter_column("proposed_at", existing_type=INSTANT, nullable=True)
    op.execute("UPDATE policies SET state = 'proposed', drafted_by = proposed_by, drafted_at = proposed_at")
    with op.batch_alter_table("policies") as policies:
        policies.alter_column("state", existing_type=sa.String(16), nullable=False)
        policies.alter_column("drafted_by", existing_type=sa.String(200), nullable=False)
        policies.alter_column("drafted_at", existing_type=INSTANT, nullable=False)


def _create_signatures() -> None:
    op.create_table(
        "policy_signatures",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(16), nullable=False),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("person_key", sa.String(200), nullable=False),
        sa.Column("signed_at", INSTANT, nullable=False),
        sa.Column("policy_hash", sa.String(64), nullable=False),
        sa.CheckConstraint(SIDE_RULE, name="side"),
        sa.ForeignKeyConstraint(
            ["version"], ["policies.version"], name="fk_policy_signatures_version_policies"
        ),
        sa.PrimaryKeyConstraint("version", "side", name="pk_policy_signatures"),
        sa.UniqueConstraint("version", "person_key", name="uq_policy_signatures_version_person_key"),
    )


def _create_people() -> None:
    op.create_table(
        "policy_people",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("person_key", sa.String(200), nullable=False),
        sa.Column("side", sa.String(16), nullable=False),
        sa.CheckConstraint(SIDE_RULE, name="side"),
        sa.ForeignKeyConstraint(["version"], ["policies.version"], name="fk_policy_people_version_policies"),
        sa.PrimaryKeyConstraint("version", "person_key", name="pk_policy_people"),
    )


def _create_events() -> None:
    op.create_table(
        "policy_events",
        sa.Column("event_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(16), nullable=False),
        sa.Column("side", sa.String(16), nullable=True),
        sa.Column("person", sa.String(200), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["version"], ["policies.version"], name="fk_policy_events_version_policies"),
        sa.PrimaryKeyConstraint("event_id", name="pk_policy_events"),
    )
    op.create_index("ix_policy_events_version", "policy_events", ["version"])


def _fill(signatures: list[dict[str, Any]]) -> None:
    """Give the policies of before what the new tables need: people, events, state."""
    bind = op.get_bind()
    policies = [dict(row) for row in bind.execute(sa.select(POLICIES)).mappings()]
    if signatures:
        op.bulk_insert(SIGNATURES, signatures)
        keys = ("version", "person_key", "side")
        op.bulk_insert(PEOPLE, [{key: one[key] for key in keys} for one in signatures])
    events = [_proposal(policy) for policy in policies] + [_signing(one) for one in signatures]
    if events:
        op.bulk_insert(EVENTS, sorted(events, key=lambda one: one["at"]))
    for policy in policies:
        _set_state(policy, [one for one in signatures if one["version"] == policy["version"]])


def _proposal(policy: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": policy["version"],
        "act": "propose",
        "side": None,
        "person": policy["proposed_by"],
        "at": policy["proposed_at"],
        "content_hash": policy["content_hash"],
        "note": "",
    }


def _signing(signature: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": signature["version"],
        "act": "sign",
        "side": signature["side"],
        "person": signature["person"],
        "at": signature["signed_at"],
        "content_hash": signature["policy_hash"],
        "note": "",
    }


def _set_state(policy: dict[str, Any], signatures: list[dict[str, Any]]) -> None:
    state = ("proposed", "signed", "agreed")[len(signatures)]
    effective: datetime | None = None
    if state == "agreed":
        effective = max([policy["valid_from"], *(one["signed_at"] for one in signatures)])
    op.get_bind().execute(
        sa.update(POLICIES)
        .where(POLICIES.c.version == policy["version"])
        .values(state=state, effective_at=effective)
    )
