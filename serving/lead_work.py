"""What every write about a lead shares: its stage follows its events, its handover follows its stage.

The stage is the fold of `sla.lifecycle` over stored events and deals, computed anew each time; a lead's row
only keeps the result. All of it happens in the transaction of whoever calls. Scores: `serving.lead_scoring`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.db.inserts import insert_new
from serving.db.tables_leads import DealRow, HandoverRow, LeadRow, StageEventRow
from serving.handovers import NO_REASON, Why, close_handover, open_handover, policy_of, running_handover
from serving.lead_events import deal_events, event_values, lead_event
from serving.lead_news import tell_stage
from sla.handover import Direction
from sla.lifecycle import LeadEvent, LeadState, fold_events
from sla.stages import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a lead stands after a write."""

    lead_id: str
    stage: str
    cycle: int
    handover_id: str | None


def add_event(
    session: Session, lead_id: str, event: LeadEvent, detail: dict[str, Any], *, now: datetime
) -> None:
    """Store an event; one that is there already stays as it is."""
    insert_new(session, StageEventRow, [event_values(lead_id, event, detail, now=now)], "event_id")


def state_of(session: Session, lead: LeadRow) -> LeadState:
    """Return where all events and deals lead to."""
    return states_of(session, [lead])[lead.lead_id]


def states_of(session: Session, leads: Sequence[LeadRow]) -> Mapping[str, LeadState]:
    """Return the same for many leads at once; so many ids must fit into one query."""
    ids = [lead.lead_id for lead in leads]
    events: dict[str, list[LeadEvent]] = {lead_id: [] for lead_id in ids}
    for row in session.scalars(select(StageEventRow).where(StageEventRow.lead_id.in_(ids))):
        events[row.lead_id].append(lead_event(row))
    for deal in session.scalars(select(DealRow).where(DealRow.lead_id.in_(ids))):
        events[deal.lead_id] += deal_events(deal)
    return {lead.lead_id: fold_events(events[lead.lead_id], created_at=lead.created_at) for lead in leads}


def events_of(rows: Iterable[StageEventRow], deals: Iterable[DealRow]) -> list[LeadEvent]:
    """Return what happened to a lead: its own events, and what its deals say about its stage."""
    return [*map(lead_event, rows), *(event for deal in deals for event in deal_events(deal))]


def settle(
    session: Session,
    lead: LeadRow,
    *,
    now: datetime,
    caused_at: datetime,
    why: Why = NO_REASON,
) -> Standing:
    """Let a lead's row and its handover follow its events; `why` is the reason of an act that ends it."""
    session.flush()
    running = running_handover(session, lead.lead_id)
    return follow(session, lead, state_of(session, lead), running, now=now, caused_at=caused_at, why=why)


def follow(
    session: Session,
    lead: LeadRow,
    state: LeadState,
    running: HandoverRow | None,
    *,
    now: datetime,
    caused_at: datetime,
    why: Why = NO_REASON,
) -> Standing:
    """Do the same where the state its events lead to, and its running handover, are known."""
    before = lead.stage
    lead.stage, lead.stage_since, lead.cycle = state.stage.value, state.since, state.cycle
    lead.held_stage = None if state.held is None else state.held.value
    if lead.stage != before:
        tell_stage(session, lead, before, now=now)
    is_of_this_entry = running is not None and (running.cycle, running.entry) == (state.cycle, state.entries)
    if running is not None and not (state.stage is Stage.SQL and is_of_this_entry):
        close_handover(session, running, state, now=now, why=why)
        running = None
    if state.stage is Stage.SQL and running is None and not _was_opened(session, lead, state):
        policy = policy_of(session, policy_version_of(state.basis))
        running = open_handover(session, lead, state, policy, now=now, caused_at=caused_at)
    return Standing(
        lead_id=lead.lead_id,
        stage=lead.stage,
        cycle=lead.cycle,
        handover_id=None if running is None else running.handover_id,
    )


def policy_version_of(basis: str) -> int:
    """Return the version of the policy in a basis."""
    return int(basis.rpartition("/")[2])


def _was_opened(session: Session, lead: LeadRow, state: LeadState) -> bool:
    query = select(HandoverRow.handover_id).where(
        HandoverRow.lead_id == lead.lead_id,
        HandoverRow.cycle == state.cycle,
        HandoverRow.entry == state.entries,
        HandoverRow.direction == Direction.TO_SALES.value,
    )
    return session.scalars(query).first() is not None
