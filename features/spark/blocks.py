"""What a worker does: rows of several tables, sorted by lead -> canonical tables of whole leads.

Needs no Spark: Arrow batches in, tables out. Which rows come together is decided by `features.spark.leads`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from features.crm import CrmSettings
from features.errors import InputError
from features.tables import (
    ACTIVITIES,
    ACTIVITIES_SCHEMA,
    CHANGES,
    CHANGES_SCHEMA,
    DEALS,
    LEADS,
    CanonicalTables,
    empty_table,
)

ROWS_PER_BLOCK = 65_536
"""A block ends with the lead that reaches so many rows of all tables; what a worker holds at a time."""

PARTS = (LEADS, CHANGES, ACTIVITIES)
"""The tables whose rows come together; a row says by its place in here (`part`) which one it belongs to."""

FILLED = {
    LEADS: ("lead_id",),
    CHANGES: ("lead_id", "attribute", "changed_at"),
    ACTIVITIES: ("lead_id", "activity_id", "occurred_at", "kind"),
}
"""Columns that the rest relies on in every row; an import guarantees them, a folder of Parquet may not."""

Compute = Callable[[CanonicalTables], pa.Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableShapes:
    """The columns of the leads table and the settings of the CRM: the same for every block."""

    leads: pa.Schema
    crm: CrmSettings

    def schema(self, name: str) -> pa.Schema:
        """Return the columns of one of `PARTS`."""
        return {LEADS: self.leads, CHANGES: CHANGES_SCHEMA, ACTIVITIES: ACTIVITIES_SCHEMA}[name]

    def tables_without_rows(self) -> CanonicalTables:
        """Return tables of these shapes: what a computation gives for them tells its columns."""
        return self._tables({name: self.schema(name).empty_table() for name in PARTS})

    def tables_of(self, block: pa.Table) -> CanonicalTables:
        """Return the tables of a block; InputError when a lead has two rows or a needed value is missing.

        Order is kept: rows that come in canonical order (`features.tables.SORT_KEYS`) are in it.
        """
        tables = self._tables({name: self._rows(block, name) for name in PARTS})
        _check_leads_differ(tables.leads)
        return tables

    def _tables(self, parts: dict[str, pa.Table]) -> CanonicalTables:
        return CanonicalTables(**parts, deals=empty_table(DEALS), crm=self.crm)

    def _rows(self, block: pa.Table, name: str) -> pa.Table:
        mine = pc.equal(block.column("part"), PARTS.index(name))
        rows = pa.Table.from_struct_array(block.column(name).filter(mine).combine_chunks())
        _check_filled(rows, name)
        # Spark may send large strings, and names the zone of its session: the types are ours again here.
        return rows.cast(self.schema(name))


def compute_blocks(
    compute: Compute,
    shapes: TableShapes,
    batches: Iterable[pa.RecordBatch],
    *,
    rows_per_block: int = ROWS_PER_BLOCK,
) -> Iterator[pa.RecordBatch]:
    """Yield what `compute` gives for the tables of each block; activities without their lead are left out."""
    for block in whole_leads(batches, rows_per_block=rows_per_block):
        tables = shapes.tables_of(block)
        if tables.leads.num_rows:
            yield from compute(tables).to_batches()


def whole_leads(
    batches: Iterable[pa.RecordBatch], *, rows_per_block: int = ROWS_PER_BLOCK
) -> Iterator[pa.Table]:
    """Cut batches that are sorted by lead_id into blocks that hold each of their leads as a whole.

    A block has `rows_per_block` rows or more, the last one perhaps fewer; what is held at a time is one block
    and the rows of its last lead.
    """
    held: list[pa.RecordBatch] = []
    n_held, last_lead = 0, None
    for batch in batches:
        if not batch.num_rows:
            continue
        start, lead = _last_lead(batch)
        if lead != last_lead and n_held + start >= rows_per_block:
            yield pa.Table.from_batches([*held, batch.slice(0, start)])
            held, n_held = [batch.slice(start)], batch.num_rows - start
        else:
            held.append(batch)
            n_held += batch.num_rows
        last_lead = lead
    if held:
        yield pa.Table.from_batches(held)


def _last_lead(batch: pa.RecordBatch) -> tuple[int, str]:
    """Return where the last lead of a batch begins in it, and its id."""
    lead_ids = batch.column("lead_id")
    if lead_ids.null_count:
        raise InputError("column 'lead_id' must be filled in every row of every table; got an empty one")
    last = lead_ids[-1]
    return pc.index(lead_ids, last).as_py(), last.as_py()


def _check_filled(rows: pa.Table, name: str) -> None:
    for column in FILLED[name]:
        if rows.column(column).null_count:
            raise InputError(f"{name}: column {column!r} must be filled in every row; got an empty one")


def _check_leads_differ(leads: pa.Table) -> None:
    lead_ids = leads.column("lead_id")
    if pc.count_distinct(lead_ids).as_py() == len(lead_ids):
        return
    counts = pc.value_counts(lead_ids).to_pylist()
    twice = next(each for each in counts if each["counts"] > 1)
    raise InputError(f"{LEADS}: lead_id must be unique; got {twice['values']!r} in {twice['counts']} rows")
