"""Record deals as they stand: of one id the newest state counts; stages and handovers follow."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from features.errors import LeadPactError
from features.history.store import History
from serving.db.tables_leads import DealRow, LeadRow
from serving.errors import NotAgreedError
from serving.handovers import Why
from serving.lead_marks import UNKEYED, LeadMarks
from serving.lead_news import tell_deal
from serving.lead_scoring import Cause
from serving.operations.record_changes import Note, Recorded, Stored, record_change
from serving.reasons import Agreed, agreed_now, code_problem
from serving.scorer import Scorer
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


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDeals:
    """Deals of known leads, as they were sent.

    What is older than the state that is known changes nothing; of two states at one instant the greater as
    text counts, so that the order of arrival does not matter. The reason of a lost deal is the reason with
    which the lead goes back to marketing; the agreement in force says what it counts as, and its codes are
    the only ones.
    """

    deals: tuple[NewDeal, ...]
    by: str

    @property
    def lead_ids(self) -> frozenset[str]:
        """The leads the deals are with."""
        return frozenset(one.lead_id for one in self.deals)

    @property
    def creates_leads(self) -> bool:
        """Only leads that are known have deals."""
        return False

    def refusal(self, session: Session, *, now: datetime) -> LeadPactError | None:
        """Codes that the agreement does not list, if any."""
        agreed = agreed_now(session, now=now)
        problems = (
            code_problem(agreed, f"items[{place}].loss_code", one.loss_code)
            for place, one in enumerate(self.deals)
        )
        found = tuple(one for one in problems if one is not None)
        return NotAgreedError(found) if found else None

    @classmethod
    def store_all(
        cls, session: Session, changes: Sequence[Self], _leads: Mapping[str, LeadRow], *, now: datetime
    ) -> list[Stored]:
        """Store what is newer than what is known; that a deal ended is told."""
        agreed = agreed_now(session, now=now)
        return [one.store(session, agreed, now=now) for one in changes]

    def store(self, session: Session, agreed: Agreed, *, now: datetime) -> Stored:
        """Store what is newer of one request."""
        new = [one for one in sorted(self.deals, key=_precedence) if _store(session, one, agreed, now=now)]
        causes = {one.lead_id: Cause(at=one.changed_at, why=_why(one, agreed)) for one in new}
        return Stored(causes=causes, counts={"stored": len(new), "repeated": len(self.deals) - len(new)})

    def note(self, stored: Stored, _marks: LeadMarks) -> Note:
        """Say how many leads it changed."""
        return Note(act="deals.recorded", who=self.by, what=f"{len(stored.causes)} leads")


def record_deals(
    database: Engine,
    deals: Sequence[NewDeal],
    *,
    history: History,
    scorer: Scorer | None,
    by: str,
    now: datetime,
    marks: LeadMarks = UNKEYED,
) -> Recorded:
    """Store deals of known leads, score those leads as of now, and return where they stand."""
    change = NewDeals(deals=tuple(deals), by=by)
    return record_change(database, change, history=history, scorer=scorer, now=now, marks=marks)


def _store(session: Session, deal: NewDeal, agreed: Agreed, *, now: datetime) -> bool:
    """Store a deal if it is newer than what is known; say whether it was. That it ended is told."""
    row = session.get(DealRow, deal.deal_id)
    if row is None:
        row = DealRow(**asdict(deal))
        session.add(row)
        before = None
    else:
        known = NewDeal(**{name: getattr(row, name) for name in NewDeal.__dataclass_fields__})
        if _precedence(deal) <= _precedence(known):
            return False
        before = known.outcome
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
