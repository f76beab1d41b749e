"""Record deals as they stand: of one id the newest state counts; stages and handovers follow."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from features.history.store import History
from serving.db.audited import audited_transaction
from serving.db.tables_leads import DealRow
from serving.handovers import Why
from serving.lead_marks import UNKEYED, LeadMarks, refuse_erased
from serving.lead_news import tell_deal
from serving.lead_work import lead_row, settle
from serving.operations.record_activities import Recorded
from serving.reasons import Agreed, agreed_now, code_problem, refuse_not_agreed
from sla.lifecycle import EventKind


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
    loss_code: str | None = None


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
    which the lead goes back to marketing; the agreement in force says what it counts as. Raises
    `NotAgreedError` for codes it does not list, `ErasedLeadError` when one of the persons was erased, and
    stores nothing.
    """
    with audited_transaction(database, now=now) as work:
        session, agreed = work.session, agreed_now(work.session, now=now)
        refuse_erased(session, {one.lead_id for one in deals}, marks)
        for lead_id in sorted({one.lead_id for one in deals}):
            lead_row(session, history, lead_id, now=now)
        problems = (
            code_problem(agreed, f"items[{place}].loss_code", one.loss_code)
            for place, one in enumerate(deals)
        )
        refuse_not_agreed(problems)
        new = [one for one in sorted(deals, key=_precedence) if _store(session, one, agreed, now)]
        latest = {one.lead_id: one for one in new}
        standings = tuple(
            settle(
                session,
                lead_row(session, history, lead_id, now=now),
                now=now,
                caused_at=deal.changed_at,
                why=_why(deal, agreed),
            )
            for lead_id, deal in sorted(latest.items())
        )
        counts = {"stored": len(new), "repeated": len(deals) - len(new)}
        work.note("deals.recorded", who=by, what=f"{len(latest)} leads", after=counts)
        return Recorded(**counts, leads=standings)


def _store(session: Session, deal: NewDeal, agreed: Agreed, now: datetime) -> bool:
    """Store a deal if it is newer than what is known; say whether it was. That it ended is told."""
    row = session.get(DealRow, deal.deal_id)
    before = None if row is None else row.outcome
    if row is None:
        row = DealRow(**asdict(deal))
        session.add(row)
    else:
        known = NewDeal(**{name: getattr(row, name) for name in NewDeal.__dataclass_fields__})
        if _precedence(deal) <= _precedence(known):
            return False
    if not _is_same_loss(row, deal):
        _count(row, _why(deal, agreed), now)
    for name, value in asdict(deal).items():
        setattr(row, name, value)
    session.flush()
    if row.outcome is not None and row.outcome != before:
        tell_deal(session, row, now=now)
    return True


def _is_same_loss(row: DealRow, deal: NewDeal) -> bool:
    """Say whether the deal was lost before for the same reason: what was asked then is asked still."""
    was, now = ((one.outcome, one.loss_reason, one.loss_code) for one in (row, deal))
    return row.recorded_at is not None and was == now


def _count(row: DealRow, why: Why, now: datetime) -> None:
    row.reason_group, row.reason_code, row.reason_policy = why.group, why.code, why.policy
    row.recorded_at = now


def _why(deal: NewDeal, agreed: Agreed) -> Why:
    """Return what a lost deal counts as; one that is not lost has no reason."""
    if deal.outcome != EventKind.LOST:
        return Why(reason=deal.loss_reason)
    return agreed.why(group=None, code=deal.loss_code, text=deal.loss_reason)


def _precedence(deal: NewDeal) -> tuple[datetime, str]:
    return deal.changed_at, repr(deal)
