"""Taking persons out of the tables of a history for good."""

from collections.abc import Callable, Collection
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from features.tables import TABLE_NAMES, CanonicalTables


def without_leads(tables: CanonicalTables, lead_ids: Collection[str]) -> CanonicalTables:
    """Return the tables without these leads and all that is theirs; the rest keeps its order."""
    if not lead_ids:
        return tables
    gone = pa.array(sorted(lead_ids), pa.string())
    kept = {
        name: table.filter(pc.invert(pc.is_in(table["lead_id"], value_set=gone)))
        for name in TABLE_NAMES
        for table in (tables.table(name),)
    }
    return replace(tables, **kept)


def matching_leads(tables: CanonicalTables, is_meant: Callable[[str], bool]) -> frozenset[str]:
    """Return the ids of the leads that are meant."""
    return frozenset(lead_id for lead_id in tables.leads["lead_id"].to_pylist() if is_meant(lead_id))
