"""Record deals as they stand: of one id the newest state counts; stages and handovers follow."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from features.history.store import History
from serving.db.tables_leads import DealRow, LeadRow
from serving.lead_scoring import Cause
from serving.operations.record_changes import Note, Recorded, Stored, record_change
from serving.scorer import Scorer


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


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDeals:
    """Deals of known leads, as they were sent.

    What is older than the state that is known changes nothing; of two states at one instant the greater as
    text counts, so that the order of arrival does not matter. The reason of a lost deal is the reason with
    which the lead goes back to marketing.
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

    @classmethod
    def store_all(
        cls,
        session: Session,
        changes: Sequence[Self],
        _leads: Mapping[str, LeadRow],
        *,
        now: datetime,  # noqa: ARG003 - a deal says itself since when it is so
    ) -> list[Stored]:
        """Store what is newer than what is known."""
        return [one.store(session) for one in changes]

    def store(self, session: Session) -> Stored:
        """Store what is newer of one request."""
        new = [one for one in sorted(self.deals, key=_precedence) if _store(session, one)]
        causes = {one.lead_id: Cause(at=one.changed_at, why=(None, one.loss_reason)) for one in new}
        return Stored(causes=causes, counts={"stored": len(new), "repeated": len(self.deals) - len(new)})

    def note(self, stored: Stored) -> Note:
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
) -> Recorded:
    """Store deals of known leads, score those leads as of now, and return where they stand."""
    change = NewDeals(deals=tuple(deals), by=by)
    return record_change(database, change, history=history, scorer=scorer, now=now)


def _store(session: Session, deal: NewDeal) -> bool:
    """Store a deal if it is newer than what is known; say whether it was."""
    row = session.get(DealRow, deal.deal_id)
    if row is None:
        session.add(DealRow(**asdict(deal)))
        session.flush()
        return True
    known = NewDeal(**{name: getattr(row, name) for name in NewDeal.__dataclass_fields__})
    if _precedence(deal) <= _precedence(known):
        return False
    for name, value in asdict(deal).items():
        setattr(row, name, value)
    return True


def _precedence(deal: NewDeal) -> tuple[datetime, str]:
    return deal.changed_at, repr(deal)
