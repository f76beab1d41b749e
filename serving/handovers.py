"""What every write about a handover shares: its owner, its clocks, and its end.

Who gets a lead and what a clock says is decided in `sla`; here decisions become rows, in the transaction of
whoever calls. Callers hold the head of the audit log, so that two of them never give away the same room.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from serving.db.inserts import insert_new
from serving.db.tables import PolicyRow
from serving.db.tables_leads import AbsenceRow, AttemptRow, ClockEventRow, HandoverRow, LeadRow, PauseRow
from serving.lead_news import tell_clocks, tell_handover
from serving.operations.active_policy import read_stored
from sla.away import Absence, Pause
from sla.clock import Clock, ClockKind, ClockVerdict, judge_clock, next_moment, raised_events
from sla.handover import (
    RUNNING,
    Assignment,
    Direction,
    HandoverStatus,
    Route,
    SellerLoad,
    choose_owner,
)
from sla.lifecycle import GIVEN_BACK, EventKind, LeadState
from sla.policy import Policy
from sla.stages import Side, Stage


class Why(NamedTuple):
    """Why a lead is given back or lost: group, words, code, and the policy that says what they count as."""

    group: str | None = None
    reason: str | None = None
    code: str | None = None
    policy: int | None = None


NO_REASON = Why()
RUNNING_WORDS = tuple(sorted(RUNNING))


def handover_id(lead_id: str, cycle: int, entry: int, direction: Direction) -> str:
    """Return the identity of one passing of one lead: who computes it again computes the same."""
    digest = hashlib.sha256()
    for part in (lead_id, str(cycle), str(entry), direction.value):
        digest.update(len(part.encode()).to_bytes(8, "big") + part.encode())
    return digest.hexdigest()[:32]


def policy_of(session: Session, version: int) -> Policy:
    """Return the policy of a version that was once in force."""
    return read_stored(session.get_one(PolicyRow, version).content, version)


def running_handover(session: Session, lead_id: str) -> HandoverRow | None:
    """Return the handover to sales that somebody still owes something for."""
    query = select(HandoverRow).where(
        HandoverRow.lead_id == lead_id,
        HandoverRow.direction == Direction.TO_SALES.value,
        HandoverRow.status.in_(RUNNING_WORDS),
    )
    return session.scalars(query).first()


def assign(session: Session, policy: Policy, persona: str | None, *, now: datetime) -> Assignment:
    """Return who would get the next lead of a persona now."""
    owners = {one.name: one.owner_sales for one in policy.personas}
    return choose_owner(policy.routing, _loads(session, now), persona_owner=owners.get(persona or ""))


def open_handover(
    session: Session, lead: LeadRow, state: LeadState, policy: Policy, *, now: datetime, caused_at: datetime
) -> HandoverRow:
    """Create the handover of a lead that became an SQL; without room it waits in sight."""
    end_returned(session, lead.lead_id, now=now)
    key = (lead.lead_id, state.cycle, state.entries, Direction.TO_SALES)
    row = HandoverRow(
        handover_id=handover_id(*key),
        lead_id=lead.lead_id,
        cycle=state.cycle,
        entry=state.entries,
        direction=Direction.TO_SALES.value,
        status=HandoverStatus.HELD.value,
        policy_version=policy.version,
        persona=lead.persona,
        probability=lead.probability,
        points=lead.points,
        caused_at=min(caused_at, now),
        created_at=now,
    )
    session.add(row)
    session.flush()
    _place(session, row, policy, now=now)
    tell_handover(session, row, now=now)
    refresh_clocks(session, row, now=now)
    return row


def assign_held(session: Session, *, now: datetime) -> int:
    """Give waiting leads to whoever has room now, the oldest first; return how many found an owner."""
    query = (
        select(HandoverRow)
        .where(HandoverRow.status == HandoverStatus.HELD.value)
        .order_by(HandoverRow.created_at, HandoverRow.handover_id)
    )
    held = session.scalars(query).all()
    return sum(_give(session, row, policy_of(session, row.policy_version), now=now) for row in held)


def close_handover(session: Session, row: HandoverRow, state: LeadState, *, now: datetime, why: Why) -> None:
    """End a handover whose lead has moved on; one given back is passed to marketing with the reason."""
    row.status = _end_of(state).value
    row.closed_at = state.since or now
    row.ended_by = None if state.last_move is None else state.last_move.value
    row.reason_group, row.reason, row.reason_code, row.reason_policy = why
    if row.status != HandoverStatus.WITHDRAWN and row.answered_at is None:
        row.answered_at = row.closed_at
    refresh_clocks(session, row, now=now)
    if row.status == HandoverStatus.RETURNED:
        _pass_to_marketing(session, row, now=now)
    session.flush()
    assign_held(session, now=now)


def end_returned(session: Session, lead_id: str, *, now: datetime) -> None:
    """End what marketing had back: the lead is with sales again, or won."""
    query = select(HandoverRow).where(
        HandoverRow.lead_id == lead_id,
        HandoverRow.direction == Direction.TO_MARKETING.value,
        HandoverRow.status == HandoverStatus.OPEN.value,
    )
    for row in session.scalars(query):
        row.status, row.closed_at = HandoverStatus.DONE.value, now


def refresh_clocks(session: Session, row: HandoverRow, *, now: datetime) -> int:
    """Store what the clocks have raised up to `now` and when they may raise next; return how many are new."""
    clocks = clocks_of(session, row)
    seen_at = seen_until(row, now)
    raised = [one for clock in clocks for one in raised_events(clock, now=seen_at)]
    known = set(
        session.scalars(select(ClockEventRow.event_id).where(ClockEventRow.handover_id == row.handover_id))
    )
    new = [{**asdict(one), "raised_at": now} for one in raised if one.event_id not in known]
    insert_new(session, ClockEventRow, new, "event_id")
    tell_clocks(session, row, new, now=now)
    seller = [clock for clock in clocks if clock.kind is ClockKind.SELLER]
    row.due_at = judge_clock(seller[0], now=seen_at).due_at if seller else None
    coming = [next_moment(clock, now=now) for clock in clocks] if row.status in RUNNING_WORDS else []
    row.next_clock_at = min((at for at in coming if at is not None), default=None)
    return len(new)


def clocks_of(session: Session, row: HandoverRow) -> tuple[Clock, ...]:
    """Return the clocks of a handover, from its own facts and the policy it was made under."""
    if row.direction != Direction.TO_SALES:
        return ()
    away: tuple[Pause | Absence, ...] = ()
    if row.assigned_at is not None:
        away = (*_pauses(session, row), *_absences(session, row))
    return clocks_from(row, policy_of(session, row.policy_version), away)


def clocks_from(row: HandoverRow, policy: Policy, away: tuple[Pause | Absence, ...]) -> tuple[Clock, ...]:
    """Return the same where policy, pauses and absences of the owner are at hand."""
    return (*_system_clock(row, policy), *_seller_clock(row, policy, away))


def verdicts_of(
    session: Session, row: HandoverRow, *, now: datetime
) -> tuple[tuple[ClockKind, ClockVerdict], ...]:
    """Return how each clock of a handover stands."""
    seen_at = seen_until(row, now)
    return tuple((clock.kind, judge_clock(clock, now=seen_at)) for clock in clocks_of(session, row))


def attempts_of(session: Session, row: HandoverRow) -> tuple[AttemptRow, ...]:
    """Return the attempts of a handover, by time."""
    query = select(AttemptRow).where(AttemptRow.handover_id == row.handover_id)
    return tuple(session.scalars(query.order_by(AttemptRow.occurred_at, AttemptRow.attempt_id)))


def seen_until(row: HandoverRow, now: datetime) -> datetime:
    """Return until when a handover's clocks run: one that was withdrawn is judged as of its end."""
    return now if row.closed_at is None else min(now, row.closed_at)


def _system_clock(row: HandoverRow, policy: Policy) -> Iterator[Clock]:
    if policy.clocks is not None and policy.clocks.system_within is not None:
        yield Clock(
            handover_id=row.handover_id,
            kind=ClockKind.SYSTEM,
            started_at=row.caused_at,
            within=policy.clocks.system_within,
            hours=policy.hours_of(Side.SALES),
            policy_version=policy.version,
            met_at=row.assigned_at,
        )


def _seller_clock(row: HandoverRow, policy: Policy, away: tuple[Pause | Absence, ...]) -> Iterator[Clock]:
    response = policy.response_for(Stage.SQL, row.persona)
    if response is None or row.assigned_at is None:
        return
    yield Clock(
        handover_id=row.handover_id,
        kind=ClockKind.SELLER,
        started_at=row.assigned_at,
        within=response.within,
        hours=policy.hours_of(Side.SALES),
        policy_version=policy.version,
        away=away,
        due_soon=None if policy.clocks is None else policy.clocks.due_soon,
        escalate_after=None if policy.clocks is None else policy.clocks.escalate_after,
        met_at=row.answered_at,
    )


def _pauses(session: Session, row: HandoverRow) -> tuple[Pause, ...]:
    found = session.scalars(select(PauseRow).where(PauseRow.handover_id == row.handover_id))
    return tuple(Pause(since=one.since, until=one.until, reason=one.reason) for one in found)


def _absences(session: Session, row: HandoverRow) -> tuple[Absence, ...]:
    """Return the absences of a handover's owner that end after it was given to them."""
    found = session.scalars(
        select(AbsenceRow).where(AbsenceRow.person == row.owner, AbsenceRow.until > row.assigned_at)
    )
    return tuple(Absence(person=one.person, since=one.since, until=one.until) for one in found)


def _give(session: Session, row: HandoverRow, policy: Policy, *, now: datetime) -> bool:
    """Give a waiting handover an owner if somebody has room; say whether it waits no longer."""
    has_place = _place(session, row, policy, now=now)
    refresh_clocks(session, row, now=now)
    return has_place


def _place(session: Session, row: HandoverRow, policy: Policy, *, now: datetime) -> bool:
    """Do the same without a look at the clocks."""
    assignment = assign(session, policy, row.persona, now=now)
    row.owner, row.route = assignment.owner, assignment.route.value
    has_place = assignment.route is not Route.NO_ROOM
    if has_place:
        row.status, row.assigned_at = HandoverStatus.OPEN.value, now
    session.flush()
    return has_place


def _loads(session: Session, now: datetime) -> tuple[SellerLoad, ...]:
    """Return what each person has; whoever is absent now is marked so, also without any handover."""
    is_there = (AbsenceRow.since <= now) & (AbsenceRow.until > now)
    absent = set(session.scalars(select(AbsenceRow.person).where(is_there)))
    is_running = case((HandoverRow.status.in_(RUNNING_WORDS), 1), else_=0)
    query = (
        select(HandoverRow.owner, func.sum(is_running), func.max(HandoverRow.assigned_at))
        .where(HandoverRow.owner.is_not(None), HandoverRow.direction == Direction.TO_SALES.value)
        .group_by(HandoverRow.owner)
    )
    loads = {person: SellerLoad(person=person, is_absent=True) for person in absent}
    for owner, running, last in session.execute(query):
        person = str(owner)
        loads[person] = SellerLoad(
            person=person,
            open_handovers=int(running),
            last_assigned_at=last,
            is_absent=person in absent,
        )
    return tuple(loads.values())


def _end_of(state: LeadState) -> HandoverStatus:
    if state.last_move in GIVEN_BACK:
        return HandoverStatus.RETURNED
    has_moved_on = state.last_move in (EventKind.OPENED, EventKind.WON)
    return HandoverStatus.DONE if has_moved_on else HandoverStatus.WITHDRAWN


def _pass_to_marketing(session: Session, row: HandoverRow, *, now: datetime) -> None:
    """Create the handover back, with the reason; the persona's owner in marketing has the lead now."""
    policy = policy_of(session, row.policy_version)
    owners = {one.name: one.owner_marketing for one in policy.personas}
    back = {
        "handover_id": handover_id(row.lead_id, row.cycle, row.entry, Direction.TO_MARKETING),
        "lead_id": row.lead_id,
        "cycle": row.cycle,
        "entry": row.entry,
        "direction": Direction.TO_MARKETING.value,
        "status": HandoverStatus.OPEN.value,
        "policy_version": row.policy_version,
        "persona": row.persona,
        "probability": row.probability,
        "points": row.points,
        "owner": owners.get(row.persona or ""),
        "caused_at": row.closed_at,
        "created_at": now,
        "assigned_at": now,
        "ended_by": row.ended_by,
        "reason_group": row.reason_group,
        "reason": row.reason,
        "reason_code": row.reason_code,
        "reason_policy": row.reason_policy,
    }
    insert_new(session, HandoverRow, [back], "handover_id")
    tell_handover(session, session.get_one(HandoverRow, back["handover_id"]), now=now)
