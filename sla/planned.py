"""What became of deals that were planned to close on a day; on time means by the end of that day."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo


class PlannedOutcome(StrEnum):
    """What became of a planned deal."""

    WON_ON_TIME = "won_on_time"
    WON_LATE = "won_late"
    LOST = "lost"
    OVERDUE = "overdue"
    STILL_PLANNED = "still_planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDeal:
    """A deal with a plan, as it is known now; an open one has no `closed_at`."""

    planned_at: datetime
    closed_at: datetime | None = None
    is_won: bool = False


def planned_outcome(deal: PlannedDeal, *, zone: str, now: datetime) -> PlannedOutcome:
    """Return what became of a deal as known at `now`; days are those of `zone`."""
    at = ZoneInfo(zone)
    planned, today = deal.planned_at.astimezone(at).date(), now.astimezone(at).date()
    if deal.closed_at is None or deal.closed_at > now:
        return PlannedOutcome.OVERDUE if today > planned else PlannedOutcome.STILL_PLANNED
    if not deal.is_won:
        return PlannedOutcome.LOST
    is_late = deal.closed_at.astimezone(at).date() > planned
    return PlannedOutcome.WON_LATE if is_late else PlannedOutcome.WON_ON_TIME
