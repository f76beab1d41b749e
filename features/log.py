"""The activities of a CRM as the kernel takes them: sorted by lead, time and id, each id once, coded.

Decides order and codes; which activities count for as_of is decided by the kernel.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.definitions import FeatureSet
from features.kernel import NO_CODE
from features.plan import vocabulary_rows
from features.tables import CanonicalTables

Int64Array = npt.NDArray[np.int64]

ORDER = ("lead_id", "occurred_at", "activity_id", "kind", "channel", "asset")
"""Of rows with the same id the first in this order counts, whatever order they came in; null comes last."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ActivityLog:
    """Activities lead by lead, ascending by (time, activity id).

    occurred_us, kind_row, channel_row, asset_code : int64 (n_activities,); NO_CODE where there is none.
    offsets : int64 (n_leads + 1,); lead i has the activities offsets[i] to offsets[i + 1].
    """

    occurred_us: Int64Array
    kind_row: Int64Array
    channel_row: Int64Array
    asset_code: Int64Array
    offsets: Int64Array

    @property
    def arrays(self) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array, Int64Array]:
        """The log as the kernel takes it."""
        return self.occurred_us, self.kind_row, self.channel_row, self.asset_code, self.offsets


def read_log(feature_set: FeatureSet, tables: CanonicalTables) -> ActivityLog:
    """Return the log of the leads of `tables`; activities of other leads are left out.

    Text columns may be dictionaries, as a streaming reader leaves them.
    """
    activities = tables.activities
    if not tables.settled:
        activities = _each_id_once(activities.sort_by([(column, "ascending") for column in ORDER]))
    lead = lead_codes(activities.column("lead_id"), tables)
    if np.any(np.diff(lead) < 0) or np.any(lead == NO_CODE):
        order = np.argsort(lead, kind="stable")
        order = order[lead[order] != NO_CODE]
        activities, lead = activities.take(pa.array(order)), lead[order]
    kind_rows, channel_rows = vocabulary_rows(feature_set)
    return ActivityLog(
        occurred_us=_microseconds(activities.column("occurred_at")),
        kind_row=_codes(activities.column("kind"), kind_rows),
        channel_row=_codes(activities.column("channel"), channel_rows),
        asset_code=_asset_codes(activities.column("asset")),
        offsets=lead_offsets(lead, tables.leads.num_rows),
    )


def lead_offsets(lead: Int64Array, n_leads: int) -> Int64Array:
    """Return where each lead's rows begin in rows sorted by lead index; int64 (n_leads + 1,)."""
    return np.searchsorted(lead, np.arange(n_leads + 1)).astype(np.int64)


def lead_codes(lead_ids: pa.ChunkedArray, tables: CanonicalTables) -> Int64Array:
    """Return the row of `tables.leads` for each id, NO_CODE for an id that is no lead."""
    leads = tables.leads.column("lead_id").combine_chunks()
    return _map_distinct(lead_ids, lambda distinct: pc.index_in(distinct, value_set=leads))


def _each_id_once(activities: pa.Table) -> pa.Table:
    """Keep the first row of an activity id that a lead has twice; rows are in `ORDER`."""
    identity = activities.column("activity_id")
    if pc.count_distinct(identity).as_py() == len(identity):
        return activities
    numbered = activities.select(["lead_id", "activity_id"]).append_column(
        "row", pa.array(np.arange(activities.num_rows))
    )
    first = numbered.group_by(["lead_id", "activity_id"]).aggregate([("row", "min")]).column("row_min")
    return activities.take(pa.array(np.sort(first.to_numpy())))


def _codes(column: pa.ChunkedArray, rows: Mapping[str, int]) -> Int64Array:
    """Return the row of the vocabulary each text has, NO_CODE for one it does not know."""
    known = pa.array(list(rows), pa.string())
    row_of = np.array([*rows.values(), NO_CODE], dtype=np.int64)
    return row_of[_map_distinct(column, lambda distinct: pc.index_in(distinct, value_set=known))]


def _asset_codes(column: pa.ChunkedArray) -> Int64Array:
    """Return a number per asset, the same for equal texts; NO_CODE for none and for the empty text."""
    chunks = _dictionaries(column).chunks
    named = pa.chunked_array([chunk.dictionary for chunk in chunks], pa.string()).unique()
    named = named.filter(pc.not_equal(named, ""))
    return _map_distinct(column, lambda distinct: pc.index_in(distinct, value_set=named))


def _map_distinct(column: pa.ChunkedArray, find: Callable[[pa.Array], pa.Array]) -> Int64Array:
    """Look every distinct text of a chunk up once; int64 (n,), NO_CODE where there is nothing."""
    found = [np.empty(0, dtype=np.int64)]
    for chunk in _dictionaries(column).chunks:
        of_distinct = np.array(pc.fill_null(find(chunk.dictionary), NO_CODE), dtype=np.int64)
        # a null has no index: it takes the last place, which is NO_CODE
        places = pc.fill_null(chunk.indices, len(of_distinct)).to_numpy()
        found.append(np.append(of_distinct, NO_CODE)[places])
    return np.concatenate(found)


def _dictionaries(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()


def _microseconds(column: pa.ChunkedArray) -> Int64Array:
    return np.array(column.cast(pa.int64()).to_numpy(), dtype=np.int64)
