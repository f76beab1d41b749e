"""Which leads are asked for, and as of when: all at one instant, or a list of points (lead_id, as_of).

Decides the rows of a feature table; their values are those of `features.build`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from features.arrow_numpy import to_numpy
from features.attributes import instants_us
from features.build import Points
from features.errors import InputError
from features.tables import TIME_TYPE, CanonicalTables
from features.times import EPOCH, MICROSECOND

Int64Array = npt.NDArray[np.int64]
POINT_COLUMNS = ("lead_id", "as_of")
MOST_SHOWN = 5


class Asked(Protocol):
    """What a feature table has rows for."""

    def points(self, tables: CanonicalTables) -> Points:
        """Return the points among the leads of some tables."""

    def refuse_unknown(self) -> None:
        """Raise InputError when leads were named that no table had; to be asked after the last one."""


@dataclass(frozen=True, slots=True)
class AllLeadsAt:
    """Every lead that was created at or before an instant; without times, every lead."""

    as_of: datetime

    def points(self, tables: CanonicalTables) -> Points:
        """Return one point per lead, in the order of the leads."""
        as_of_us = (self.as_of - EPOCH) // MICROSECOND
        known = np.ones(tables.leads.num_rows, dtype=np.bool_)
        if tables.has_times:
            known = instants_us(tables.leads.column("created_at")) <= as_of_us
        lead_index = np.flatnonzero(known).astype(np.int64)
        return Points(lead_index=lead_index, as_of_us=np.full(lead_index.size, as_of_us, dtype=np.int64))

    def refuse_unknown(self) -> None:
        """Do nothing: no lead is named."""


class ListedPoints:
    """The points of a table, each lead as it was known at its instant; a lead may have any number.

    Rows come out by lead (byte order), the points of one lead in the order of the table.
    """

    def __init__(self, table: pa.Table) -> None:
        """Take `lead_id` (text) and `as_of` (a time with zone); InputError names what is wrong with them."""
        lead_ids, as_of = _point_columns(table)
        order = pc.sort_indices(lead_ids)
        self._lead_ids = lead_ids.take(order).combine_chunks()
        self._as_of_us = instants_us(as_of.take(order))
        self._found = 0

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self._lead_ids)

    def points(self, tables: CanonicalTables) -> Points:
        """Return the points of a bucket of leads, whose ids ascend."""
        leads = tables.leads.column("lead_id")
        if not len(leads):
            return Points(lead_index=np.empty(0, np.int64), as_of_us=np.empty(0, np.int64))
        start = self._place(bisect_left, leads[0].as_py())
        end = self._place(bisect_right, leads[-1].as_py())
        row = pc.index_in(self._lead_ids.slice(start, end - start), value_set=leads.combine_chunks())
        known = to_numpy(pc.is_valid(row))
        self._found += int(known.sum())
        return Points(
            lead_index=to_numpy(row.drop_null()).astype(np.int64), as_of_us=self._as_of_us[start:end][known]
        )

    def refuse_unknown(self) -> None:
        """Raise InputError when points name leads that no table had; to be asked after the last one."""
        if missing := len(self) - self._found:
            raise InputError(f"points must name leads that exist; {missing:,} of {len(self):,} name others")

    def _place(self, bisect: Callable[..., int], lead_id: str) -> int:
        return bisect(
            range(len(self._lead_ids)),
            lead_id.encode(),
            key=lambda place: self._lead_ids[place].as_py().encode(),
        )


def read_points(file: Path) -> ListedPoints:
    """Read points from a .parquet or .csv file; InputError names what is wrong with it."""
    try:
        if file.suffix == ".parquet":
            return ListedPoints(parquet.ParquetFile(file).read())  # not read_table: it loads pyarrow.dataset
        if file.suffix == ".csv":
            options = csv.ConvertOptions(column_types={"lead_id": pa.string(), "as_of": TIME_TYPE})
            return ListedPoints(csv.read_csv(file, convert_options=options))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"points {str(file)!r} cannot be read: {' '.join(str(error).split())}") from error
    raise InputError(f"points must be a file that ends in .parquet or .csv; got {str(file)!r}")


def _point_columns(table: pa.Table) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    absent = [name for name in POINT_COLUMNS if name not in table.column_names]
    if absent:
        raise InputError(f"points must have the columns lead_id and as_of; missing: {', '.join(absent)}")
    lead_ids, as_of = table.column("lead_id"), table.column("as_of")
    if not (pa.types.is_string(lead_ids.type) or pa.types.is_large_string(lead_ids.type)):
        raise InputError(f"lead_id of the points must be text; got {lead_ids.type}")
    if not (pa.types.is_timestamp(as_of.type) and as_of.type.tz is not None):
        raise InputError(f"as_of of the points must be a time with a zone; got {as_of.type}")
    empty = lead_ids.null_count + as_of.null_count
    if empty:
        raise InputError(f"lead_id and as_of of the points must not be empty; {empty:,} are")
    return pc.utf8_trim_whitespace(lead_ids.cast(pa.string())), as_of.cast(TIME_TYPE)
