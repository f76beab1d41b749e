"""Read one lead: what is known of it, where it stands and how it came there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from features.history.store import History
from features.words.reasons import Language
from serving.db.session import read_transaction
from serving.db.tables_leads import StageEventRow
from serving.errors import ObjectedError, UnknownLeadError
from serving.handover_views import HandoverView, handover_view
from serving.handovers import running_handover
from serving.lead_marks import UNKEYED, LeadMarks, refuse_erased
from serving.lead_work import state_of
from serving.leads import KnownLead, find_lead
from sla.lifecycle import LeadState, Step
from sla.stages import Stage, owner_of
from sla.words_work import hold_text

IDENTITY = ("lead_id", "created_at", "created_order")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One event of a lead's life; `held_because` says why it moved nothing, empty when it counted."""

    occurred_at: datetime
    kind: str
    from_stage: str
    to_stage: str
    cycle: int
    reason: str
    held_because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadView:
    """One lead as it stands; the order of the fields is the order in JSON."""

    lead_id: str
    created_at: datetime | None
    attributes: Mapping[str, object]
    stage: str
    stage_since: datetime | None
    owner: str
    cycle: int
    held_stage: str
    persona: str
    probability: float | None
    points: int | None
    scored_at: datetime | None
    objected_at: datetime | None
    handover: HandoverView | None
    timeline: tuple[StepView, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeadToScore:
    """A lead's facts for a score: with the stage it is in and since when, None where nobody knows."""

    known: KnownLead
    stage: Stage | None
    stage_since: datetime | None


def read_lead(
    database: Engine,
    history: History,
    lead_id: str,
    *,
    now: datetime,
    lang: Language,
    marks: LeadMarks = UNKEYED,
) -> LeadView:
    """Return one lead with its running handover, or raise `UnknownLeadError` or `ErasedLeadError`."""
    with read_transaction(database) as session:
        refuse_erased(session, [lead_id], marks)
        known = find_lead(session, history, lead_id)
        if known is None:
            raise UnknownLeadError(lead_id)
        return _view(session, known, now=now, lang=lang)


def read_lead_to_score(
    database: Engine, history: History, lead_id: str, *, marks: LeadMarks = UNKEYED
) -> LeadToScore:
    """Return what a score of a stored lead rests on.

    Raises `UnknownLeadError`, `ErasedLeadError`, and `ObjectedError` when the person objects to being scored.
    """
    with read_transaction(database) as session:
        refuse_erased(session, [lead_id], marks)
        known = find_lead(session, history, lead_id)
        if known is None:
            raise UnknownLeadError(lead_id)
        row = known.row
        if row is not None and row.objected_at is not None:
            raise ObjectedError(lead_id)
        return LeadToScore(
            known=known,
            stage=None if row is None else Stage(row.stage),
            stage_since=None if row is None else row.stage_since,
        )


def _view(session: Session, known: KnownLead, *, now: datetime, lang: Language) -> LeadView:
    lead, row = known.as_of(now), known.row
    state = LeadState() if row is None else state_of(session, row)
    running = None if row is None else running_handover(session, row.lead_id)
    created_at, owner = lead.get("created_at"), owner_of(state.stage)
    return LeadView(
        lead_id=str(lead["lead_id"]),
        created_at=created_at if isinstance(created_at, datetime) else None,
        attributes={name: value for name, value in lead.items() if name not in IDENTITY},
        stage=state.stage.value,
        stage_since=state.since,
        owner="" if owner is None else owner.value,
        cycle=state.cycle,
        held_stage="" if state.held is None else state.held.value,
        persona="" if row is None else row.persona or "",
        probability=None if row is None else row.probability,
        points=None if row is None else row.points,
        scored_at=None if row is None else row.scored_at,
        objected_at=None if row is None else row.objected_at,
        handover=None if running is None else handover_view(session, running, now=now, lang=lang),
        timeline=_timeline(session, str(lead["lead_id"]), state, lang),
    )


def _timeline(session: Session, lead_id: str, state: LeadState, lang: Language) -> tuple[StepView, ...]:
    rows = session.scalars(select(StageEventRow).where(StageEventRow.lead_id == lead_id))
    reasons = {row.event_id: str(row.detail.get("reason") or "") for row in rows}
    return tuple(_step(step, reasons.get(step.event.event_id, ""), lang) for step in state.steps)


def _step(step: Step, reason: str, lang: Language) -> StepView:
    return StepView(
        occurred_at=step.event.occurred_at,
        kind=step.event.kind.value,
        from_stage=step.before.value,
        to_stage=step.after.value,
        cycle=step.cycle,
        reason=reason,
        held_because="" if step.hold is None else hold_text(step.hold, lang),
    )
