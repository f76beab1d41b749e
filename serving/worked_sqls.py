"""Handovers to sales, read in bulk for reports: how their clocks stand, their attempts, their lags.

Decides nothing about promises (`sla.attainment`); reads what they are judged by.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from serving.db.tables_leads import AbsenceRow, AttemptRow, HandoverRow, PauseRow
from serving.handovers import RUNNING_WORDS, clocks_from, policy_of, seen_until
from serving.operations.record_attempt import sent_attempts
from sla.attainment import WorkedSql
from sla.away import Absence, Pause, away_spans
from sla.business_time import business_elapsed
from sla.clock import ClockKind, judge_clock
from sla.handover import Direction
from sla.lifecycle import EventKind
from sla.policy import Policy
from sla.stages import Side

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedSql:
    """One handover to sales: what the pledges look at, and how long system and seller took.

    Lags are business minutes of sales; None while nobody has the lead, or nobody has answered it.
    """

    handover_id: str
    lead_id: str
    persona: str
    owner: str
    work: WorkedSql
    system_lag_minutes: float | None
    seller_lag_minutes: float | None


def sqls_between(
    session: Session, since: datetime, until: datetime, *, now: datetime
) -> tuple[ReportedSql, ...]:
    """Return the handovers to sales created in [since, until), as they stand at `now`."""
    created = HandoverRow.created_at
    return _read(session, (created >= since) & (created < until), now=now)


def running_sqls(session: Session, *, now: datetime) -> tuple[ReportedSql, ...]:
    """Return the handovers to sales for which somebody still owes something."""
    return _read(session, HandoverRow.status.in_(RUNNING_WORDS), now=now)


def all_absences(session: Session) -> tuple[Absence, ...]:
    """Return every absence that is known."""
    return tuple(
        Absence(person=one.person, since=one.since, until=one.until)
        for one in session.scalars(select(AbsenceRow))
    )


def _read(session: Session, is_wanted: ColumnElement[bool], *, now: datetime) -> tuple[ReportedSql, ...]:
    is_wanted = is_wanted & (HandoverRow.direction == Direction.TO_SALES.value)
    attempts, pauses = (
        _by_handover(session.scalars(select(table).join(HandoverRow, on).where(is_wanted)))
        for table, on in (
            (AttemptRow, AttemptRow.handover_id == HandoverRow.handover_id),
            (PauseRow, PauseRow.handover_id == HandoverRow.handover_id),
        )
    )
    absences = all_absences(session)
    versions = select(HandoverRow.policy_version).where(is_wanted).distinct()
    policies = {version: policy_of(session, version) for version in session.scalars(versions).all()}
    query = select(HandoverRow).where(is_wanted).order_by(HandoverRow.created_at, HandoverRow.handover_id)
    return tuple(
        _reported(
            row,
            policies[row.policy_version],
            attempts.get(row.handover_id, []),
            (*_pauses(pauses.get(row.handover_id, [])), *_absences(row, absences)),
            now=now,
        )
        for row in session.scalars(query)
    )


def _reported(
    row: HandoverRow,
    policy: Policy,
    attempts: Iterable[AttemptRow],
    away: tuple[Pause | Absence, ...],
    *,
    now: datetime,
) -> ReportedSql:
    clocks = {one.kind: one for one in clocks_from(row, policy, away)}
    seller = clocks.get(ClockKind.SELLER)
    in_order = tuple(sorted(attempts, key=lambda one: (one.occurred_at, one.attempt_id)))
    hours, spans = policy.hours_of(Side.SALES), away_spans(away)
    return ReportedSql(
        handover_id=row.handover_id,
        lead_id=row.lead_id,
        persona=row.persona or "",
        owner=row.owner or "",
        work=WorkedSql(
            rule=policy.attempts,
            attempts=sent_attempts(in_order),
            seller=None if seller is None else judge_clock(seller, now=seen_until(row, now)),
            is_answered=row.answered_at is not None,
            ended_by=None if row.ended_by is None else EventKind(row.ended_by),
            can_escalate=policy.clocks is not None and policy.clocks.escalate_after is not None,
        ),
        system_lag_minutes=None
        if row.assigned_at is None
        else business_elapsed(row.caused_at, row.assigned_at, hours) / MINUTE,
        seller_lag_minutes=None
        if row.assigned_at is None or row.answered_at is None
        else business_elapsed(row.assigned_at, max(row.assigned_at, row.answered_at), hours, spans) / MINUTE,
    )


def _pauses(rows: Iterable[PauseRow]) -> tuple[Pause, ...]:
    return tuple(Pause(since=one.since, until=one.until, reason=one.reason) for one in rows)


def _absences(row: HandoverRow, absences: Iterable[Absence]) -> tuple[Absence, ...]:
    """Return the absences of a handover's owner that end after it was given to them."""
    since = row.assigned_at
    return tuple(
        one for one in absences if one.person == row.owner and since is not None and one.until > since
    )


def _by_handover(rows: Iterable[Any]) -> Mapping[str, list[Any]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        groups[row.handover_id].append(row)
    return groups
