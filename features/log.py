"""The activities of a CRM as the kernel takes them: sorted by lead, time and id, each id once, coded.

Decides order and codes; which activities count for as_of is decided by the kernel.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.kernel import NO_CODE
from features.tables import ACTIVITIES, CanonicalTables, sort_canonically

Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ActivityLog:
    """Activities lead by lead, ascending by (time, activity id).

    occurred_us, kind_code, asset_code : int64 (n_activities,); codes are NO_CODE where there is none.
    offsets : int64 (n_leads + 1,); lead i has the activities offsets[i] to offsets[i + 1].
    """

    occurred_us: Int64Array
    kind_code: Int64Array
    asset_code: Int64Array
    offsets: Int64Array

    @property
    def arrays(self) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array]:
        """The log as the kernel takes it."""
        return self.occurred_us, self.kind_code, self.asset_code, self.offsets


def read_log(activity_kinds: tuple[str, ...], tables: CanonicalTables) -> ActivityLog:
    """Return the log of the leads of `tables`; activities of other leads are left out."""
    activities = _each_id_once(_sorted(tables.activities))
    lead = _codes(activities.column("lead_id"), tables.leads.column("lead_id"))
    if np.any(np.diff(lead) < 0) or np.any(lead == NO_CODE):
        order = np.argsort(lead, kind="stable")
        order = order[lead[order] != NO_CODE]
        activities, lead = activities.take(pa.array(order)), lead[order]
    return ActivityLog(
        occurred_us=_microseconds(activities.column("occurred_at")),
        kind_code=_codes(activities.column("kind"), pa.array(activity_kinds, type=pa.string())),
        asset_code=_asset_codes(activities.column("asset")),
        offsets=lead_offsets(lead, tables.leads.num_rows),
    )


def lead_offsets(lead: Int64Array, n_leads: int) -> Int64Array:
    """Return where each lead's rows begin in rows sorted by lead index; int64 (n_leads + 1,)."""
    return np.searchsorted(lead, np.arange(n_leads + 1)).astype(np.int64)


def lead_codes(lead_ids: pa.ChunkedArray, tables: CanonicalTables) -> Int64Array:
    """Return the row of `tables.leads` for each id, NO_CODE for an id that is no lead."""
    return _codes(lead_ids, tables.leads.column("lead_id"))


def _sorted(activities: pa.Table) -> pa.Table:
    """Return the table in canonical order; a table that has it (as every import does) is not copied."""
    lead, at = activities.column("lead_id"), activities.column("occurred_at")
    identity = activities.column("activity_id")
    in_order = _in_order(lead, _in_order(at, _in_order(identity, None)))
    return (
        activities if pc.all(in_order).as_py() in (True, None) else sort_canonically(ACTIVITIES, activities)
    )


def _in_order(column: pa.ChunkedArray, ties: pa.ChunkedArray | None) -> pa.ChunkedArray:
    """Say of each row and the next whether they ascend; where they tie, `ties` says it."""
    here, following = column.slice(0, max(len(column) - 1, 0)), column.slice(1)
    if ties is None:
        return pc.less_equal(here, following)
    return pc.or_(pc.less(here, following), pc.and_(pc.equal(here, following), ties))


def _each_id_once(activities: pa.Table) -> pa.Table:
    """Keep the first row of an activity id that a lead has twice; rows are in canonical order."""
    identity = activities.column("activity_id")
    if pc.count_distinct(identity).as_py() == len(identity):
        return activities
    numbered = activities.select(["lead_id", "activity_id"]).append_column(
        "row", pa.array(np.arange(activities.num_rows))
    )
    first = numbered.group_by(["lead_id", "activity_id"]).aggregate([("row", "min")]).column("row_min")
    return activities.take(pa.array(np.sort(first.to_numpy())))


def _codes(column: pa.ChunkedArray, vocabulary: pa.Array | pa.ChunkedArray) -> Int64Array:
    if isinstance(vocabulary, pa.ChunkedArray):
        vocabulary = vocabulary.combine_chunks()
    found = pc.fill_null(pc.index_in(column, value_set=vocabulary), NO_CODE)
    return np.array(found.to_numpy(), dtype=np.int64)


def _asset_codes(column: pa.ChunkedArray) -> Int64Array:
    named = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    encoded = named.combine_chunks().dictionary_encode()
    return np.array(pc.fill_null(encoded.indices, NO_CODE).to_numpy(), dtype=np.int64)


def _microseconds(column: pa.ChunkedArray) -> Int64Array:
    return np.array(column.cast(pa.int64()).to_numpy(), dtype=np.int64)
