"""What is told about leads, handovers and deals: from rows to messages, nothing decided here."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from serving.db.tables_leads import DealRow, HandoverRow, LeadRow
from serving.outbox import CLOCK_EVENTS, Event, News, tell


def tell_score(session: Session, lead: LeadRow, *, now: datetime) -> None:
    """Tell that a lead has other points than before."""
    data = {"lead_id": lead.lead_id, "score_id": lead.score_id, "points": lead.points}
    news = News(
        event=Event.LEAD_SCORED,
        about=f"{lead.lead_id}\n{lead.score_id}",
        at=now,
        lead_id=lead.lead_id,
        data=data | {"probability": lead.probability},
    )
    tell(session, news, now=now)


def tell_stage(session: Session, lead: LeadRow, before: str, *, now: datetime) -> None:
    """Tell that a lead is in another stage than before."""
    data = {
        "lead_id": lead.lead_id,
        "from_stage": before,
        "to_stage": lead.stage,
        "cycle": lead.cycle,
        "points": lead.points,
        "persona": lead.persona,
    }
    news = News(
        event=Event.LEAD_STAGE_CHANGED,
        about="\n".join((lead.lead_id, before, lead.stage, str(lead.cycle), now.isoformat())),
        at=now,
        lead_id=lead.lead_id,
        data=data,
    )
    tell(session, news, now=now)


def tell_handover(session: Session, row: HandoverRow, *, now: datetime) -> None:
    """Tell that a lead was passed to sales, or back."""
    news = News(
        event=Event.HANDOVER_CREATED,
        about=row.handover_id,
        at=row.created_at,
        lead_id=row.lead_id,
        data=_handover(row) | {"direction": row.direction, "persona": row.persona, "points": row.points},
    )
    tell(session, news, now=now)


def tell_clocks(
    session: Session, row: HandoverRow, raised: Sequence[Mapping[str, object]], *, now: datetime
) -> None:
    """Tell what the clocks of a handover have raised; that one was met is no news."""
    for one in raised:
        event, at = CLOCK_EVENTS.get(str(one["kind"])), one["at"]
        if event is not None and isinstance(at, datetime):
            data = _handover(row) | {"clock": str(one["clock"]), "since": at}
            about = str(one["event_id"])
            tell(session, News(event=event, about=about, at=at, lead_id=row.lead_id, data=data), now=now)


def tell_deal(session: Session, deal: DealRow, *, now: datetime) -> None:
    """Tell that a deal was won or lost."""
    event = Event.DEAL_WON if deal.outcome == "won" else Event.DEAL_LOST
    data = {"lead_id": deal.lead_id, "deal_id": deal.deal_id, "closed_at": deal.closed_at}
    news = News(
        event=event,
        about=f"{deal.deal_id}\n{deal.changed_at.isoformat()}",
        at=deal.closed_at or deal.changed_at,
        lead_id=deal.lead_id,
        data=data | {"amount": deal.amount},
    )
    tell(session, news, now=now)


def _handover(row: HandoverRow) -> dict[str, object]:
    return {
        "handover_id": row.handover_id,
        "lead_id": row.lead_id,
        "cycle": row.cycle,
        "status": row.status,
        "owner": row.owner,
        "due_at": row.due_at,
        "policy_version": row.policy_version,
    }
