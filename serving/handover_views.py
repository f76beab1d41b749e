"""A handover and a lead as people read them: facts, how the clocks stand, what was not kept, in words.

Decides nothing; every verdict is computed for `now` from stored facts (`serving.handovers`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from features.words.reasons import Language
from serving.db.tables_leads import AttemptRow, HandoverRow
from serving.handovers import attempts_of, policy_of, verdicts_of
from serving.operations.record_attempt import sent_attempts
from sla.clauses_work import RoutingRule
from sla.clock import ClockKind, ClockVerdict
from sla.handover import Assignment, AttemptViolation, Direction, HandoverStatus, Route, judge_attempts
from sla.lifecycle import EventKind
from sla.stages import Stage
from sla.words_work import assignment_text, clock_text, violation_text

GIVEN_UP = (EventKind.RECYCLED, EventKind.NO_CONTACT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """How one clock stands; `in_time` is null while the promise can still be kept in time."""

    clock: str
    status: str
    due_at: datetime
    met_at: datetime | None
    in_time: bool | None
    minutes_left: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """One attempt as it was recorded."""

    attempt_id: str
    occurred_at: datetime
    channel: str
    result: str
    by: str
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ViolationView:
    """One promise about attempts that was not kept."""

    code: str
    attempt_id: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverView:
    """One handover with everything both sides may see; the order of the fields is the order in JSON."""

    handover_id: str
    lead_id: str
    cycle: int
    direction: str
    status: str
    owner: str
    owner_reason: str
    persona: str
    probability: float | None
    points: int | None
    created_at: datetime
    assigned_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    respond_by: datetime | None
    reason_group: str
    reason_code: str
    reason: str
    clocks: tuple[ClockView, ...]
    attempts: tuple[AttemptView, ...]
    attempts_least: int
    attempts_most: int
    violations: tuple[ViolationView, ...]
    content: tuple[str, ...]
    policy_version: str


def handover_view(session: Session, row: HandoverRow, *, now: datetime, lang: Language) -> HandoverView:
    """Return one handover as it stands at `now`."""
    policy = policy_of(session, row.policy_version)
    attempts = attempts_of(session, row)
    gave_up = row.ended_by in GIVEN_UP
    violations = judge_attempts(sent_attempts(attempts), policy.attempts, gave_up=gave_up)
    stage = Stage.SQL if row.direction == Direction.TO_SALES else Stage.RECYCLED
    return HandoverView(
        handover_id=row.handover_id,
        lead_id=row.lead_id,
        cycle=row.cycle,
        direction=row.direction,
        status=row.status,
        owner=row.owner or "",
        owner_reason=_owner_reason(row, policy.routing, lang),
        persona=row.persona or "",
        probability=row.probability,
        points=row.points,
        created_at=row.created_at,
        assigned_at=row.assigned_at,
        answered_at=row.answered_at,
        closed_at=row.closed_at,
        respond_by=row.due_at,
        reason_group=row.reason_group or "",
        reason_code=row.reason_code or "",
        reason=row.reason or "",
        clocks=tuple(_clock(kind, one, lang) for kind, one in verdicts_of(session, row, now=now)),
        attempts=tuple(_attempt(one) for one in attempts),
        attempts_least=policy.attempts.least,
        attempts_most=policy.attempts.most,
        violations=_violations(violations, lang),
        content=policy.content_for(stage, row.persona),
        policy_version=str(row.policy_version),
    )


def _clock(kind: ClockKind, verdict: ClockVerdict, lang: Language) -> ClockView:
    return ClockView(
        clock=kind.value,
        status=verdict.status.value,
        due_at=verdict.due_at,
        met_at=verdict.met_at,
        in_time=verdict.is_in_time,
        minutes_left=int(verdict.left.total_seconds() // 60),
        text=clock_text(kind, verdict, lang),
    )


def _owner_reason(row: HandoverRow, routing: RoutingRule | None, lang: Language) -> str:
    """Return why the lead has this owner or waits for one; empty for what marketing has back."""
    if row.route is None:
        return ""
    is_held = row.status == HandoverStatus.HELD
    overflow = routing.overflow if routing is not None and is_held else None
    assignment = Assignment(owner=row.owner, route=Route(row.route), overflow=overflow)
    return "" if assignment.route is Route.NO_ROOM and not is_held else assignment_text(assignment, lang)


def _attempt(row: AttemptRow) -> AttemptView:
    return AttemptView(
        attempt_id=row.attempt_id,
        occurred_at=row.occurred_at,
        channel=row.channel,
        result=row.result,
        by=row.by,
        note=row.note,
    )


def _violations(found: Sequence[AttemptViolation], lang: Language) -> tuple[ViolationView, ...]:
    return tuple(
        ViolationView(code=one.kind.value, attempt_id=one.attempt_id, text=violation_text(one, lang))
        for one in found
    )
