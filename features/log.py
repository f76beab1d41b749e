"""The activities of a CRM as the kernel takes them: sorted by lead, time and id, each id once, coded.

Decides order and codes; which activities count for as_of is decided by the kernel.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.arrow_numpy import to_numpy
from features.definitions import FeatureSet
from features.kernel import NO_CODE, looked_up, run_starts
from features.plan import vocabulary_rows
from features.tables import CanonicalTables

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]

ORDER = ("lead_id", "occurred_at", "activity_id", "kind", "channel", "asset")
"""Of rows with the same id the first in this order counts, whatever order they came in; null comes last."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ActivityLog:
    """Activities lead by lead, ascending by (time, activity id).

    occurred_us : int64 (n_activities,); kind_row, channel_row, asset_code : int32 (n_activities,), NO_CODE
        where there is none.
    offsets : int64 (n_leads + 1,); lead i has the activities offsets[i] to offsets[i + 1].
    """

    occurred_us: Int64Array
    kind_row: Int32Array
    channel_row: Int32Array
    asset_code: Int32Array
    offsets: Int64Array

    @property
    def arrays(self) -> tuple[Int64Array, Int32Array, Int32Array, Int32Array, Int64Array]:
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
    kind_rows, channel_rows = vocabulary_rows(feature_set)
    columns = (
        _microseconds(activities.column("occurred_at")),
        _codes(activities.column("kind"), kind_rows),
        _codes(activities.column("channel"), channel_rows),
        _asset_codes(activities.column("asset")),
    )
    if np.any(lead[1:] < lead[:-1]) or (lead.size and lead[0] == NO_CODE):
        order = np.argsort(lead, kind="stable")
        order = order[lead[order] != NO_CODE]
        lead, columns = lead[order], tuple(column[order] for column in columns)
    occurred_us, kind_row, channel_row, asset_code = columns
    return ActivityLog(
        occurred_us=occurred_us,
        kind_row=kind_row,
        channel_row=channel_row,
        asset_code=asset_code,
        offsets=lead_offsets(lead, tables.leads.num_rows),
    )


def lead_offsets(lead: Int32Array, n_leads: int) -> Int64Array:
    """Return where each lead's rows begin in rows sorted by lead index; int64 (n_leads + 1,)."""
    offsets: Int64Array = run_starts(lead, n_leads)
    return offsets


def lead_codes(lead_ids: pa.ChunkedArray, tables: CanonicalTables) -> Int32Array:
    """Return the row of `tables.leads` for each id, NO_CODE for an id that is no lead."""
    leads = tables.leads.column("lead_id").combine_chunks()
    if _are_codes_of(lead_ids, leads):
        return to_numpy(lead_ids.chunk(0).indices).astype(np.int32)
    return _map_distinct(
        lead_ids, lambda distinct: pc.fill_null(pc.index_in(distinct, value_set=leads), NO_CODE)
    )


def _are_codes_of(lead_ids: pa.ChunkedArray, leads: pa.Array) -> bool:
    """Tell whether the ids are a dictionary of the leads in their order, as a scan file gives them."""
    return (
        pa.types.is_dictionary(lead_ids.type)
        and lead_ids.num_chunks == 1
        and lead_ids.null_count == 0
        and bool(lead_ids.chunk(0).dictionary.equals(leads))
    )


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


def _codes(column: pa.ChunkedArray, rows: Mapping[str, int]) -> Int32Array:
    """Return the row of the vocabulary each text has, NO_CODE for one it does not know."""
    return _map_distinct(column, lambda distinct: [rows.get(text, NO_CODE) for text in distinct.to_pylist()])


def _asset_codes(column: pa.ChunkedArray) -> Int32Array:
    """Return a number per asset, the same for equal texts; NO_CODE for none and for the empty text."""
    return _map_distinct(column, _numbered_unless_empty)


def _numbered_unless_empty(distinct: pa.Array) -> Int32Array:
    lengths = np.zeros(len(distinct), np.int32)
    lengths[to_numpy(pc.is_valid(distinct))] = to_numpy(pc.binary_length(distinct).drop_null())
    return np.where(lengths > 0, np.arange(len(distinct), dtype=np.int32), np.int32(NO_CODE))


def _map_distinct(
    column: pa.ChunkedArray, find: Callable[[pa.Array], pa.Array | Int32Array | Sequence[int]]
) -> Int32Array:
    """Look every distinct text up once; int32 (n,), NO_CODE for null."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    chunks = encoded.unify_dictionaries().chunks
    if not chunks:
        return np.empty(0, dtype=np.int32)
    # a null has no index: it takes the last place
    of_distinct = np.append(np.array(find(chunks[0].dictionary), dtype=np.int32), np.int32(NO_CODE))
    codes = [looked_up(_places(chunk.indices, len(of_distinct) - 1), of_distinct) for chunk in chunks]
    return codes[0] if len(codes) == 1 else np.concatenate(codes)


def _places(indices: pa.Array, of_null: int) -> npt.NDArray[np.signedinteger[Any]]:
    """Return indices of a dictionary as numpy has them, `of_null` for null."""
    if indices.null_count:
        indices = pc.fill_null(indices.cast(pa.int32()), of_null)
    return to_numpy(indices).copy()  # compiled code takes what it may write to


def _microseconds(column: pa.ChunkedArray) -> Int64Array:
    return to_numpy(column).astype(np.int64)
