"""A made-up CRM of any size, written as `features.history.store` keeps one, in bounded memory.

Decides what the data looks like: how many activities a lead has, of what kind and when. Equal arguments give
equal files. No two activities of a lead share an instant, so that no engine needs the activity id to tell
which came first.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from experiments.benchmarks.features.task import (
    AS_OF,
    LANDMARK_DAYS,
    PREPARED_ARROW,
    PREPARED_PARQUET,
    SEED,
    SHARES_OF_CHANNELS,
    SHARES_OF_KINDS,
    SNAPSHOTS,
    WIDE,
    file_name,
)
from features.crm import CrmSettings
from features.history.buckets import write_scan_of
from features.history.scan_file import scan_file_name
from features.history.store import FORMAT, MANIFEST, file_options
from features.tables import (
    ACTIVITIES,
    ACTIVITIES_SCHEMA,
    CHANGES,
    CHANGES_SCHEMA,
    DEALS,
    DEALS_SCHEMA,
    LEAD_ID_COLUMNS,
    LEADS,
    TABLE_NAMES,
    TIME_TYPE,
)
from features.times import DAY_US, EPOCH, MICROSECOND

Integers = npt.NDArray[np.int64]

FIRST = AS_OF - timedelta(days=730)
LAST = AS_OF + timedelta(days=3)
"""A little lies after as_of, so that every engine has to leave it out."""

ACTIVITIES_PER_LEAD = 20
SPREAD_OF_LOG = 1.2
"""Log-normal numbers of activities: half the leads have fewer than 10, one in a hundred more than 150."""

LEADS_PER_CHUNK = 25_000
WIDE_GROUP = 122_880
"""Rows per group of the copy for the peers: the size DuckDB itself writes."""

ASSETS = tuple(f"asset-{number:04d}" for number in range(2000))
SHARE_WITHOUT_ASSET = 0.3
SHARE_RECENT = 0.4
RECENT_DAYS = 25.0
"""The mean age of a recent activity: so the windows of 1 to 90 days are not empty."""

INDUSTRIES = ("software", "retail", "health", "machinery", "finance", "energy")
COUNTRIES = ("DE", "AT", "CH", "FR", "US")
LEADS_SCHEMA = pa.schema(
    [
        *LEAD_ID_COLUMNS,
        ("industry", pa.string()),
        ("country", pa.string()),
        ("employees", pa.float64()),
        ("newsletter", pa.bool_()),
    ]
)
PREPARED_SCHEMA = pa.schema(
    [
        ("lead", pa.int32()),
        ("occurred_us", pa.int64()),
        ("kind", pa.dictionary(pa.int8(), pa.string())),
        ("asset", pa.dictionary(pa.int16(), pa.string())),
        ("channel", pa.dictionary(pa.int8(), pa.string())),
    ]
)
ODD = np.uint64(0x9E3779B97F4A7C15)
"""Times an odd number, every 64-bit number becomes another one: ids that are unique and in no order."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Leads that follow one another, and their activities, in canonical order, in two forms."""

    leads: pa.Table
    activities: pa.Table
    prepared: pa.Table


def write_history(folder: Path, n_leads: int, *, seed: int) -> None:
    """Write a history of `n_leads` leads with 20 activities each on average, unless the folder has one.

    Beside it are the copies of the activities for the peers (`task.Form`).
    """
    if (folder / MANIFEST).is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    parquet.write_table(DEALS_SCHEMA.empty_table(), folder / file_name(DEALS))
    parquet.write_table(CHANGES_SCHEMA.empty_table(), folder / file_name(CHANGES))
    with ExitStack() as stack:
        for_leads, for_activities, for_prepared = _writers(folder, stack)
        for chunk in chunks(n_leads, seed=seed):
            for table, writers in (
                (chunk.leads, for_leads),
                (chunk.activities, for_activities),
                (chunk.prepared, for_prepared),
            ):
                for writer in writers:
                    writer.write(table)
    crm = CrmSettings(name="benchmark", timezone="Europe/Berlin", exported_at=LAST)
    names = {name: file_name(name) for name in TABLE_NAMES}
    write_scan_of({name: folder / file for name, file in names.items()}, crm, folder / scan_file_name(names))
    manifest = {"format": FORMAT, "crm": crm.to_dict(), "tables": names}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True))


def _writers(folder: Path, stack: ExitStack) -> "tuple[tuple[Writer, ...], ...]":
    """Return what writes leads, activities, and activities in their prepared form."""

    def grouped(name: str, schema: pa.Schema, **options: Any) -> GroupedWriter:
        return stack.enter_context(GroupedWriter(folder / name, schema, **options))

    texts = ["kind", "asset", "channel"]
    wide = {"row_group_size": WIDE_GROUP}
    return (
        (grouped(file_name(LEADS), LEADS_SCHEMA, **file_options(LEADS)),),
        (
            grouped(file_name(ACTIVITIES), ACTIVITIES_SCHEMA, **file_options(ACTIVITIES)),
            grouped(WIDE, ACTIVITIES_SCHEMA, compression="lz4", **wide),
        ),
        (
            grouped(PREPARED_PARQUET, PREPARED_SCHEMA, compression="none", use_dictionary=texts, **wide),
            stack.enter_context(ArrowWriter(folder / PREPARED_ARROW, PREPARED_SCHEMA)),
        ),
    )


def write_snapshots(folder: Path, n_points: int, *, seed: int) -> None:
    """Write points drawn from the landmark ages of all leads, in their order, unless there are some."""
    if (folder / SNAPSHOTS).is_file():
        return
    rng = np.random.default_rng([seed, n_points])
    leads = parquet.read_table(folder / file_name(LEADS), columns=["lead_id", "created_at"])
    drawn = rng.choice(leads.num_rows * len(LANDMARK_DAYS), n_points, replace=False)
    lead, landmark = np.divmod(np.sort(drawn), len(LANDMARK_DAYS))
    created_us = leads.column("created_at").cast(pa.int64()).to_numpy()[lead]
    as_of_us = created_us + np.array(LANDMARK_DAYS)[landmark] * DAY_US
    table = pa.table(
        {
            "point": np.arange(n_points),
            "lead_id": leads.column("lead_id").take(pa.array(lead)),
            "as_of": pa.array(as_of_us).cast(TIME_TYPE),
        }
    )
    parquet.write_table(table, folder / SNAPSHOTS)


class GroupedWriter:
    """A Parquet file whose row groups all have one size (the last may be shorter), fed in any portions."""

    def __init__(self, path: Path, schema: pa.Schema, *, row_group_size: int, **options: Any) -> None:
        self._writer = parquet.ParquetWriter(path, schema, **options)
        self._rest = schema.empty_table()
        self._rows_per_group = row_group_size

    def __enter__(self) -> "GroupedWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.write_table(self._rest)
        self._writer.close()

    def write(self, table: pa.Table) -> None:
        """Write the full groups and keep the rest for the next portion."""
        table = pa.concat_tables([self._rest, table]).combine_chunks()
        full = table.num_rows - table.num_rows % self._rows_per_group
        self._writer.write_table(table.slice(0, full), row_group_size=self._rows_per_group)
        self._rest = pa.concat_tables([table.slice(full)]).combine_chunks()


class ArrowWriter:
    """An Arrow file, unpacked, whose vocabularies are in it once."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._writer = pa.ipc.new_file(path, schema)

    def __enter__(self) -> "ArrowWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def write(self, table: pa.Table) -> None:
        """Write one portion."""
        self._writer.write_table(table, max_chunksize=WIDE_GROUP)


Writer = GroupedWriter | ArrowWriter


def chunks(n_leads: int, *, seed: int) -> Iterator[Chunk]:
    """Yield the CRM in portions; each has random numbers of its own, so none depends on the others."""
    for number, first in enumerate(range(0, n_leads, LEADS_PER_CHUNK)):
        rng = np.random.default_rng([seed, number])
        yield _chunk(rng, first, min(LEADS_PER_CHUNK, n_leads - first))


def _chunk(rng: np.random.Generator, first_lead: int, n_leads: int) -> Chunk:
    ids = pa.array([f"L{number:07d}" for number in range(first_lead, first_lead + n_leads)])
    created_us = rng.integers(_us(FIRST), _us(LAST), n_leads)
    lead = np.repeat(np.arange(n_leads), _activity_counts(rng, n_leads))
    occurred_us = _activity_times(rng, lead, created_us)
    first_row = first_lead * ACTIVITIES_PER_LEAD
    n = len(lead)
    kind, asset, channel = (
        _drawn(rng, SHARES_OF_KINDS, n),
        _assets(rng, n),
        _drawn(rng, SHARES_OF_CHANNELS, n),
    )
    activities = [
        _hex_ids(np.arange(first_row, first_row + n, dtype=np.uint64) * ODD),
        ids.take(pa.array(lead)),
        pa.array(occurred_us).cast(TIME_TYPE),
        *(each.cast(pa.string()) for each in (kind, asset, channel)),
        pa.array(rng.exponential(100.0, n).round(2), mask=rng.random(n) < 0.9),
    ]
    prepared = [pa.array(first_lead + lead, pa.int32()), pa.array(occurred_us), kind, asset, channel]
    return Chunk(
        leads=_leads(rng, ids, created_us),
        activities=pa.Table.from_arrays(activities, schema=ACTIVITIES_SCHEMA),
        prepared=pa.Table.from_arrays(prepared, schema=PREPARED_SCHEMA),
    )


def _activity_counts(rng: np.random.Generator, n_leads: int) -> Integers:
    """Return heavy-tailed numbers that add up to exactly 20 per lead; int64 (n_leads,)."""
    drawn = rng.lognormal(sigma=SPREAD_OF_LOG, size=n_leads)
    total = n_leads * ACTIVITIES_PER_LEAD
    counts = np.floor(drawn * (total / drawn.sum())).astype(np.int64)
    missing = rng.integers(n_leads, size=total - counts.sum())
    return np.asarray(counts + np.bincount(missing, minlength=n_leads), dtype=np.int64)


def _activity_times(rng: np.random.Generator, lead: Integers, created_us: Integers) -> Integers:
    """Return instants from a lead's creation on, most of them early or recent, ascending within the lead."""
    created, n = created_us[lead], len(lead)
    span = _us(LAST) - created
    early = (span * rng.random(n) ** 3).astype(np.int64)
    recent = span - np.minimum(rng.exponential(RECENT_DAYS * DAY_US, n).astype(np.int64), span)
    occurred = created + np.where(rng.random(n) < SHARE_RECENT, recent, early)
    occurred = occurred[np.lexsort((occurred, lead))]
    while np.any(tied := (np.diff(occurred) <= 0) & (np.diff(lead) == 0)):
        occurred[1:][tied] = occurred[:-1][tied] + 1
    return np.asarray(occurred, dtype=np.int64)


def _leads(rng: np.random.Generator, ids: pa.Array, created_us: Integers) -> pa.Table:
    n = len(ids)
    columns = [
        ids,
        pa.array(created_us).cast(TIME_TYPE),
        pa.nulls(n, pa.int64()),
        pa.array(INDUSTRIES).take(pa.array(rng.integers(len(INDUSTRIES), size=n))),
        pa.array(COUNTRIES).take(pa.array(rng.integers(len(COUNTRIES), size=n))),
        pa.array(np.rint(rng.lognormal(4.0, 1.5, n))),
        pa.array(rng.random(n) < 0.3),
    ]
    return pa.Table.from_arrays(columns, schema=LEADS_SCHEMA)


def _drawn(rng: np.random.Generator, shares: Mapping[str, float], n: int) -> pa.Array:
    """Draw n names, as a dictionary; "" becomes null."""
    edges = np.cumsum(list(shares.values()))
    index = np.minimum(np.searchsorted(edges, rng.random(n), side="right"), len(shares) - 1)
    names = [name for name in shares if name]  # the share without a name is the last one
    nameless = index >= len(names)
    codes = pa.array(np.where(nameless, 0, index).astype(np.int8), mask=nameless)
    return pa.DictionaryArray.from_arrays(codes, names)


def _assets(rng: np.random.Generator, n: int) -> pa.Array:
    """Draw n assets of which few are met often and most seldom; null where an activity has none."""
    index = (len(ASSETS) * rng.random(n) ** 3).astype(np.int64)
    codes = pa.array(index.astype(np.int16), mask=rng.random(n) < SHARE_WITHOUT_ASSET)
    return pa.DictionaryArray.from_arrays(codes, list(ASSETS))


def _hex_ids(numbers: npt.NDArray[np.uint64]) -> pa.Array:
    """Write 64-bit numbers as 16 hexadecimal digits each."""
    digits = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), np.uint8).reshape(256, 2)
    text = digits[numbers.byteswap().view(np.uint8)].tobytes()
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * 16
    return pa.Array.from_buffers(pa.string(), len(numbers), [None, pa.py_buffer(offsets), pa.py_buffer(text)])


def _us(instant: datetime) -> int:
    return (instant - EPOCH) // MICROSECOND


def main() -> None:
    """Write leads, activities and, if asked for, snapshots, unless the folder has them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("leads", type=int)
    parser.add_argument("points", type=int)
    given = parser.parse_args()
    write_history(given.folder, given.leads, seed=SEED)
    if given.points:
        write_snapshots(given.folder, given.points, seed=SEED)


if __name__ == "__main__":
    main()
