"""Scores leads that are under work and lets stage and handover follow, in the transaction of whoever calls.

Decides what a score does to a lead; how it is computed is `serving.scorer`'s, what its stage is `sla`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from serving.answers import whole_points
from serving.db.inserts import insert_new
from serving.db.tables_leads import StageEventRow
from serving.handovers import NO_REASON, Why, assign
from serving.lead_book import OpenLead
from serving.lead_events import event_id, event_values
from serving.lead_news import tell_score
from serving.lead_work import Standing, follow
from serving.operations.record_scores import ScoreRecord, add_scores
from serving.scorer import Judged, Scorer, ScoreRequest
from sla.clauses_work import Overflow
from sla.decision import REFUSALS, Rule
from sla.lifecycle import EventKind, LeadEvent, LeadState, fold_events
from sla.stages import FINAL_STAGES, Stage
from sla.words import decision_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What made a lead be scored: when that happened, and the reason of a deal that was lost."""

    at: datetime
    why: Why = NO_REASON


@dataclass(slots=True, kw_only=True)
class Written:
    """Rows of all leads of one transaction, stored together at its end."""

    scores: list[ScoreRecord] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)


def score_and_settle(
    session: Session,
    leads: Sequence[OpenLead],
    scorer: Scorer | None,
    *,
    now: datetime,
    causes: Mapping[str, Cause],
) -> tuple[Standing, ...]:
    """Score leads as of now if model and policy are in service; stages and handovers follow, lead by lead.

    A person who objects is not scored: what a score led to stays, nothing new follows.
    """
    states = [state_of_open(lead) for lead in leads]
    judged = _judged(leads, states, scorer, now)
    written, standings = Written(), []
    for lead, state, score in zip(leads, states, judged, strict=True):
        if scorer is not None and score is not None:
            state = take_score(session, lead, state, score, scorer, written, now=now)
        cause = causes[lead.row.lead_id]
        standings.append(
            follow(session, lead.row, state, lead.running, now=now, caused_at=cause.at, why=cause.why)
        )
    write(session, written, now=now)
    return tuple(standings)


def _judged(
    leads: Sequence[OpenLead], states: Sequence[LeadState], scorer: Scorer | None, now: datetime
) -> list[Judged | None]:
    """Score the leads; nobody who objects, and nobody where model or policy are not in service."""
    scored = [scorer is not None and lead.row.objected_at is None for lead in leads]
    asked = [
        request_of(lead, state, now)
        for lead, state, is_scored in zip(leads, states, scored, strict=True)
        if is_scored
    ]
    found = iter(scorer.judge_all(asked) if scorer is not None else ())
    return [next(found) if is_scored else None for is_scored in scored]


def write(session: Session, written: Written, *, now: datetime) -> None:
    """Store what has gathered."""
    add_scores(session, written.scores, now=now)
    insert_new(session, StageEventRow, written.events, "event_id")


def state_of_open(lead: OpenLead) -> LeadState:
    """Return where the events of a lead under work lead to."""
    return fold_events(lead.events, created_at=lead.row.created_at)


def request_of(lead: OpenLead, state: LeadState, now: datetime) -> ScoreRequest:
    """Return what a score of a lead as of now rests on."""
    return ScoreRequest(
        lead_id=lead.row.lead_id,
        lead=lead.known.as_of(now),
        activities=lead.known.activities,
        as_of=now,
        attribute_changes=lead.known.attribute_changes,
        current_stage=state.stage,
        stage_since=state.since,
        is_stored=True,
    )


def take_score(
    session: Session,
    lead: OpenLead,
    state: LeadState,
    judged: Judged,
    scorer: Scorer,
    written: Written,
    *,
    now: datetime,
) -> LeadState:
    """Give a lead its score, and return the state it leads to."""
    row, decision = lead.row, judged.decision
    written.scores.append(scorer.record_of(judged))
    before = row.points
    row.score_id, row.scored_at, row.looked_at = judged.score_id, now, now
    row.probability, row.points = judged.predicted.probability, whole_points(judged.predicted.points)
    row.persona = decision.persona or None
    if row.points != before:
        tell_score(session, row, now=now)
    if decision.rule in REFUSALS or state.stage in FINAL_STAGES:
        return state
    event, detail = _event_of(session, lead, state, judged, scorer, now=now)
    written.events.append(event_values(row.lead_id, event, detail, now=now))
    lead.events.append(event)
    return state_of_open(lead)


def _event_of(
    session: Session, lead: OpenLead, state: LeadState, judged: Judged, scorer: Scorer, *, now: datetime
) -> tuple[LeadEvent, dict[str, Any]]:
    """Return what the score says about the stage; a full sales team keeps the lead an MQL where agreed."""
    policy, decision = scorer.active.policy, judged.decision
    stage = decision.stage
    detail: dict[str, Any] = {
        "score_id": judged.score_id,
        "rule": decision.rule.value,
        "reason": decision_text(decision, judged.facts.lang),
        "points": whole_points(judged.predicted.points),
    }
    is_new_sql = stage is Stage.SQL and state.stage is not Stage.SQL
    if is_new_sql and assign(session, policy, lead.row.persona, now=now).overflow is Overflow.MQL:
        stage, detail["overflow"] = Stage.MQL, Overflow.MQL.value
    return scored_event(judged, scorer, stage=stage, now=now), detail


def scored_event(judged: Judged, scorer: Scorer, *, stage: Stage, now: datetime) -> LeadEvent:
    """Return what a score means for the life of its lead, under the versions that made it."""
    policy = scorer.active.policy
    return LeadEvent(
        event_id=event_id(EventKind.SCORED, judged.score_id),
        occurred_at=now,
        kind=EventKind.SCORED,
        stage=Stage.LEAD if stage is Stage.RECYCLED else stage,
        basis=f"{scorer.model_hash[:16]}/{scorer.policy_version}",
        dwell_days=policy.least_dwell_days,
        rest_days=policy.cool_off_days,
        lifts=judged.decision.rule is Rule.OVERRIDE,
    )
