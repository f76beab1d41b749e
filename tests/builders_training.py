"""Small CRMs for the tests of training: tables from plain values, and one with something to learn."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from features.crm import CrmSettings, NamedReason
from features.tables import (
    ACTIVITIES,
    CHANGES,
    DEALS,
    FIXED_SCHEMAS,
    LEADS,
    CanonicalTables,
    empty_table,
    sort_canonically,
)

START = datetime(2025, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def day(number: float) -> datetime:
    """Return the instant `number` days after the start of the CRM."""
    return START + timedelta(days=number)


def day_us(number: float) -> int:
    """Return the same instant in microseconds UTC."""
    return round(START.timestamp() * 1_000_000 + number * 86_400_000_000)


def crm_tables(
    created_days: Sequence[float | None],
    deals: Sequence[tuple[int, float | None, str]],
    *,
    activities: Sequence[tuple[int, float, str]] = (),
    attributes: Mapping[str, Sequence[object]] | None = None,
    orders: Sequence[int] | None = None,
    exported_day: float | None = None,
    horizon_days: int = 30,
    never: Sequence[str] = (),
) -> CanonicalTables:
    """Return tables of leads L0000, L0001, …; deals and activities name a lead by its number.

    A deal is (lead, day it closed, outcome); an activity is (lead, day, kind).
    """
    ids = [f"L{number:04d}" for number in range(len(created_days))]
    columns: dict[str, object] = {
        "lead_id": ids,
        "created_at": pa.array(
            [None if each is None else day(each) for each in created_days],
            pa.timestamp("us", tz="UTC"),
        ),
        "created_order": pa.nulls(len(ids), pa.int64()) if orders is None else pa.array(orders, pa.int64()),
    }
    crm = CrmSettings(
        name="test",
        horizon_days=horizon_days,
        exported_at=None if exported_day is None else day(exported_day),
        never=tuple(NamedReason(column=column, reason="only known afterwards") for column in never),
    )
    return CanonicalTables(
        leads=sort_canonically(LEADS, pa.table({**columns, **dict(attributes or {})})),
        deals=_table(DEALS, [_deal(number, ids, *deal) for number, deal in enumerate(deals)]),
        activities=_table(
            ACTIVITIES,
            [
                {"activity_id": f"A{number}", "lead_id": ids[lead], "occurred_at": day(at), "kind": kind}
                for number, (lead, at, kind) in enumerate(activities)
            ],
        ),
        attribute_changes=empty_table(CHANGES),
        crm=crm,
    )


def learnable_crm(*, n_leads: int = 900, seed: int = 0, exported_day: float = 400) -> CanonicalTables:
    """Return a CRM of a year with a horizon of 30 days: demos and one industry raise the chance of a win."""
    random = np.random.default_rng(seed)
    created = np.sort(random.uniform(0, exported_day, n_leads))
    industry = random.choice(["machines", "software", "trade"], n_leads)
    wants_demo = random.random(n_leads) < 0.3
    chance = 0.08 + 0.35 * wants_demo + 0.2 * (industry == "software")
    closes = created + random.exponential(12, n_leads) + 0.5
    won = random.random(n_leads) < chance
    decided = won | (random.random(n_leads) < 0.7)
    known = decided & (closes < exported_day)
    demos = [
        (int(lead), float(created[lead]) + 0.1, "demo_request")
        for lead in np.flatnonzero(wants_demo & (created + 0.1 < exported_day))
    ]
    views = [(lead, float(created[lead]), "page_view") for lead in range(n_leads)]
    return crm_tables(
        created.tolist(),
        [(int(lead), float(closes[lead]), "won" if won[lead] else "lost") for lead in np.flatnonzero(known)],
        activities=[*views, *demos],
        attributes={
            "industry": industry.tolist(),
            "employees": random.integers(1, 500, n_leads).astype(np.float64).tolist(),
            "newsletter": [None if each < 0.1 else bool(each < 0.5) for each in random.random(n_leads)],
        },
        exported_day=exported_day,
    )


def finished_cases(*, n_leads: int = 600, seed: int = 0, ordered: bool = True) -> CanonicalTables:
    """Return a flat table of finished cases without times, in the order of arrival or in none."""
    random = np.random.default_rng(seed)
    source = random.choice(["fair", "web"], n_leads)
    won = random.random(n_leads) < np.where(source == "fair", 0.6, 0.2)
    return crm_tables(
        [None] * n_leads,
        [(lead, None, "won" if won[lead] else "lost") for lead in range(n_leads)],
        attributes={"source": source.tolist()},
        orders=list(range(n_leads)) if ordered else None,
    )


@contextmanager
def silent(title: str) -> Iterator[None]:
    """Show no progress."""
    yield


def _deal(
    number: int, ids: Sequence[str], lead: int, closed: float | None, outcome: str
) -> dict[str, object]:
    closed_at = None if closed is None else day(closed)
    return {"deal_id": f"D{number}", "lead_id": ids[lead], "closed_at": closed_at, "outcome": outcome}


def _table(name: str, rows: list[dict[str, object]]) -> pa.Table:
    return sort_canonically(name, pa.Table.from_pylist(rows, schema=FIXED_SCHEMAS[name]))
