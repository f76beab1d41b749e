"""Wins as they are stored, with what was known of each lead before: its seller, its stages, its persona."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving import lead_work
from serving.db.tables_leads import DealRow, HandoverRow, LeadRow
from serving.touches import blocks
from sla.handover import Direction
from sla.lifecycle import EventKind, LeadState


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWin:
    """One deal that was won."""

    deal_id: str
    lead_id: str
    at: datetime
    created_at: datetime
    amount: float | None
    persona: str | None


def wins_between(session: Session, since: datetime, until: datetime) -> tuple[StoredWin, ...]:
    """Return the deals won in [since, until), the newest first, then by id."""
    query = (
        select(DealRow, LeadRow)
        .join(LeadRow, LeadRow.lead_id == DealRow.lead_id)
        .where(DealRow.outcome == EventKind.WON.value, DealRow.closed_at >= since, DealRow.closed_at < until)
        .order_by(DealRow.closed_at.desc(), DealRow.deal_id)
    )
    return tuple(
        StoredWin(
            deal_id=deal.deal_id,
            lead_id=deal.lead_id,
            at=deal.closed_at or deal.changed_at,
            created_at=lead.created_at,
            amount=deal.amount,
            persona=lead.persona,
        )
        for deal, lead in session.execute(query)
    )


def sellers_of(session: Session, lead_ids: Iterable[str]) -> Mapping[str, str]:
    """Return who in sales had each lead last."""
    found: dict[str, str] = {}
    for some in blocks(sorted(set(lead_ids))):
        query = (
            select(HandoverRow.lead_id, HandoverRow.owner)
            .where(
                HandoverRow.lead_id.in_(some),
                HandoverRow.direction == Direction.TO_SALES.value,
                HandoverRow.owner.is_not(None),
            )
            .order_by(HandoverRow.created_at, HandoverRow.handover_id)
        )
        found |= {lead_id: str(owner) for lead_id, owner in session.execute(query)}
    return found


def states_of(session: Session, lead_ids: Iterable[str]) -> Mapping[str, LeadState]:
    """Return how each lead came through its stages."""
    found: dict[str, LeadState] = {}
    for some in blocks(sorted(set(lead_ids))):
        leads = session.scalars(select(LeadRow).where(LeadRow.lead_id.in_(some))).all()
        found |= lead_work.states_of(session, leads)
    return found
