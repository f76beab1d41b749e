"""Which leads of a history nothing has been heard of since an instant."""

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from features.tables import PAST_TIMES, TABLE_NAMES, TIME_TYPE, CanonicalTables


def stale_leads(tables: CanonicalTables, before: datetime) -> frozenset[str]:
    """Return the leads of which every time lies before an instant; none of a history without times."""
    if not tables.has_times:
        return frozenset()
    limit = pa.scalar(before, TIME_TYPE)
    heard_of: set[str] = set()
    for name in TABLE_NAMES:
        table = tables.table(name)
        for column in PAST_TIMES[name]:
            newer = table.filter(pc.fill_null(pc.greater_equal(table[column], limit), False))  # noqa: FBT003
            heard_of.update(newer["lead_id"].to_pylist())
    return frozenset(set(tables.leads["lead_id"].to_pylist()) - heard_of)
