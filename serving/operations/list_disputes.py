"""List disputed scores, the oldest first, a page at a time."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Engine, and_, or_, select

from features.words.reasons import Language
from serving.db.session import read_transaction
from serving.db.tables_feedback import DisputeRow
from serving.disputes import DisputeView, dispute_view


class DisputeState(StrEnum):
    """Which disputes are asked for."""

    OPEN = "open"
    OVERDUE = "overdue"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedDisputes:
    """Which disputes are asked for; None: any. `after` is the last one of the page before."""

    limit: int
    after: str | None = None
    state: DisputeState | None = None
    lead_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputePage:
    """One page; `next_after` asks for the next one, empty on the last."""

    items: tuple[DisputeView, ...]
    next_after: str


def list_disputes(database: Engine, wanted: WantedDisputes, *, now: datetime, lang: Language) -> DisputePage:
    """Return a page by when they were recorded, then by id; an unknown `after` begins at the start."""
    with read_transaction(database) as session:
        query = select(DisputeRow).order_by(DisputeRow.recorded_at, DisputeRow.dispute_id)
        if wanted.state is not None:
            query = query.where(_is_in(wanted.state, now))
        if wanted.lead_id is not None:
            query = query.where(DisputeRow.lead_id == wanted.lead_id)
        last = session.get(DisputeRow, wanted.after) if wanted.after else None
        if last is not None:
            query = query.where(_behind(last))
        rows = session.scalars(query.limit(wanted.limit + 1)).all()
        shown = rows[: wanted.limit]
        return DisputePage(
            items=tuple(dispute_view(row, now=now, lang=lang) for row in shown),
            next_after=shown[-1].dispute_id if len(rows) > wanted.limit else "",
        )


def _is_in(state: DisputeState, now: datetime) -> ColumnElement[bool]:
    """Return the rows of a state; an overdue dispute is open, too."""
    if state is DisputeState.ANSWERED:
        return DisputeRow.answered_at.is_not(None)
    is_open = DisputeRow.answered_at.is_(None)
    return is_open if state is DisputeState.OPEN else and_(is_open, DisputeRow.due_at < now)


def _behind(last: DisputeRow) -> ColumnElement[bool]:
    same_time = and_(DisputeRow.recorded_at == last.recorded_at, DisputeRow.dispute_id > last.dispute_id)
    return or_(DisputeRow.recorded_at > last.recorded_at, same_time)
