"""What became of the deals that were planned to close in a period, as figures of the report on pledges."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from math import fsum

from sqlalchemy import select
from sqlalchemy.orm import Session

from features.words.reasons import Language
from serving.db.tables_leads import DealRow
from serving.periods import ReportPeriod
from serving.reports import Figure, new_figure
from sla.lifecycle import EventKind
from sla.planned import PlannedDeal, PlannedOutcome, planned_outcome
from sla.words_reports import label_of

SECTION = "planned"


def planned_figures(
    session: Session, period: ReportPeriod, *, now: datetime, lang: Language
) -> tuple[Figure, ...]:
    """Return planned against actual as known at `now`: by what became of each deal, counts and amounts."""
    planned = DealRow.planned_close_at
    query = select(DealRow).where(planned >= period.since, planned < period.until).order_by(DealRow.deal_id)
    return tuple(_figures(session.scalars(query).all(), period.zone, now, lang))


def _figures(deals: Sequence[DealRow], zone: str, now: datetime, lang: Language) -> Iterator[Figure]:
    for outcome in PlannedOutcome:
        found = [one for one in deals if _outcome(one, zone, now) is outcome]
        leads, label = [one.lead_id for one in found], label_of(outcome.value, lang)
        yield new_figure(SECTION, outcome.value, len(found), "deals", label=label, lang=lang, lead_ids=leads)
        amounts = [one for one in found if one.amount is not None]
        yield new_figure(
            SECTION,
            f"{outcome}.amount",
            fsum(one.amount or 0.0 for one in amounts),
            "money",
            label=label_of("amount", lang, of=outcome.value),
            lang=lang,
            lead_ids=(one.lead_id for one in amounts),
        )
    bare = [one.lead_id for one in deals if one.amount is None]
    label = label_of("without_amount", lang)
    yield new_figure(SECTION, "without_amount", len(bare), "deals", label=label, lang=lang, lead_ids=bare)


def _outcome(row: DealRow, zone: str, now: datetime) -> PlannedOutcome:
    assert row.planned_close_at is not None  # noqa: S101 - the query asks for it
    is_closed = row.outcome is not None
    deal = PlannedDeal(
        planned_at=row.planned_close_at,
        closed_at=row.closed_at if is_closed else None,
        is_won=row.outcome == EventKind.WON.value,
    )
    return planned_outcome(deal, zone=zone, now=now)
