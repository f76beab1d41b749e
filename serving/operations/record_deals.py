"""Record deals as they stand: of one id the newest state counts; stages and handovers follow."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from features.history.store import History
from serving.db.audited import audited_transaction
from serving.db.tables_leads import DealRow
from serving.lead_marks import UNKEYED, LeadMarks, refuse_erased
from serving.lead_news import tell_deal
from serving.lead_work import lead_row, settle
from serving.operations.record_activities import Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDeal:
    """A deal as it stood at `changed_at`, as it was sent; without an outcome it is open."""

    deal_id: str
    lead_id: str
    changed_at: datetime
    outcome: str | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    planned_close_at: datetime | None = None
    amount: float | None = None
    loss_reason: str | None = None


def record_deals(
    database: Engine,
    deals: Sequence[NewDeal],
    *,
    history: History,
    by: str,
    now: datetime,
    marks: LeadMarks = UNKEYED,
) -> Recorded:
    """Store deals of known leads and return where those leads stand.

    What is older than the state that is known changes nothing; of two states at one instant the greater as
    text counts, so that the order of arrival does not matter. The reason of a lost deal is the reason with
    which the lead goes back to marketing. Raises `ErasedLeadError` when one of the persons was erased.
    """
    with audited_transaction(database, now=now) as work:
        session = work.session
        refuse_erased(session, {one.lead_id for one in deals}, marks)
        for lead_id in sorted({one.lead_id for one in deals}):
            lead_row(session, history, lead_id, now=now)
        new = [one for one in sorted(deals, key=_precedence) if _store(session, one, now=now)]
        latest = {one.lead_id: one for one in new}
        standings = tuple(
            settle(
                session,
                lead_row(session, history, lead_id, now=now),
                now=now,
                caused_at=deal.changed_at,
                why=(None, deal.loss_reason),
            )
            for lead_id, deal in sorted(latest.items())
        )
        counts = {"stored": len(new), "repeated": len(deals) - len(new)}
        work.note("deals.recorded", who=by, what=f"{len(latest)} leads", after=counts)
        return Recorded(**counts, leads=standings)


def _store(session: Session, deal: NewDeal, *, now: datetime) -> bool:
    """Store a deal if it is newer than what is known; say whether it was. That it ended is told."""
    row = session.get(DealRow, deal.deal_id)
    if row is None:
        row = DealRow(**asdict(deal))
        session.add(row)
        session.flush()
        _tell(session, row, None, now=now)
        return True
    known = NewDeal(**{name: getattr(row, name) for name in NewDeal.__dataclass_fields__})
    if _precedence(deal) <= _precedence(known):
        return False
    for name, value in asdict(deal).items():
        setattr(row, name, value)
    _tell(session, row, known.outcome, now=now)
    return True


def _tell(session: Session, row: DealRow, before: str | None, *, now: datetime) -> None:
    if row.outcome is not None and row.outcome != before:
        tell_deal(session, row, now=now)


def _precedence(deal: NewDeal) -> tuple[datetime, str]:
    return deal.changed_at, repr(deal)
