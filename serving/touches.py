"""What leads touched, and where they came from: ingested and imported facts together, for many leads.

Decides what counts as a touch (an activity with an asset or a channel) and as a source: the attribute the
agreement names, else the channel of the first activity that has one.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from features.history.store import History
from features.history.stored_lead import StoredLead
from serving.db.tables_leads import ActivityRow, LeadAttributeRow
from sla.clauses_feedback import FeedbackRule

LEADS_PER_QUERY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One activity of a lead, with what it was about and where it came from."""

    activity_id: str
    at: datetime
    kind: str
    asset: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeadTouches:
    """One lead's activities by time, and its source; "" when nobody knows."""

    touches: tuple[Touch, ...] = ()
    source: str = ""

    def content_before(self, end: datetime, look_back: timedelta) -> tuple[Touch, ...]:
        """Return what the lead touched in (end - look_back, end] that is content, by time."""
        return tuple(one for one in self.touches if one.asset and end - look_back < one.at <= end)


UNTOUCHED = LeadTouches()


def touches_of(
    session: Session, history: History, lead_ids: Iterable[str], rule: FeedbackRule
) -> Mapping[str, LeadTouches]:
    """Return what is known of each lead."""
    asked = sorted(set(lead_ids))
    touches: dict[str, dict[str, Touch]] = {lead_id: {} for lead_id in asked}
    sources: dict[str, str] = {}
    for lead_id, stored in _imported(history, asked):
        sources |= _named(lead_id, stored.lead, rule.source_attribute)
        touches[lead_id] = {one.activity_id: one for one in map(_touch, stored.activities)}
    for lead_id, touch in _ingested(session, asked):
        known = touches[lead_id].get(touch.activity_id)
        touches[lead_id][touch.activity_id] = touch if known is None or touch.at < known.at else known
    sources |= _put_sources(session, asked, rule.source_attribute)
    return {lead_id: _joined(found.values(), sources.get(lead_id)) for lead_id, found in touches.items()}


def _joined(touches: Iterable[Touch], source: str | None) -> LeadTouches:
    ordered = tuple(sorted(touches, key=lambda one: (one.at, one.activity_id)))
    first_channel = next((one.channel for one in ordered if one.channel), "")
    return LeadTouches(touches=ordered, source=source or first_channel)


def _imported(history: History, lead_ids: Sequence[str]) -> Iterator[tuple[str, StoredLead]]:
    if not history.exists():
        return
    for lead_id in lead_ids:
        stored = history.read_lead(lead_id)
        if stored is not None:
            yield lead_id, stored


def _ingested(session: Session, lead_ids: Sequence[str]) -> Iterator[tuple[str, Touch]]:
    for some in blocks(lead_ids):
        query = select(
            ActivityRow.lead_id,
            ActivityRow.activity_id,
            ActivityRow.occurred_at,
            ActivityRow.kind,
            ActivityRow.asset,
            ActivityRow.channel,
        ).where(ActivityRow.lead_id.in_(some))
        for lead_id, activity_id, at, kind, asset, channel in session.execute(query):
            touch = Touch(activity_id=activity_id, at=at, kind=kind, asset=asset or "", channel=channel or "")
            yield lead_id, touch


def _touch(row: Mapping[str, object]) -> Touch:
    return Touch(
        activity_id=str(row["activity_id"]),
        at=cast("datetime", row["occurred_at"]),
        kind=str(row["kind"]),
        asset=str(row["asset"] or ""),
        channel=str(row["channel"] or ""),
    )


def _named(lead_id: str, lead: Mapping[str, object], attribute: str | None) -> dict[str, str]:
    value = None if attribute is None else lead.get(attribute)
    return {} if value in (None, "") else {lead_id: str(value)}


def _put_sources(session: Session, lead_ids: Sequence[str], attribute: str | None) -> dict[str, str]:
    """Return the newest value of the attribute that was put for each lead."""
    found: dict[str, str] = {}
    if attribute is None:
        return found
    for some in blocks(lead_ids):
        query = (
            select(LeadAttributeRow)
            .where(LeadAttributeRow.lead_id.in_(some), LeadAttributeRow.attribute == attribute)
            .order_by(LeadAttributeRow.changed_at)
        )
        for row in session.scalars(query):
            found[row.lead_id] = str(json.loads(row.value) or "")
    return found


def blocks(lead_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield ids in blocks that fit into one query."""
    for start in range(0, len(lead_ids), LEADS_PER_QUERY):
        yield lead_ids[start : start + LEADS_PER_QUERY]
