"""The service's own tables, as SQLAlchemy maps them. A change needs a migration; a test compares them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcTime(TypeDecorator[datetime]):
    """An instant: only aware times go in, aware UTC comes out, on both databases alike."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Convert to UTC; SQLite keeps no zone, so a naive time would be a silent guess."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"a stored time must carry a zone; got {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give SQLite's zone-less UTC its zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables of the service, with constraint names that are the same on both databases."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)


class ApiKeyRow(Base):
    """One API key. Its text is shown once and kept nowhere; `secret_hash` is keyed (`serving.keys`)."""

    __tablename__ = "api_keys"

    prefix: Mapped[str] = mapped_column(String(8), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    secret_hash: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcTime)
    person: Mapped[str | None] = mapped_column(String(200))
    """The person a key with a policy scope acts for."""


class AuditRow(Base):
    """One entry of the audit log (`serving.audit`); triggers refuse to change or delete one.

    Everything is text as it was hashed, the instant too: a stored time would come back in another form.
    """

    __tablename__ = "audit_log"
    __table_args__ = (UniqueConstraint("previous_hash"), UniqueConstraint("entry_hash"))

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(40))
    who: Mapped[str] = mapped_column(String(300))
    act: Mapped[str] = mapped_column(String(64))
    what: Mapped[str] = mapped_column(String(300))
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    previous_hash: Mapped[str] = mapped_column(String(64))
    entry_hash: Mapped[str] = mapped_column(String(64))


class AuditHeadRow(Base):
    """The end of the chain, in one row: every writer locks it first."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
    entry_hash: Mapped[str] = mapped_column(String(64))


class PolicyRow(Base):
    """One version of the agreement, as the text both sides read, and where it stands in its life.

    `state` is a `sla.policy_life.State` that acts lead to; what only time does (expired, active, superseded)
    is computed. `valid_from` is null for "from the second signature", `effective_at` null until both have
    signed: it is the later of that instant and `valid_from`.
    """

    __tablename__ = "policies"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(200))
    content: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(String(64))
    valid_from: Mapped[datetime | None] = mapped_column(UtcTime)
    state: Mapped[str] = mapped_column(String(16))
    side: Mapped[str | None] = mapped_column(String(16))
    drafted_by: Mapped[str] = mapped_column(String(200))
    drafted_at: Mapped[datetime] = mapped_column(UtcTime)
    proposed_by: Mapped[str | None] = mapped_column(String(200))
    proposed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    effective_at: Mapped[datetime | None] = mapped_column(UtcTime)


class PolicyPersonRow(Base):
    """The side a person acts for in one version, bound by the first act: no role change moves it."""

    __tablename__ = "policy_people"
    __table_args__ = (CheckConstraint("side IN ('marketing', 'sales')", name="side"),)

    version: Mapped[int] = mapped_column(ForeignKey("policies.version"), primary_key=True)
    person_key: Mapped[str] = mapped_column(String(200), primary_key=True)
    side: Mapped[str] = mapped_column(String(16))


class PolicyEventRow(Base):
    """One act in the life of a version, for people: `note` is the comment or the reason.

    `content_hash` names the text the act was about.
    """

    __tablename__ = "policy_events"
    __table_args__ = (Index(None, "version"),)

    event_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    version: Mapped[int] = mapped_column(ForeignKey("policies.version"))
    act: Mapped[str] = mapped_column(String(16))
    side: Mapped[str | None] = mapped_column(String(16))
    person: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcTime)
    content_hash: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text)


class PolicySignatureRow(Base):
    """One side's signature under one version.

    The constraints keep both rules of the pact, races included: one signature per side, and nobody signs
    for both (`person_key` is the name without case and spacing).
    """

    __tablename__ = "policy_signatures"
    __table_args__ = (
        CheckConstraint("side IN ('marketing', 'sales')", name="side"),
        UniqueConstraint("version", "person_key"),
    )

    version: Mapped[int] = mapped_column(ForeignKey("policies.version"), primary_key=True)
    side: Mapped[str] = mapped_column(String(16), primary_key=True)
    person: Mapped[str] = mapped_column(String(200))
    person_key: Mapped[str] = mapped_column(String(200))
    signed_at: Mapped[datetime] = mapped_column(UtcTime)
    policy_hash: Mapped[str] = mapped_column(String(64))


class ScoreRow(Base):
    """One score of a known lead, with everything needed to compute it again: feature row, model, policy."""

    __tablename__ = "scores"
    __table_args__ = (Index(None, "lead_id", "as_of"),)

    score_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    lead_id: Mapped[str] = mapped_column(String(200))
    as_of: Mapped[datetime] = mapped_column(UtcTime)
    scored_at: Mapped[datetime] = mapped_column(UtcTime)
    probability: Mapped[float] = mapped_column(Double)
    probability_low: Mapped[float] = mapped_column(Double)
    probability_high: Mapped[float] = mapped_column(Double)
    points: Mapped[int]
    stage: Mapped[str] = mapped_column(String(16))
    rule: Mapped[str] = mapped_column(String(64))
    model_version: Mapped[str] = mapped_column(String(64))
    model_hash: Mapped[str] = mapped_column(String(64))
    policy_version: Mapped[str] = mapped_column(String(64))
    policy_hash: Mapped[str] = mapped_column(String(64))
    feature_set_hash: Mapped[str] = mapped_column(String(64))
    feature_row: Mapped[list[Any]] = mapped_column(JSON)
    decided_from: Mapped[str | None] = mapped_column(Text)
    """What the policy looked at beside the probability (`serving.decided_from`); null in scores of old."""
