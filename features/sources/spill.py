"""Raw rows on disk, put by the lead they belong to: a source in any order can be read lead by lead.

Leads are numbered by their place in byte order of lead_id. Which rows are right is not decided here.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc

from features.files import disk_failures_named
from features.importing.columns import to_ids
from features.importing.raw import RawStream, RawTable

Int64Array = npt.NDArray[np.int64]

ROW, PLACE = 0, 1
OWN_COLUMNS = (("row", pa.int64()), ("place", pa.int64()))
"""They come first and are asked for by position, since the source may have columns of these names."""
ROW_BYTES = 256
NOTHING_MADE = "its rows could not be put in order of their leads"


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketLimits:
    """How much a bucket may hold: so many leads, and so many rows of theirs unless one lead alone has more.

    Rows of more than ROW_BYTES on average count for more. `partitions` is the number of files a table is
    divided into before it is cut into buckets.
    """

    leads: int = 50_000
    rows: int = 500_000
    partitions: int = 64


class Spill:
    """The rows of activities, deals and changes in temporary files, each file the rows of some leads.

    The folder is the caller's to remove. LeadPactError when its disk refuses.
    """

    def __init__(self, folder: Path, lead_ids: pa.Array, partitions: int) -> None:
        """Take the ids of all usable leads, text (n_leads,), ascending; there is at least one."""
        self._rows_of_lead = np.zeros(len(lead_ids))
        self._folder = folder
        self._files: set[Path] = set()
        self._lead_ids = lead_ids
        self._width = -(-len(lead_ids) // partitions)

    def take(self, stream: RawStream) -> Iterator[pa.Table]:
        """Write all rows of a table, yielding those that could not be read at all (rejects)."""
        with ExitStack() as files:
            writers: dict[int, ipc.RecordBatchStreamWriter] = {}
            for batch in stream.batches():
                for partition, rows in self._divide(batch):
                    with disk_failures_named(self._folder, NOTHING_MADE):
                        if partition not in writers:
                            path = self._file(batch.name, partition)
                            writers[partition] = files.enter_context(_new_writer(path, rows.schema))
                            self._files.add(path)
                        writers[partition].write_table(rows)
                yield batch.unreadable

    def read(self, head: RawTable, first: int, beyond: int) -> RawTable:
        """Return the rows of the leads in places first to beyond - 1; a lead's are in the source's order."""
        found = [
            rows
            for partition in range(first // self._width, (beyond - 1) // self._width + 1)
            if (path := self._file(head.name, partition)) in self._files
            for rows in _rows_between(path, first, beyond)
        ]
        if not found:
            return head
        table = pa.Table.from_batches(found).combine_chunks()
        return replace(
            head,
            data=table.select(range(len(OWN_COLUMNS), table.num_columns)),
            row_numbers=pa.array(table.column(ROW).to_numpy()),
        )

    def cut(self, limits: BucketLimits) -> tuple[int, ...]:
        """Return the places where buckets begin, ascending from 0, and as the last the number of leads."""
        rows_until = np.cumsum(self._rows_of_lead)
        cuts = [0]
        while (first := cuts[-1]) < len(rows_until):
            before = rows_until[first - 1] if first else 0.0
            full = int(np.searchsorted(rows_until, before + limits.rows, side="right"))
            cuts.append(min(max(full, first + 1), first + limits.leads, len(rows_until)))
        return tuple(cuts)

    def _file(self, table: str, partition: int) -> Path:
        return self._folder / f"{table}-{partition}.arrows"

    def _divide(self, batch: RawTable) -> Iterator[tuple[int, pa.Table]]:
        """Yield the rows of each partition, ordered by lead, and count them."""
        if not batch.data.num_rows:
            return
        places = self._places(batch)
        own = [pa.field(*each) for each in OWN_COLUMNS]
        rows = pa.Table.from_arrays(
            [batch.row_numbers, pa.array(places), *batch.data.columns],
            schema=pa.schema([*own, *batch.data.schema]),
        )
        if np.any(np.diff(places) < 0):
            order = np.argsort(places, kind="stable")
            rows, places = rows.take(pa.array(order)), places[order]
        leads, counts = np.unique(places, return_counts=True)
        self._rows_of_lead[leads] += counts * max(1.0, batch.data.nbytes / batch.data.num_rows / ROW_BYTES)
        partitions = places // self._width
        starts = np.flatnonzero(np.diff(partitions, prepend=-1))
        for start, end in zip(starts, [*starts[1:], len(places)], strict=True):
            yield int(partitions[start]), rows.slice(start, end - start)

    def _places(self, batch: RawTable) -> Int64Array:
        """Return the place of each row's lead; rows of nobody are spread over all buckets."""
        ids = to_ids(batch.data.column("lead_id")).values.combine_chunks()
        places = last_at_or_before(ids, self._lead_ids)
        is_lead = pc.fill_null(pc.equal(ids, self._lead_ids.take(pa.array(places))), fill_value=False)
        spread: Int64Array = batch.row_numbers.to_numpy() % len(self._lead_ids)
        return np.where(is_lead.to_numpy(zero_copy_only=False), places, spread)


def last_at_or_before(values: pa.Array, ascending: pa.Array) -> Int64Array:
    """Return for each text the place of the last of the `ascending` ones that is not after it, else 0.

    By halving, for all values at once: unlike a hash table it costs nothing to set up for each batch.
    """
    first = np.zeros(len(values), dtype=np.int64)
    last = np.full(len(values), len(ascending) - 1, dtype=np.int64)
    for _ in range((len(ascending) - 1).bit_length()):
        middle = (first + last + 1) // 2
        is_after = pc.less(values, ascending.take(pa.array(middle)))
        goes_down = pc.fill_null(is_after, fill_value=True).to_numpy(zero_copy_only=False)
        first, last = np.where(goes_down, first, middle), np.where(goes_down, middle - 1, last)
        last = np.maximum(first, last)
    return first


def _new_writer(path: Path, schema: pa.Schema) -> ipc.RecordBatchStreamWriter:
    return ipc.new_stream(path, schema, options=ipc.IpcWriteOptions(compression="lz4"))


def _rows_between(path: Path, first: int, beyond: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of some leads out of batches that are ordered by lead."""
    with pa.OSFile(str(path)) as file, ipc.open_stream(file) as reader:
        for batch in reader:
            places = batch.column(PLACE).to_numpy()
            start, end = np.searchsorted(places, [first, beyond])
            if end - start == len(places):
                yield batch
            elif end > start:  # a copy: a slice would keep the whole batch in memory
                yield batch.take(pa.array(np.arange(start, end)))
