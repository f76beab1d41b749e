"""Tables of the working side of the pact: leads as the CRM sends them, their stages, handovers and clocks.

Rows of things that happened are never changed by another act; a lead's and a handover's row hold what follows
from them, and can be computed again (`serving.lead_work`).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Double, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from serving.db.tables import Base, UtcTime

ID_LENGTH = 200


class LeadRow(Base):
    """One lead: when it began, and where its events have led it."""

    __tablename__ = "leads"

    lead_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    stage: Mapped[str] = mapped_column(String(16))
    stage_since: Mapped[datetime | None] = mapped_column(UtcTime)
    cycle: Mapped[int]
    held_stage: Mapped[str | None] = mapped_column(String(16))
    score_id: Mapped[str | None] = mapped_column(String(32))
    scored_at: Mapped[datetime | None] = mapped_column(UtcTime)
    probability: Mapped[float | None] = mapped_column(Double)
    points: Mapped[int | None]
    persona: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    objected_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """Since when the person objects to being scored; null when they do not."""
    looked_at: Mapped[datetime | None] = mapped_column(UtcTime, index=True)
    """When it was last scored, also where the score was as before and was not stored."""


class TombstoneRow(Base):
    """What stays of an erased person: a keyed hash (`serving.lead_marks`) and when.

    `files_pending` while the files of the workspace may still hold something (`finish_erasures`).
    """

    __tablename__ = "tombstones"
    __table_args__ = (Index(None, "files_pending"),)

    mark: Mapped[str] = mapped_column(String(64), primary_key=True)
    erased_at: Mapped[datetime] = mapped_column(UtcTime)
    files_pending: Mapped[bool] = mapped_column(Boolean)


class LeadAttributeRow(Base):
    """What an attribute of a lead became at an instant, as JSON; null clears it.

    `recorded_at` is when we came to know it, null where it was known before we kept that.
    """

    __tablename__ = "lead_attributes"

    lead_id: Mapped[str] = mapped_column(ForeignKey("leads.lead_id"), primary_key=True)
    attribute: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    changed_at: Mapped[datetime] = mapped_column(UtcTime, primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime | None] = mapped_column(UtcTime)


class ActivityRow(Base):
    """Something a lead did, once per id; `recorded_at` as for an attribute."""

    __tablename__ = "activities"
    __table_args__ = (Index(None, "lead_id", "occurred_at"),)

    activity_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    lead_id: Mapped[str] = mapped_column(ForeignKey("leads.lead_id"))
    occurred_at: Mapped[datetime] = mapped_column(UtcTime)
    kind: Mapped[str] = mapped_column(String(ID_LENGTH))
    asset: Mapped[str | None] = mapped_column(Text)
    channel: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    value: Mapped[float | None] = mapped_column(Double)
    recorded_at: Mapped[datetime | None] = mapped_column(UtcTime)


class DealRow(Base):
    """A deal as it stood at `changed_at`; without an outcome it is open.

    `loss_code` was sent, `reason_group` and `reason_code` are what the loss counts as by `reason_policy`, the
    agreement when it was recorded; `recorded_at` is null for what was stored before there were codes.
    """

    __tablename__ = "deals"
    __table_args__ = (
        Index(None, "lead_id"),
        Index(None, "reason_group", "recorded_at"),
        Index(None, "outcome", "closed_at"),
    )

    deal_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    lead_id: Mapped[str] = mapped_column(ForeignKey("leads.lead_id"))
    changed_at: Mapped[datetime] = mapped_column(UtcTime)
    outcome: Mapped[str | None] = mapped_column(String(8))
    opened_at: Mapped[datetime | None] = mapped_column(UtcTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    planned_close_at: Mapped[datetime | None] = mapped_column(UtcTime)
    amount: Mapped[float | None] = mapped_column(Double)
    loss_reason: Mapped[str | None] = mapped_column(Text)
    loss_code: Mapped[str | None] = mapped_column(String(40))
    reason_group: Mapped[str | None] = mapped_column(String(16))
    reason_code: Mapped[str | None] = mapped_column(String(40))
    reason_policy: Mapped[int | None]
    recorded_at: Mapped[datetime | None] = mapped_column(UtcTime)


class StageEventRow(Base):
    """Something that concerns a lead's stage (`sla.lifecycle.LeadEvent`); `detail` is for readers."""

    __tablename__ = "stage_events"
    __table_args__ = (Index(None, "lead_id"),)

    event_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    lead_id: Mapped[str] = mapped_column(ForeignKey("leads.lead_id"))
    occurred_at: Mapped[datetime] = mapped_column(UtcTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcTime)
    kind: Mapped[str] = mapped_column(String(16))
    stage: Mapped[str | None] = mapped_column(String(16))
    basis: Mapped[str] = mapped_column(String(ID_LENGTH))
    dwell_days: Mapped[int]
    rest_days: Mapped[int]
    lifts: Mapped[bool] = mapped_column(Boolean)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


class HandoverRow(Base):
    """One passing of one lead; `next_clock_at` is when one of its clocks may raise something next."""

    __tablename__ = "handovers"
    __table_args__ = (
        UniqueConstraint("lead_id", "cycle", "entry", "direction"),
        Index(None, "status", "owner"),
        Index(None, "next_clock_at"),
        Index(None, "due_at", "handover_id"),
        Index(None, "reason_group", "created_at"),
    )

    handover_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    lead_id: Mapped[str] = mapped_column(ForeignKey("leads.lead_id"))
    cycle: Mapped[int]
    entry: Mapped[int]
    direction: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    policy_version: Mapped[int]
    persona: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    probability: Mapped[float | None] = mapped_column(Double)
    points: Mapped[int | None]
    owner: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    route: Mapped[str | None] = mapped_column(String(16))
    caused_at: Mapped[datetime] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    assigned_at: Mapped[datetime | None] = mapped_column(UtcTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ended_by: Mapped[str | None] = mapped_column(String(16))
    reason_group: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    reason_code: Mapped[str | None] = mapped_column(String(40))
    reason_policy: Mapped[int | None]
    due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    next_clock_at: Mapped[datetime | None] = mapped_column(UtcTime)


class AttemptRow(Base):
    """One try to reach a lead."""

    __tablename__ = "attempts"
    __table_args__ = (Index(None, "handover_id"),)

    attempt_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    handover_id: Mapped[str] = mapped_column(ForeignKey("handovers.handover_id"))
    occurred_at: Mapped[datetime] = mapped_column(UtcTime)
    channel: Mapped[str] = mapped_column(String(ID_LENGTH))
    result: Mapped[str] = mapped_column(String(16))
    by: Mapped[str] = mapped_column(String(ID_LENGTH))
    note: Mapped[str | None] = mapped_column(Text)


class PauseRow(Base):
    """A stretch in which the clocks of a handover do not run, and why."""

    __tablename__ = "pauses"
    __table_args__ = (Index(None, "handover_id"),)

    pause_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    handover_id: Mapped[str] = mapped_column(ForeignKey("handovers.handover_id"))
    since: Mapped[datetime] = mapped_column(UtcTime)
    until: Mapped[datetime] = mapped_column(UtcTime)
    reason: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(ID_LENGTH))


class AbsenceRow(Base):
    """A stretch in which a person in sales does not work; one of no length is none."""

    __tablename__ = "absences"
    __table_args__ = (Index(None, "person", "until"),)

    absence_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    person: Mapped[str] = mapped_column(String(ID_LENGTH))
    since: Mapped[datetime] = mapped_column(UtcTime)
    until: Mapped[datetime] = mapped_column(UtcTime)


class ClockEventRow(Base):
    """Something a clock raised, once: `at` is when it became true, `raised_at` when somebody looked."""

    __tablename__ = "clock_events"
    __table_args__ = (Index(None, "handover_id"), Index(None, "raised_at"))

    event_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    handover_id: Mapped[str] = mapped_column(ForeignKey("handovers.handover_id"))
    clock: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UtcTime)
    raised_at: Mapped[datetime] = mapped_column(UtcTime)
    policy_version: Mapped[int]
