"""What every write about a lead shares: score it, take its events, and let its handover follow its stage.

The stage is the fold of `sla.lifecycle` over stored events and deals, computed anew each time; a lead's row
only keeps the result. All of it happens in the transaction of whoever calls.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from features.history.store import History
from serving.db.inserts import insert_new
from serving.db.tables_leads import DealRow, HandoverRow, LeadRow, StageEventRow
from serving.handovers import (
    NO_REASON,
    Why,
    assign,
    close_handover,
    open_handover,
    policy_of,
    running_handover,
)
from serving.lead_news import tell_score, tell_stage
from serving.leads import KnownLead, find_lead
from serving.operations.record_scores import add_scores
from serving.scorer import Scored, Scorer, ScoreRequest
from sla.clauses_work import Overflow
from sla.decision import REFUSALS, Rule
from sla.handover import Direction
from sla.lifecycle import EventKind, LeadEvent, LeadState, fold_events
from sla.stages import FINAL_STAGES, Stage

PLACES = {
    EventKind.SCORED: 1,
    EventKind.RELEASED: 2,
    EventKind.ACCEPTED: 3,
    EventKind.ATTEMPTED: 4,
    EventKind.REJECTED: 5,
    EventKind.RECYCLED: 5,
    EventKind.NO_CONTACT: 5,
    EventKind.OPENED: 6,
    EventKind.WON: 7,
    EventKind.LOST: 7,
}
"""Which of two events at one instant comes first: a lead is scored before it is worked on and ends last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a lead stands after a write."""

    lead_id: str
    stage: str
    cycle: int
    handover_id: str | None


def event_id(kind: EventKind, name: str) -> str:
    """Return the id of an event; events at one instant are taken in the order of their ids."""
    return f"{PLACES[kind]}-{kind}-{name}"


def lead_row(session: Session, history: History, lead_id: str, *, now: datetime) -> LeadRow:
    """Return the row of a lead; one that is new, or was only imported so far, gets one."""
    row = session.get(LeadRow, lead_id)
    if row is None:
        imported = history.read_lead(lead_id) if history.exists() else None
        created_at = None if imported is None else imported.lead.get("created_at")
        row = LeadRow(
            lead_id=lead_id,
            created_at=created_at if isinstance(created_at, datetime) else now,
            stage=Stage.LEAD.value,
            cycle=1,
        )
        session.add(row)
        session.flush()
    return row


def add_event(
    session: Session, lead_id: str, event: LeadEvent, detail: dict[str, Any], *, now: datetime
) -> None:
    """Store an event; one that is there already stays as it is."""
    values = {
        "event_id": event.event_id,
        "lead_id": lead_id,
        "occurred_at": event.occurred_at,
        "recorded_at": now,
        "kind": event.kind.value,
        "stage": None if event.stage is None else event.stage.value,
        "basis": event.basis,
        "dwell_days": event.dwell_days,
        "rest_days": event.rest_days,
        "lifts": event.lifts,
        "detail": detail,
    }
    insert_new(session, StageEventRow, [values], "event_id")


def state_of(session: Session, lead: LeadRow) -> LeadState:
    """Return where all events and deals lead to."""
    return states_of(session, [lead])[lead.lead_id]


def states_of(session: Session, leads: Sequence[LeadRow]) -> Mapping[str, LeadState]:
    """Return the same for many leads at once; so many ids must fit into one query."""
    ids = [lead.lead_id for lead in leads]
    events: dict[str, list[LeadEvent]] = {lead_id: [] for lead_id in ids}
    for row in session.scalars(select(StageEventRow).where(StageEventRow.lead_id.in_(ids))):
        events[row.lead_id].append(_event_of(row))
    for deal in session.scalars(select(DealRow).where(DealRow.lead_id.in_(ids))):
        events[deal.lead_id] += _deal_events(deal)
    return {lead.lead_id: fold_events(events[lead.lead_id], created_at=lead.created_at) for lead in leads}


def events_of(rows: Iterable[StageEventRow], deals: Iterable[DealRow]) -> list[LeadEvent]:
    """Return what happened to a lead: its own events, and what its deals say about its stage."""
    return [*map(_event_of, rows), *(event for deal in deals for event in _deal_events(deal))]


def score_and_settle(
    session: Session,
    lead: LeadRow,
    history: History,
    scorer: Scorer | None,
    *,
    now: datetime,
    caused_at: datetime,
) -> Standing:
    """Score a lead as of now if model and policy are in service; stage and handover follow.

    A person who objects is not scored: what a score led to stays, nothing new follows.
    """
    if scorer is not None and lead.objected_at is None:
        known = find_lead(session, history, lead.lead_id)
        if known is not None:
            _score(session, lead, known, scorer, now=now)
    return settle(session, lead, now=now, caused_at=caused_at)


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
    state = state_of(session, lead)
    before = lead.stage
    lead.stage, lead.stage_since, lead.cycle = state.stage.value, state.since, state.cycle
    lead.held_stage = None if state.held is None else state.held.value
    if lead.stage != before:
        tell_stage(session, lead, before, now=now)
    running = running_handover(session, lead.lead_id)
    is_of_this_entry = running is not None and (running.cycle, running.entry) == (state.cycle, state.entries)
    if running is not None and not (state.stage is Stage.SQL and is_of_this_entry):
        close_handover(session, running, state, now=now, why=why)
        running = None
    if state.stage is Stage.SQL and running is None and not _was_opened(session, lead, state):
        policy = policy_of(session, policy_version_of(state.basis))
        running = open_handover(session, lead, state, policy, now=now, caused_at=caused_at)
    session.flush()
    return Standing(
        lead_id=lead.lead_id,
        stage=lead.stage,
        cycle=lead.cycle,
        handover_id=None if running is None else running.handover_id,
    )


def basis_of(scorer: Scorer) -> str:
    """Return the versions a stage rests on: the model by its hash, the policy by its version."""
    return f"{scorer.model_hash[:16]}/{scorer.policy_version}"


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


def _score(session: Session, lead: LeadRow, known: KnownLead, scorer: Scorer, *, now: datetime) -> None:
    state = state_of(session, lead)
    request = ScoreRequest(
        lead_id=lead.lead_id,
        lead=known.as_of(now),
        activities=known.activities,
        as_of=now,
        attribute_changes=known.attribute_changes,
        current_stage=state.stage,
        stage_since=state.since,
        is_stored=True,
    )
    scored = scorer.score(request)
    add_scores(session, [scored.record], now=now)
    before = lead.points
    lead.score_id, lead.scored_at = scored.record.score_id, now
    lead.probability, lead.points = scored.record.probability, scored.record.points
    lead.persona = scored.answer.persona or None
    if lead.points != before:
        tell_score(session, lead, now=now)
    if Rule(scored.record.rule) not in REFUSALS and state.stage not in FINAL_STAGES:
        _take_score(session, lead, state, scored, scorer, now=now)


def _take_score(
    session: Session, lead: LeadRow, state: LeadState, scored: Scored, scorer: Scorer, *, now: datetime
) -> None:
    """Store what the score says about the stage; a full sales team keeps the lead an MQL where agreed."""
    policy, stage = scorer.active.policy, Stage(scored.record.stage)
    detail: dict[str, Any] = {
        "score_id": scored.record.score_id,
        "rule": scored.record.rule,
        "reason": scored.answer.stage_reason,
        "points": scored.record.points,
    }
    is_new_sql = stage is Stage.SQL and state.stage is not Stage.SQL
    if is_new_sql and assign(session, policy, lead.persona, now=now).overflow is Overflow.MQL:
        stage, detail["overflow"] = Stage.MQL, Overflow.MQL.value
    event = LeadEvent(
        event_id=event_id(EventKind.SCORED, scored.record.score_id),
        occurred_at=now,
        kind=EventKind.SCORED,
        stage=Stage.LEAD if stage is Stage.RECYCLED else stage,
        basis=basis_of(scorer),
        dwell_days=policy.least_dwell_days,
        rest_days=policy.cool_off_days,
        lifts=scored.record.rule == Rule.OVERRIDE,
    )
    add_event(session, lead.lead_id, event, detail, now=now)


def _event_of(row: StageEventRow) -> LeadEvent:
    return LeadEvent(
        event_id=row.event_id,
        occurred_at=row.occurred_at,
        kind=EventKind(row.kind),
        stage=None if row.stage is None else Stage(row.stage),
        basis=row.basis,
        dwell_days=row.dwell_days,
        rest_days=row.rest_days,
        lifts=row.lifts,
    )


def _deal_events(deal: DealRow) -> Iterator[LeadEvent]:
    """Yield what a deal says about the stage: opened, and how it ended."""
    if deal.opened_at is not None:
        kind = EventKind.OPENED
        yield LeadEvent(event_id=event_id(kind, deal.deal_id), occurred_at=deal.opened_at, kind=kind)
    if deal.outcome is not None and deal.closed_at is not None:
        kind = EventKind(deal.outcome)
        yield LeadEvent(event_id=event_id(kind, deal.deal_id), occurred_at=deal.closed_at, kind=kind)
