"""The cases of a joint goal: deals and leads of the database together with those that were imported.

Decides which cases count, and for what; what they mean is decided in `sla.goal`. A deal or a lead that both
know counts once, as the database has it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select
from sqlalchemy.orm import Session

from features.history.store import History
from features.tables import DEALS, LEADS, TIME_TYPE
from features.times import EPOCH
from serving.db.tables_leads import DealRow, LeadRow
from serving.periods import ReportPeriod
from sla.always_valid import Share
from sla.goal import Metric
from sla.lifecycle import EventKind

USUAL_HORIZON_DAYS = 90
"""Within so many days a win counts, where no import has said otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A deal that has ended."""

    lead_id: str
    closed_at: datetime
    is_won: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A lead, since when it is there and until when we know what became of it."""

    lead_id: str
    created_at: datetime
    known_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalCases:
    """The cases of one period, by the lead behind each; a lead with two deals is there twice."""

    won: tuple[str, ...]
    cases: tuple[str, ...]

    @property
    def share(self) -> Share:
        """The won ones among them, as counts."""
        return Share(len(self.won), len(self.cases))


def goal_cases(
    session: Session | None,
    history: History,
    metric: Metric,
    periods: Iterable[ReportPeriod],
    *,
    now: datetime,
) -> tuple[GoalCases, ...]:
    """Return the cases of each period as known at `now`; without a session those that were imported."""
    asked = tuple(periods)
    closed = _all_deals(session, history, since=min(one.since for one in asked), now=now)
    if metric is Metric.CLOSE_RATE:
        return tuple(closed_cases(closed, period) for period in asked)
    begun, horizon = _all_leads(session, history, now), _horizon(history)
    return tuple(matured_cases(begun, closed, period, horizon=horizon) for period in asked)


def closed_cases(closed: Iterable[Closed], period: ReportPeriod) -> GoalCases:
    """Return the deals that closed in a period."""
    inside = [one for one in closed if period.holds(one.closed_at)]
    won = tuple(one.lead_id for one in inside if one.is_won)
    return GoalCases(won=won, cases=tuple(one.lead_id for one in inside))


def matured_cases(
    begun: Iterable[Begun], closed: Iterable[Closed], period: ReportPeriod, *, horizon: timedelta
) -> GoalCases:
    """Return the leads created in a period that were followed for a whole horizon; won means within it."""
    cases = [
        one for one in begun if period.holds(one.created_at) and one.created_at + horizon <= one.known_until
    ]
    first_win: dict[str, datetime] = {}
    for deal in closed:
        if deal.is_won:
            first_win[deal.lead_id] = min(deal.closed_at, first_win.get(deal.lead_id, deal.closed_at))
    won = tuple(
        one.lead_id
        for one in cases
        if one.lead_id in first_win and first_win[one.lead_id] <= one.created_at + horizon
    )
    return GoalCases(won=won, cases=tuple(one.lead_id for one in cases))


def imported_deals(deals: pa.Table) -> Mapping[str, Closed]:
    """Return the deals of an import that have a time, by id."""
    names = ("deal_id", "lead_id", "outcome")
    columns = (*(deals.column(name).to_pylist() for name in names), _instants(deals.column("closed_at")))
    return {
        deal_id: Closed(lead_id=lead_id, closed_at=closed_at, is_won=outcome == EventKind.WON.value)
        for deal_id, lead_id, outcome, closed_at in zip(*columns, strict=True)
        if closed_at is not None
    }


def imported_leads(leads: pa.Table, *, known_until: datetime) -> Mapping[str, Begun]:
    """Return the leads of an import that have a time, by id."""
    rows = zip(leads.column("lead_id").to_pylist(), _instants(leads.column("created_at")), strict=True)
    return {
        lead_id: Begun(lead_id=lead_id, created_at=created_at, known_until=known_until)
        for lead_id, created_at in rows
        if created_at is not None
    }


def _all_deals(
    session: Session | None, history: History, *, since: datetime, now: datetime
) -> tuple[Closed, ...]:
    """Return the deals that closed since an instant; earlier ones of an import are not looked at."""
    deals: dict[str, Closed] = {}
    if history.exists():
        imported = history.read_table(DEALS)
        recent = pc.greater_equal(imported.column("closed_at"), pa.scalar(since, TIME_TYPE))
        deals |= imported_deals(imported.filter(recent))
    for row in () if session is None else session.scalars(select(DealRow)):
        deals.pop(row.deal_id, None)
        if row.outcome is not None and row.closed_at is not None:
            is_won = row.outcome == EventKind.WON.value
            deals[row.deal_id] = Closed(lead_id=row.lead_id, closed_at=row.closed_at, is_won=is_won)
    return tuple(one for one in deals.values() if one.closed_at <= now)


def _all_leads(session: Session | None, history: History, now: datetime) -> tuple[Begun, ...]:
    leads: dict[str, Begun] = {}
    if history.exists():
        leads |= imported_leads(history.read_table(LEADS), known_until=_known_until(history))
    if session is not None:
        for lead_id, created_at in session.execute(select(LeadRow.lead_id, LeadRow.created_at)):
            leads[lead_id] = Begun(lead_id=lead_id, created_at=created_at, known_until=now)
    return tuple(leads.values())


def _horizon(history: History) -> timedelta:
    return timedelta(days=history.read_settings().horizon_days if history.exists() else USUAL_HORIZON_DAYS)


def _known_until(history: History) -> datetime:
    """Return the last instant an import knows of; only one that does not say so has to be read for it."""
    exported_at = history.read_settings().exported_at
    if exported_at is not None:
        return exported_at
    return EPOCH + timedelta(microseconds=history.read().known_until_us or 0)


def _instants(column: pa.ChunkedArray) -> list[datetime | None]:
    """Return times as datetimes; Arrow's own conversion would load pandas into the service."""
    microseconds = column.cast(pa.int64()).to_pylist()
    return [None if each is None else EPOCH + timedelta(microseconds=each) for each in microseconds]
