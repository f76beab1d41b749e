"""Leads whose stage a new model or policy would lower: the report, and the release by a person.

Nobody sinks because the measure changed. Until somebody has seen whom it concerns and releases the change,
such a lead stays where it is; a score under the new versions that confirms the stage ends the wait as well.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from serving.db.audited import audited_transaction
from serving.db.session import read_transaction
from serving.db.tables_leads import LeadRow
from serving.lead_events import event_id
from serving.lead_work import add_event, settle, state_of
from sla.lifecycle import EventKind, Hold, LeadEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLead:
    """One lead that waits: its stage, the lower one, and the versions (model/policy) of both."""

    lead_id: str
    stage: str
    held_stage: str
    basis: str
    held_basis: str
    points: int | None


def list_held_leads(database: Engine) -> tuple[HeldLead, ...]:
    """Return every lead that waits for a release, by id."""
    with read_transaction(database) as session:
        return tuple(_held(session, lead) for lead in _rows(session))


def release_held_leads(database: Engine, *, by: str, now: datetime) -> int:
    """Let every waiting lead take its lower stage unless a seller works on it; return how many there were."""
    with audited_transaction(database, now=now) as work:
        rows = _rows(work.session)
        for lead in rows:
            held = _held(work.session, lead)
            name = f"{lead.lead_id[:40]}-{now.isoformat()}"
            event = LeadEvent(
                event_id=event_id(EventKind.RELEASED, name),
                occurred_at=now,
                kind=EventKind.RELEASED,
                basis=held.held_basis,
            )
            add_event(work.session, lead.lead_id, event, {"by": by}, now=now)
            settle(work.session, lead, now=now, caused_at=now)
        if rows:
            work.note("stages.released", who=by, what=f"{len(rows)} leads", after={"leads": len(rows)})
        return len(rows)


def _rows(session: Session) -> list[LeadRow]:
    query = select(LeadRow).where(LeadRow.held_stage.is_not(None)).order_by(LeadRow.lead_id)
    return list(session.scalars(query))


def _held(session: Session, lead: LeadRow) -> HeldLead:
    state = state_of(session, lead)
    waiting = [step.event.basis for step in state.steps if step.hold is Hold.OTHER_BASIS]
    return HeldLead(
        lead_id=lead.lead_id,
        stage=lead.stage,
        held_stage=lead.held_stage or "",
        basis=state.basis,
        held_basis=waiting[-1] if waiting else state.basis,
        points=lead.points,
    )
