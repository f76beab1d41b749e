"""Every end of a lead that was no win, as it is stored: given back by sales, or lost.

Decides where ends stand: what sales gave back is the handover back to marketing, what was lost is the deal.
A lost deal also ends a running handover; it is counted once, as the deal.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from serving.db.tables_leads import DealRow, HandoverRow, LeadRow
from sla.handover import Direction
from sla.lifecycle import GIVEN_BACK, EventKind

RETURNS = tuple(sorted(kind.value for kind in GIVEN_BACK if kind is not EventKind.LOST))
END_KINDS = (*RETURNS, EventKind.LOST.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEnd:
    """One end: when it happened and when it was recorded, and what it counted as then.

    `policy` is the version of the agreement whose list was asked; None: there was none.
    """

    end_id: str
    lead_id: str
    kind: str
    at: datetime
    recorded_at: datetime | None
    group: str | None
    code: str | None
    text: str | None
    persona: str | None
    policy: int | None


def handover_end_id(handover_id: str) -> str:
    """Return the id of the end that a handover is."""
    return f"handover-{handover_id}"


def deal_end_id(deal_id: str) -> str:
    """Return the id of the end that a deal is."""
    return f"deal-{deal_id}"


def ends_between(session: Session, since: datetime, until: datetime) -> tuple[StoredEnd, ...]:
    """Return the ends that happened in [since, until), by time, then by id."""
    returned = (HandoverRow.caused_at >= since, HandoverRow.caused_at < until)
    lost = (DealRow.closed_at >= since, DealRow.closed_at < until)
    found = [*_returns(session, returned), *_losses(session, lost)]
    return tuple(sorted(found, key=lambda one: (one.at, one.end_id)))


def all_ends(session: Session) -> Iterator[StoredEnd]:
    """Yield every end there is."""
    yield from _returns(session, ())
    yield from _losses(session, ())


def first_end_after(session: Session, group: str, answered_at: datetime | None) -> StoredEnd | None:
    """Return the end of a group that was recorded first after its last answer; None when there is none."""
    returns, losses = _of_group_after(group, answered_at)
    found = [*_returns(session, returns, only_first=True), *_losses(session, losses, only_first=True)]
    return min(found, key=lambda one: (one.recorded_at, one.end_id), default=None)


def count_ends_after(session: Session, group: str, answered_at: datetime | None) -> int:
    """Return how many ends of a group no answer covers yet."""
    returns, losses = _of_group_after(group, answered_at)
    counts = (
        select(func.count()).select_from(HandoverRow).where(*_is_return(), *returns),
        select(func.count()).select_from(DealRow).where(DealRow.outcome == EventKind.LOST.value, *losses),
    )
    return sum(session.scalar(one) or 0 for one in counts)


def _of_group_after(
    group: str, answered_at: datetime | None
) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
    """Return which handovers and which deals of a group were recorded after an answer."""
    returns: list[ColumnElement[bool]] = [HandoverRow.reason_group == group]
    losses: list[ColumnElement[bool]] = [DealRow.reason_group == group, DealRow.recorded_at.is_not(None)]
    if answered_at is not None:
        returns.append(HandoverRow.created_at > answered_at)
        losses.append(DealRow.recorded_at > answered_at)
    return returns, losses


def _is_return() -> tuple[ColumnElement[bool], ...]:
    return (HandoverRow.direction == Direction.TO_MARKETING.value, HandoverRow.ended_by.in_(RETURNS))


def _returns(
    session: Session, which: Iterable[ColumnElement[bool]], *, only_first: bool = False
) -> Iterator[StoredEnd]:
    query = (
        select(HandoverRow)
        .where(*_is_return(), *which)
        .order_by(HandoverRow.created_at, HandoverRow.handover_id)
    )
    for row in session.scalars(query.limit(1) if only_first else query):
        yield StoredEnd(
            end_id=handover_end_id(row.handover_id),
            lead_id=row.lead_id,
            kind=str(row.ended_by),
            at=row.caused_at,
            recorded_at=row.created_at,
            group=row.reason_group,
            code=row.reason_code,
            text=row.reason,
            persona=row.persona,
            policy=row.reason_policy,
        )


def _losses(
    session: Session, which: Iterable[ColumnElement[bool]], *, only_first: bool = False
) -> Iterator[StoredEnd]:
    query = (
        select(DealRow, LeadRow.persona)
        .join(LeadRow, LeadRow.lead_id == DealRow.lead_id)
        .where(DealRow.outcome == EventKind.LOST.value, *which)
        .order_by(DealRow.recorded_at, DealRow.deal_id)
    )
    for row, persona in session.execute(query.limit(1) if only_first else query):
        yield StoredEnd(
            end_id=deal_end_id(row.deal_id),
            lead_id=row.lead_id,
            kind=EventKind.LOST.value,
            at=row.closed_at or row.changed_at,
            recorded_at=row.recorded_at,
            group=row.reason_group,
            code=row.reason_code,
            text=row.loss_reason,
            persona=persona,
            policy=row.reason_policy,
        )
