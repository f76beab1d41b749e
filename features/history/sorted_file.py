"""One Parquet file sorted by lead_id: the rows of one lead, or of a range of leads, without the rest.

Decides which row groups are read. Which rows belong to a range is decided by the lead ids themselves, in
byte order, in which every table of a history is sorted.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SortedFile:
    """The footer of one file, and the first and last lead_id of each row group, None where it is not told."""

    path: Path
    footer: parquet.FileMetaData
    bounds: tuple[tuple[bytes, bytes] | None, ...]

    def rows_between(
        self, first: str, last: str, *, columns: Sequence[str] | None = None, dictionaries: Sequence[str] = ()
    ) -> pa.Table:
        """Return the rows of the leads from `first` to `last`, both included.

        `columns` are all unless given; those of `dictionaries` come as Arrow dictionaries.
        """
        groups = self._holding(first.encode(), last.encode())
        rows = self.read(groups, columns=columns, dictionaries=dictionaries)
        ids, places = rows.column("lead_id"), range(rows.num_rows)
        start = bisect_left(places, first.encode(), key=lambda place: ids[place].as_py().encode())
        end = bisect_right(places, last.encode(), key=lambda place: ids[place].as_py().encode())
        return rows.slice(start, end - start)

    def read(
        self,
        groups: Sequence[int],
        *,
        columns: Sequence[str] | None = None,
        dictionaries: Sequence[str] = (),
    ) -> pa.Table:
        """Return whole row groups."""
        with parquet.ParquetFile(
            self.path, metadata=self.footer, read_dictionary=list(dictionaries)
        ) as opened:
            return opened.read_row_groups(
                list(groups), columns=None if columns is None else list(columns), use_threads=False
            )

    def rows_before_each(self, bounds: Sequence[tuple[bytes, bytes] | None]) -> list[int]:
        """Return for each bound how many rows end before it begins, to a row group; 0 where it is not told.

        `bounds` ascend, as the row groups of a sorted file do.
        """
        counts = [self.footer.row_group(group).num_rows for group in range(len(self.bounds))]
        before, group, found = 0, 0, []
        for bound in bounds:
            while group < len(counts) and _ends_before(self.bounds[group], bound):
                before, group = before + counts[group], group + 1
            found.append(before)
        return found

    def _holding(self, first: bytes, last: bytes) -> list[int]:
        """Return the row groups that may hold these leads; one without statistics always may."""
        return [
            group
            for group, bound in enumerate(self.bounds)
            if bound is None or (bound[0] <= last and first <= bound[1])
        ]


def _ends_before(group: tuple[bytes, bytes] | None, bound: tuple[bytes, bytes] | None) -> bool:
    return group is None or (bound is not None and group[1] < bound[0])


@lru_cache(maxsize=16)
def sorted_file(path: Path) -> SortedFile:
    """Read a footer once: files of the history are named by their content and never change."""
    footer = parquet.read_metadata(path)
    place = footer.schema.names.index("lead_id")
    columns = (footer.row_group(group).column(place) for group in range(footer.num_row_groups))
    bounds = tuple(_bounds(column.statistics) for column in columns)
    return SortedFile(path=path, footer=footer, bounds=bounds)


def _bounds(statistics: parquet.Statistics | None) -> tuple[bytes, bytes] | None:
    if statistics is None or not statistics.has_min_max:
        return None
    return str(statistics.min).encode(), str(statistics.max).encode()
