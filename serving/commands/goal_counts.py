"""The cases of a joint goal, counted in the history. What they mean is decided in `sla.goal`."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.compute as pc

from features.tables import CanonicalTables
from sla.always_valid import Share
from sla.goal import Metric, Period
from training.outcomes import DAY_US, deal_ends, lead_created_us


def count_goal(tables: CanonicalTables, metric: Metric, period: Period, *, zone: str) -> Share:
    """Count won and all cases of one period; days begin at midnight in `zone`.

    The history must have times.
    """
    start_us, end_us = _midnight_us(period.first, zone), _midnight_us(period.after, zone)
    if metric is Metric.CLOSE_RATE:
        return _closed_deals(tables, start_us, end_us)
    return _matured_leads(tables, start_us, end_us)


def _closed_deals(tables: CanonicalTables, start_us: int, end_us: int) -> Share:
    closed_us = np.asarray(pc.cast(tables.deals.column("closed_at"), "int64"), dtype=np.int64)
    won = np.asarray(pc.equal(tables.deals.column("outcome"), "won"))
    inside = (closed_us >= start_us) & (closed_us < end_us)
    return Share(int((inside & won).sum()), int(inside.sum()))


def _matured_leads(tables: CanonicalTables, start_us: int, end_us: int) -> Share:
    """Count leads created in the period whose horizon was over when the history ends."""
    created_us, horizon_us = lead_created_us(tables), tables.crm.horizon_days * DAY_US
    known_until_us = tables.known_until_us or 0
    inside = (created_us >= start_us) & (created_us < end_us) & (created_us + horizon_us <= known_until_us)
    leads = np.flatnonzero(inside)
    won_us = deal_ends(tables, "won").next_after(leads, created_us[leads])
    return Share(int((won_us - created_us[leads] <= horizon_us).sum()), len(leads))


def _midnight_us(day: date, zone: str) -> int:
    return int(datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000
