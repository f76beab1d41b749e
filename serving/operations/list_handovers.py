"""List handovers, the most urgent first, a page at a time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, Select, and_, or_, select

from features.words.reasons import Language
from serving.db.session import read_transaction
from serving.db.tables_leads import HandoverRow
from serving.handover_views import HandoverView, handover_view

Query = Select[HandoverRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which handovers are asked for; None: any. `after` is the last one of the page before."""

    limit: int
    after: str | None = None
    status: tuple[str, ...] = ()
    direction: str | None = None
    owner: str | None = None
    lead_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverPage:
    """One page; `next_after` asks for the next one, empty on the last."""

    items: tuple[HandoverView, ...]
    next_after: str


def list_handovers(database: Engine, wanted: Wanted, *, now: datetime, lang: Language) -> HandoverPage:
    """Return a page by deadline, then by id; those without a deadline come last.

    An unknown `after` begins at the start.
    """
    with read_transaction(database) as session:
        query = _filtered(wanted)
        last = session.get(HandoverRow, wanted.after) if wanted.after else None
        if last is not None:
            query = query.where(_behind(last))
        order = (HandoverRow.due_at.is_(None), HandoverRow.due_at, HandoverRow.handover_id)
        rows = session.scalars(query.order_by(*order).limit(wanted.limit + 1)).all()
        shown = rows[: wanted.limit]
        return HandoverPage(
            items=tuple(handover_view(session, row, now=now, lang=lang) for row in shown),
            next_after=shown[-1].handover_id if len(rows) > wanted.limit else "",
        )


def _filtered(wanted: Wanted) -> Query:
    query = select(HandoverRow)
    if wanted.status:
        query = query.where(HandoverRow.status.in_(wanted.status))
    for column, value in (
        (HandoverRow.direction, wanted.direction),
        (HandoverRow.owner, wanted.owner),
        (HandoverRow.lead_id, wanted.lead_id),
    ):
        query = query if value is None else query.where(column == value)
    return query


def _behind(last: HandoverRow) -> ColumnElement[bool]:
    """Return the rows that come after one in the order of the list."""
    same_time_later_id = HandoverRow.handover_id > last.handover_id
    if last.due_at is None:
        return and_(HandoverRow.due_at.is_(None), same_time_later_id)
    return or_(
        HandoverRow.due_at > last.due_at,
        and_(HandoverRow.due_at == last.due_at, same_time_later_id),
        HandoverRow.due_at.is_(None),
    )
