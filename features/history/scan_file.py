"""The activities of a history once more, as a reader of all of them wants them: numbers, and nothing packed.

An Arrow IPC file, one record batch per bucket of leads: `lead` (its place among the leads of the bucket),
`occurred_at`, and kind, asset and channel as dictionaries with one vocabulary for the whole file. It is made
of the Parquet files at import and named by them, and never a source of truth: without it, buckets are read
from the Parquet files, slower and with the same content.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from features.buckets import LeadBuckets
from features.tables import ACTIVITIES, LEADS, TIME_TYPE, CanonicalTables

VERSION = 1
TEXTS = ("kind", "asset", "channel")
STARTS = b"starts"
"""Key of the schema's metadata: where buckets begin, as `features.history.buckets.HistoryBuckets` has it."""

CODE_TYPES = (pa.int8(), pa.int16(), pa.int32())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScanFile:
    """One file, and the row groups of leads at which its batches begin, with their number at the end."""

    path: Path
    starts: tuple[int, ...]

    def bucket(self, number: int, lead_ids: pa.Array) -> pa.Table:
        """Return the activities of one bucket of leads, texts as dictionaries.

        The columns lie in the mapped file and leave memory with the table.
        """
        batch = pa.ipc.open_file(pa.memory_map(str(self.path))).get_batch(number)
        leads = pa.DictionaryArray.from_arrays(batch.column("lead"), lead_ids)
        return pa.table({"lead_id": leads, **{name: batch.column(name) for name in ("occurred_at", *TEXTS)}})


def scan_file_name(tables: Mapping[str, str]) -> str:
    """Return the name that belongs to stored tables (table name -> name of its Parquet file)."""
    made_of = json.dumps([VERSION, tables[LEADS], tables[ACTIVITIES]])
    return f"scan-{hashlib.sha256(made_of.encode()).hexdigest()[:32]}.arrow"


def open_scan_file(path: Path) -> ScanFile | None:
    """Return the file, or None when there is none that can be read."""
    try:
        with pa.memory_map(str(path)) as mapped:
            metadata = pa.ipc.open_file(mapped).schema.metadata
    except (OSError, pa.ArrowInvalid):
        return None
    return ScanFile(path=path, starts=tuple(json.loads(metadata[STARTS])))


def write_scan_file(path: Path, buckets: LeadBuckets, starts: Sequence[int]) -> None:
    """Write the file from buckets whose texts are dictionaries; they are read twice, one at a time."""
    words = _vocabularies(buckets)
    schema = pa.schema(
        [
            ("lead", pa.int32()),
            ("occurred_at", TIME_TYPE),
            *((name, pa.dictionary(_code_type(len(known)), pa.string())) for name, known in words.items()),
        ],
        metadata={STARTS: json.dumps(list(starts))},
    )
    with path.open("wb") as file:
        with pa.ipc.new_file(file, schema) as writer:
            for tables in map(buckets.read, range(len(buckets))):
                writer.write_batch(pa.RecordBatch.from_arrays(_columns(tables, words), schema=schema))
        file.flush()
        os.fsync(file.fileno())  # the name must not outlast what it stands for


def _vocabularies(buckets: LeadBuckets) -> dict[str, pa.Array]:
    """Return all distinct texts of each column, null first: no row of the file is null, only its word."""
    found = dict.fromkeys(TEXTS, pa.array([None], pa.string()))
    for activities in (buckets.read(number).activities for number in range(len(buckets))):
        for name, words in found.items():
            dictionaries = [chunk.dictionary for chunk in activities.column(name).chunks]
            found[name] = pc.unique(pa.chunked_array([words, *dictionaries]))
    return found


def _columns(tables: CanonicalTables, words: Mapping[str, pa.Array]) -> list[pa.Array]:
    activities, lead_ids = tables.activities, tables.leads.column("lead_id").combine_chunks()
    return [
        _codes(activities.column("lead_id"), lead_ids, pa.int32()),
        activities.column("occurred_at").combine_chunks(),
        *(_coded(activities.column(name), known) for name, known in words.items()),
    ]


def _code_type(n_words: int) -> pa.DataType:
    return next(each for each in CODE_TYPES if n_words <= 2 ** (each.bit_width - 1))


def _coded(column: pa.ChunkedArray, words: pa.Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(_codes(column, words, _code_type(len(words))), words)


def _codes(column: pa.ChunkedArray, words: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return the place in `words` of each text of a column of dictionaries; a null has the place 0."""
    codes = [
        pc.fill_null(pc.index_in(chunk.dictionary, value_set=words).cast(kind).take(chunk.indices), 0)
        for chunk in column.chunks
    ]
    return pa.chunked_array(codes, kind).combine_chunks()
