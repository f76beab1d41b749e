"""The lives of leads, read in bulk for reports: their folded events, and what they are grouped by.

Decides which leads a report about a period has to look at, and what is known of them at an instant.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow.compute as pc
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from features.history.store import History
from features.tables import LEADS
from serving.db.tables import ScoreRow
from serving.db.tables_leads import DealRow, LeadAttributeRow, LeadRow, StageEventRow
from serving.lead_work import events_of
from sla.lifecycle import EventKind, LeadEvent, LeadState, fold_events

MOST_IDS = 500
"""So many ids fit into one question to either database."""

FACTS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (
        StageEventRow,
        ("lead_id", "event_id", "occurred_at", "kind", "stage", "basis", "dwell_days", "rest_days", "lifts"),
    ),
    (DealRow, ("lead_id", "deal_id", "opened_at", "closed_at", "outcome")),
)
"""What the stage of a lead follows from: events of its own, and its deals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadLife:
    """One lead and everything that happened to its stage; `persona` is that of its newest score."""

    lead_id: str
    created_at: datetime
    persona: str
    events: tuple[LeadEvent, ...]

    def state_at(self, instant: datetime) -> LeadState:
        """Return where the lead stood at an instant, by what is known now."""
        known = (one for one in self.events if one.occurred_at <= instant)
        return fold_events(known, created_at=self.created_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFacts:
    """What a stored score says: the probability, and the versions of model and policy it was made with."""

    probability: float
    model_version: str
    policy_version: str


def read_lives(session: Session, *, since: datetime, until: datetime) -> tuple[LeadLife, ...]:
    """Return the leads that were created in [since, until), or whose stage has changed since, by id.

    Whatever a lead did to its stage in the period has changed it since, so nothing of the period is missing.
    """
    is_wanted = (LeadRow.created_at < until) & or_(LeadRow.created_at >= since, LeadRow.stage_since >= since)
    events, deals = (_by_lead(session, table, names, is_wanted) for table, names in FACTS)
    columns = (LeadRow.lead_id, LeadRow.created_at, LeadRow.persona)
    leads = session.execute(select(*columns).where(is_wanted).order_by(LeadRow.lead_id))
    return tuple(
        LeadLife(
            lead_id=lead.lead_id,
            created_at=lead.created_at,
            persona=lead.persona or "",
            events=tuple(events_of(events.get(lead.lead_id, ()), deals.get(lead.lead_id, ()))),
        )
        for lead in leads
    )


def read_scores(session: Session, events: Iterable[LeadEvent]) -> Mapping[str, ScoreFacts]:
    """Return what the scores behind events say, by the id of the event."""
    prefix = f"1-{EventKind.SCORED}-"
    wanted = {one.event_id.removeprefix(prefix): one.event_id for one in events}
    columns = (ScoreRow.score_id, ScoreRow.probability, ScoreRow.model_version, ScoreRow.policy_version)
    found = {}
    for ids in _in_chunks(sorted(wanted)):
        for score_id, probability, model, policy in session.execute(
            select(*columns).where(ScoreRow.score_id.in_(ids))
        ):
            found[wanted[score_id]] = ScoreFacts(
                probability=probability, model_version=model, policy_version=policy
            )
    return found


def read_attribute(
    session: Session, history: History, attribute: str, lead_ids: Iterable[str]
) -> Mapping[str, str]:
    """Return the newest value of one attribute as text, ingested or imported; "" where it is unknown."""
    values = dict.fromkeys(lead_ids, "")
    query = (
        select(LeadAttributeRow.lead_id, LeadAttributeRow.value)
        .where(LeadAttributeRow.attribute == attribute)
        .order_by(LeadAttributeRow.changed_at)
    )
    values |= {
        lead_id: _text(json.loads(value)) for lead_id, value in session.execute(query) if lead_id in values
    }
    missing = {lead_id for lead_id, value in values.items() if not value}
    return values | dict(_imported(history, attribute, missing))


def _imported(history: History, attribute: str, lead_ids: set[str]) -> Iterator[tuple[str, str]]:
    if not lead_ids or not history.exists():
        return
    table = history.read_table(LEADS)
    if attribute not in table.column_names:
        return
    rows = table.select(["lead_id", attribute]).filter(pc.is_valid(table.column(attribute)))
    for lead_id, value in zip(*(column.to_pylist() for column in rows.columns), strict=True):
        if lead_id in lead_ids:
            yield lead_id, _text(value)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _by_lead(
    session: Session, table: Any, names: tuple[str, ...], is_wanted: ColumnElement[bool]
) -> Mapping[str, list[Any]]:
    """Return rows with these columns by lead: plain rows, which read several times as fast as entities."""
    columns = [getattr(table, name) for name in names]
    query = select(*columns).join(LeadRow, LeadRow.lead_id == table.lead_id).where(is_wanted)
    groups: dict[str, list[Any]] = defaultdict(list)
    for row in session.execute(query):
        groups[row.lead_id].append(row)
    return groups


def _in_chunks(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), MOST_IDS):
        yield ids[start : start + MOST_IDS]
