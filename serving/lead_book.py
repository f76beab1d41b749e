"""Many leads at once, each with all that a score, its stage and its handover rest on, in one query per table.

Decides what is read, not what follows from it (`serving.lead_work`): all that is known now, without when it
reached us. Rows of things that happened come as
plain values; a lead's own row and its handover are objects, because they change with it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from features.history.store import History
from serving.db.tables_leads import (
    ActivityRow,
    DealRow,
    HandoverRow,
    LeadAttributeRow,
    LeadRow,
    StageEventRow,
)
from serving.handovers import RUNNING_WORDS
from serving.lead_events import deal_events, lead_event
from serving.leads import NOTHING, AttributeValue, KnownLead, Row
from sla.handover import Direction
from sla.lifecycle import LeadEvent
from sla.stages import Stage

ACTIVITY_NAMES = ("activity_id", "occurred_at", "kind", "asset", "channel", "value")

_decode = msgspec.json.Decoder().decode


@dataclass(slots=True, kw_only=True, eq=False)
class OpenLead:
    """One lead under work: its row, what is known of it, its events with those of its deals, its handover."""

    row: LeadRow
    known: KnownLead
    events: list[LeadEvent] = field(default_factory=list)
    running: HandoverRow | None = None


def lead_rows(
    session: Session, history: History, lead_ids: Iterable[str], *, now: datetime
) -> dict[str, LeadRow]:
    """Return the rows of leads by id; one that is new, or was only imported so far, gets one."""
    wanted = sorted(set(lead_ids))
    rows = {row.lead_id: row for row in session.scalars(_of(LeadRow.lead_id, wanted, select(LeadRow)))}
    for lead_id in wanted:
        if lead_id not in rows:
            imported = history.read_lead(lead_id) if history.exists() else None
            created_at = None if imported is None else imported.lead.get("created_at")
            rows[lead_id] = _new_row(lead_id, created_at, now)
            session.add(rows[lead_id])
    session.flush()
    return rows


def open_leads(session: Session, history: History, rows: Mapping[str, LeadRow]) -> tuple[OpenLead, ...]:
    """Return leads with everything known of them, in the order of their rows."""
    session.flush()
    wanted, is_imported = list(rows), history.exists()
    values, activities = _values(session, wanted), _activities(session, wanted)
    leads = {
        lead_id: OpenLead(
            row=row,
            known=KnownLead(
                row=row,
                imported=(history.read_lead(lead_id) if is_imported else None) or NOTHING,
                values=tuple(values.get(lead_id, ())),
                ingested=tuple(activities.get(lead_id, ())),
            ),
        )
        for lead_id, row in rows.items()
    }
    _add_events(session, leads)
    return tuple(leads.values())


def _new_row(lead_id: str, created_at: object, now: datetime) -> LeadRow:
    return LeadRow(
        lead_id=lead_id,
        created_at=created_at if isinstance(created_at, datetime) else now,
        stage=Stage.LEAD.value,
        cycle=1,
    )


def _of(column: InstrumentedAttribute[str], wanted: Sequence[str], query: Any) -> Any:
    return query.where(column.in_(wanted))


def _values(session: Session, wanted: Sequence[str]) -> dict[str, list[AttributeValue]]:
    table = LeadAttributeRow
    query = select(table.lead_id, table.attribute, table.changed_at, table.value)
    found: dict[str, list[AttributeValue]] = {}
    order = (table.changed_at, table.attribute)
    for lead_id, attribute, changed_at, value in session.execute(
        _of(table.lead_id, wanted, query).order_by(*order)
    ):
        one = AttributeValue(attribute=attribute, changed_at=changed_at, value=_decode(value))
        found.setdefault(lead_id, []).append(one)
    return found


def _activities(session: Session, wanted: Sequence[str]) -> dict[str, list[Row]]:
    query = select(ActivityRow.lead_id, *(getattr(ActivityRow, name) for name in ACTIVITY_NAMES))
    found: dict[str, list[Row]] = {}
    ordered = _of(ActivityRow.lead_id, wanted, query).order_by(ActivityRow.occurred_at)
    for lead_id, *values in session.execute(ordered):
        found.setdefault(lead_id, []).append(dict(zip(ACTIVITY_NAMES, values, strict=True)))
    return found


def _add_events(session: Session, leads: dict[str, OpenLead]) -> None:
    """Give each lead its stored events, those of its deals, and its running handover."""
    wanted = list(leads)
    for row in session.execute(_of(StageEventRow.lead_id, wanted, select(StageEventRow.__table__))):
        leads[row.lead_id].events.append(lead_event(row))
    for row in session.execute(_of(DealRow.lead_id, wanted, select(DealRow.__table__))):
        leads[row.lead_id].events.extend(deal_events(row))
    query = select(HandoverRow).where(*_is_running())
    for handover in session.scalars(_of(HandoverRow.lead_id, wanted, query)):
        leads[handover.lead_id].running = handover


def _is_running() -> Iterator[ColumnElement[bool]]:
    yield HandoverRow.direction == Direction.TO_SALES.value
    yield HandoverRow.status.in_(RUNNING_WORDS)
