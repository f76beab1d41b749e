"""The feature table people read: a row per lead and instant, values in words, bucket by bucket.

Decides columns, notes and how buckets share the cores; the values are those of `features.build`, the rows
those of `features.asked`.
"""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from features.arrow_numpy import to_arrow, to_numpy
from features.asked import Asked
from features.buckets import LeadBuckets
from features.build import Points, feature_columns
from features.definitions import FeatureKind, FeatureSet
from features.encode import decode_table
from features.problems import shorten
from features.tables import TIME_TYPE, CanonicalTables

Float64Array = npt.NDArray[np.float64]

LEVELS_OF_ATTRIBUTES = frozenset({FeatureKind.ATTRIBUTE_CATEGORY, FeatureKind.EMAIL_COUNTRY})


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureTable:
    """Some rows of a feature table, and what of the tables the feature set does not know, with counts."""

    rows: pa.Table
    unknown: tuple[tuple[str, int], ...]


def feature_table(feature_set: FeatureSet, tables: CanonicalTables, asked: Asked) -> FeatureTable:
    """Return `lead_id`, `as_of` and one column per feature for everything asked for in these tables.

    `as_of` is null for a feature set that needs no times.
    """
    points = asked.points(tables)
    matrix = feature_columns(feature_set, tables, points).T
    readable = decode_table(feature_set, matrix)
    ids = tables.leads.column("lead_id").take(to_arrow(points.lead_index))
    rows = pa.table(
        [ids, _instants(feature_set, points), *readable.columns],
        names=["lead_id", "as_of", *readable.column_names],
    )
    return FeatureTable(rows=rows, unknown=tuple(_unknown(feature_set, tables, matrix)))


def table_schema(feature_set: FeatureSet) -> pa.Schema:
    """Return the columns of a feature table and their types."""
    nothing = decode_table(feature_set, np.empty((0, len(feature_set.features))))
    return pa.schema([("lead_id", pa.string()), ("as_of", TIME_TYPE), *nothing.schema])


def write_feature_table(
    feature_set: FeatureSet,
    buckets: LeadBuckets,
    asked: Asked,
    out: Path,
    *,
    workers: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[int, tuple[str, ...]]:
    """Write the feature table of all buckets as one Parquet file; return its rows and notes.

    Memory holds a few buckets. The rows are the same whatever the number of workers (default: one per core).
    `progress` is told the number of every bucket that is done.
    """
    count, unknown, schema = 0, Counter[str](), table_schema(feature_set)
    with parquet.ParquetWriter(out, schema, **_file_options(schema)) as writer:
        for number, part in enumerate(_in_order(feature_set, buckets, asked, workers or _cores())):
            writer.write_table(part.rows)
            count += part.rows.num_rows
            unknown.update(dict(part.unknown))
            progress(number)
    return count, tuple(f"{what}: {times:,}" for what, times in sorted(unknown.items()))


def _file_options(schema: pa.Schema) -> dict[str, Any]:
    """Return how a feature table is written: a quarter quicker than by Parquet's defaults, and smaller.

    Whole numbers as differences, which are smaller than what Snappy makes of them; dictionaries for words
    only, as numbers seldom repeat; statistics for what rows are looked up by.
    """
    whole = [each.name for each in schema if pa.types.is_integer(each.type)]
    return {
        "use_dictionary": [
            each.name for each in schema if pa.types.is_string(each.type) and each.name != "lead_id"
        ],
        "column_encoding": dict.fromkeys([*whole, "as_of"], "DELTA_BINARY_PACKED"),
        "compression": {name: "none" if name in whole else "snappy" for name in schema.names},
        "write_statistics": ["lead_id", "as_of"],
    }


def _in_order(
    feature_set: FeatureSet, buckets: LeadBuckets, asked: Asked, workers: int
) -> Iterator[FeatureTable]:
    """Yield the tables of the buckets in their order, while the workers are one bucket each ahead."""
    running: deque[Future[FeatureTable]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for number in range(len(buckets)):
            running.append(pool.submit(_one_bucket, feature_set, buckets, asked, number))
            if len(running) > workers:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def _one_bucket(feature_set: FeatureSet, buckets: LeadBuckets, asked: Asked, number: int) -> FeatureTable:
    return feature_table(feature_set, buckets.read(number), asked)


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _instants(feature_set: FeatureSet, points: Points) -> pa.Array:
    if not feature_set.needs_times:
        return pa.nulls(len(points), TIME_TYPE)
    return to_arrow(points.as_of_us).cast(TIME_TYPE)


def _unknown(
    feature_set: FeatureSet, tables: CanonicalTables, matrix: Float64Array
) -> Iterator[tuple[str, int]]:
    """Yield what the tables hold and the feature set does not know, and the other way round, with counts."""
    for name in sorted(feature_set.attributes - set(tables.leads.column_names)):
        yield f"leads without the attribute {name!r}, taken as missing", tables.leads.num_rows
    for column, feature in enumerate(feature_set.features):
        rare = int((matrix[:, column] == 0.0).sum()) if feature.kind in LEVELS_OF_ATTRIBUTES else 0
        if rare:
            yield f"rows with a rare or new value of {feature.name!r}", rare
    vocabularies = {"kind": feature_set.activity_kinds, "channel": feature_set.channels}
    for what, known in vocabularies.items() if feature_set.has_activities else ():
        for word, count in _counted(tables.activities.column(what)):
            if word and word not in known:
                yield f"activities of the {what} {shorten(word)!r}, counted in totals only", count


def _counted(texts: pa.ChunkedArray) -> Iterator[tuple[str | None, int]]:
    """Yield each distinct text with the number of its rows; a dictionary's are counted by their codes."""
    if not pa.types.is_dictionary(texts.type):
        yield from ((each["values"], each["counts"]) for each in pc.value_counts(texts).to_pylist())
        return
    times = Counter[str | None]()
    for chunk in texts.chunks:
        counts = np.bincount(to_numpy(chunk.indices.drop_null()), minlength=len(chunk.dictionary))
        times.update(dict(zip(chunk.dictionary.to_pylist(), counts.tolist(), strict=True)))
    yield from ((word, count) for word, count in times.items() if count)
