"""What every act on a handover shares: finding it, refusing what cannot happen to it, and taking the event.

Refusals name every broken rule at once. An act that was sent twice is the one already there.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from serving.db.audited import AuditedWork
from serving.db.tables_leads import HandoverRow, LeadRow, StageEventRow
from serving.errors import ActProblem, ActRefusedError, HandoverOverError, UnknownHandoverError
from serving.handovers import NO_REASON, RUNNING_WORDS, Why
from serving.lead_events import event_id
from serving.lead_work import add_event, settle
from sla.handover import Direction, HandoverStatus
from sla.lifecycle import EventKind, LeadEvent

BEFORE_TOLERANCE = timedelta(minutes=1)
"""A caller's clock may be this much behind ours; an act dated so counts as done when the handover began."""


def find_handover(session: Session, handover_id: str) -> HandoverRow:
    """Return a handover, or raise `UnknownHandoverError`."""
    row = session.get(HandoverRow, handover_id)
    if row is None:
        raise UnknownHandoverError(handover_id)
    return row


def refuse_marketings(row: HandoverRow) -> None:
    """Raise `HandoverOverError` for a handover back to marketing, in which sales has no part."""
    if row.direction != Direction.TO_SALES:
        raise HandoverOverError(f"handover {row.handover_id} is marketing's; sales has given the lead back")


def refuse_over(row: HandoverRow) -> None:
    """Raise `HandoverOverError` for a handover that sales has no part in any more."""
    refuse_marketings(row)
    if row.status not in RUNNING_WORDS:
        ended = "" if row.closed_at is None else f" since {row.closed_at.isoformat()}"
        raise HandoverOverError(f"handover {row.handover_id} is {row.status}{ended}")


def time_problems(row: HandoverRow, field: str, at: datetime) -> Iterator[ActProblem]:
    """Yield a problem for an act dated before its handover."""
    if at < row.created_at - BEFORE_TOLERANCE:
        rule = f"must not lie before the handover, {row.created_at.isoformat()}"
        yield ActProblem(field=field, rule=rule, value=at.isoformat())


def refuse_problems(problems: Iterator[ActProblem]) -> None:
    """Raise `ActRefusedError` when there are any."""
    found = tuple(problems)
    if found:
        raise ActRefusedError(found)


def is_done(session: Session, kind: EventKind, handover_id: str) -> bool:
    """Say whether this very act is there already."""
    return session.get(StageEventRow, event_id(kind, handover_id)) is not None


def take_act(
    work: AuditedWork,
    row: HandoverRow,
    kind: EventKind,
    *,
    at: datetime,
    name: str,
    why: Why = NO_REASON,
) -> None:
    """Store an act as an event of the lead and let its stage and handover follow."""
    event = LeadEvent(event_id=event_id(kind, name), occurred_at=max(at, row.created_at), kind=kind)
    lead = work.session.get_one(LeadRow, row.lead_id)
    detail = {"handover_id": row.handover_id, "reason_group": why.group, "reason": why.reason}
    add_event(work.session, lead.lead_id, event, detail, now=work.now)
    settle(work.session, lead, now=work.now, caused_at=at, why=why)


def accept_if_open(row: HandoverRow, by: str) -> None:
    """Mark a handover as taken on by somebody; one without an owner is theirs now."""
    if row.status in (HandoverStatus.HELD, HandoverStatus.OPEN):
        row.status = HandoverStatus.ACCEPTED.value
        row.owner = row.owner or by
