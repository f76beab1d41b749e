"""One lead as the service knows it: what was ingested together with what was imported.

Decides how both are joined: an activity id counts once, an attribute has its newest value, and what was
ingested is newer than what was imported at the same instant.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from features.history.store import History
from features.history.stored_lead import StoredLead
from serving.db.tables_leads import ActivityRow, LeadAttributeRow, LeadRow

Row = Mapping[str, object]
NOTHING = StoredLead(lead={}, activities=(), attribute_changes=())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AttributeValue:
    """What an attribute became at an instant, and when we came to know it (None: before we kept that)."""

    attribute: str
    changed_at: datetime
    value: object
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KnownLead:
    """A lead with everything known of it; `row` is None for one that was only imported."""

    row: LeadRow | None
    imported: StoredLead
    values: tuple[AttributeValue, ...]
    ingested: tuple[Row, ...]

    def as_of(self, instant: datetime) -> dict[str, object]:
        """Return the flat lead (id, created_at, attributes) as it was known at an instant (inclusive)."""
        lead: dict[str, object] = dict(self.imported.lead_as_of(instant))
        if self.row is not None:
            lead |= {"lead_id": self.row.lead_id, "created_at": self.row.created_at}
        newest = {one.attribute: one.value for one in self.values if one.changed_at <= instant}
        return lead | newest

    @property
    def activities(self) -> tuple[Row, ...]:
        """Return what the lead did, imported and ingested; the same id may occur twice, which counts once."""
        return (*self.imported.activities, *self.ingested)

    @property
    def attribute_changes(self) -> tuple[Row, ...]:
        """Return when attributes changed; the first value of an attribute is no change."""
        changes = [*self.imported.attribute_changes]
        present = dict(self.imported.lead)
        for one in self.values:
            if one.attribute in present and present[one.attribute] != one.value:
                change = {"attribute": one.attribute, "changed_at": one.changed_at, "value": one.value}
                changes.append(change)
            present[one.attribute] = one.value
        return tuple(changes)

    def reached_until(self, instant: datetime) -> "KnownLead":
        """Return the lead without what reached us after an instant; imports count as always known."""
        values = tuple(one for one in self.values if one.recorded_at is None or one.recorded_at <= instant)
        ingested = tuple(one for one in self.ingested if _reached(one.get("recorded_at"), instant))
        return replace(self, values=values, ingested=ingested)


def _reached(recorded_at: object, instant: datetime) -> bool:
    return not isinstance(recorded_at, datetime) or recorded_at <= instant


def find_lead(session: Session, history: History, lead_id: str) -> KnownLead | None:
    """Return one lead, or None when neither the database nor the history knows it."""
    row = session.get(LeadRow, lead_id)
    imported = history.read_lead(lead_id) if history.exists() else None
    if row is None and imported is None:
        return None
    return KnownLead(
        row=row,
        imported=imported or NOTHING,
        values=() if row is None else tuple(_values(session, lead_id)),
        ingested=() if row is None else tuple(_activities(session, lead_id)),
    )


def unknown_leads(connection: Connection, history: History, lead_ids: Iterable[str]) -> frozenset[str]:
    """Return the ids that neither the database nor the history knows."""
    asked = set(lead_ids)
    found = set(connection.scalars(select(LeadRow.lead_id).where(LeadRow.lead_id.in_(asked))))
    rest = asked - found
    if history.exists():
        rest = {lead_id for lead_id in rest if history.read_lead(lead_id) is None}
    return frozenset(rest)


def _values(session: Session, lead_id: str) -> list[AttributeValue]:
    query = (
        select(LeadAttributeRow)
        .where(LeadAttributeRow.lead_id == lead_id)
        .order_by(LeadAttributeRow.changed_at, LeadAttributeRow.attribute)
    )
    return [
        AttributeValue(
            attribute=row.attribute,
            changed_at=row.changed_at,
            value=json.loads(row.value),
            recorded_at=row.recorded_at,
        )
        for row in session.scalars(query)
    ]


def _activities(session: Session, lead_id: str) -> list[Row]:
    query = select(ActivityRow).where(ActivityRow.lead_id == lead_id).order_by(ActivityRow.occurred_at)
    names = ("activity_id", "occurred_at", "kind", "asset", "channel", "value", "recorded_at")
    return [{name: getattr(row, name) for name in names} for row in session.scalars(query)]
