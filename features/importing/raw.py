"""What a reader found before any rule was applied: raw tables, and the rows it could not read at all.

The rejects table (one row per problem of a row) is made here, so that readers and rules report alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.crm import CrmSettings
from features.problems import Problem, shorten
from features.sql import query_tables, quote_text, with_plain_names

REJECTS_SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("row", pa.int64()),
        ("column", pa.string()),
        ("value", pa.string()),
        ("rule", pa.string()),
        ("code", pa.string()),
        ("content", pa.string()),
    ]
)
"""One row per broken rule: where, what, the rule, and the whole row as JSON (or its text when unreadable)."""

SHOWN_PER_KIND = 20
MANY_ROWS = 2**63
"""Where a problem of many rows stands among those of one row: behind them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawTable:
    """One table as its source holds it.

    `data` has the source's own columns; `row_numbers` (int64, one per row) counts data rows from 1.
    `is_text` says that every column is text whose type is to be inferred (CSV), not declared (Parquet, SQL).
    `unreadable` (REJECTS_SCHEMA) holds the rows that could not be read at all.
    """

    name: str
    file: str
    data: pa.Table
    row_numbers: pa.Array
    is_text: bool
    unreadable: pa.Table = field(default_factory=REJECTS_SCHEMA.empty_table)

    @property
    def rows_read(self) -> int:
        """All rows of the source, the unreadable ones included."""
        return int(self.data.num_rows + self.unreadable.num_rows)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawExport:
    """The raw tables of one export and what its `crm.toml` says.

    `crm` is None when the export has no `crm.toml`. `naive_zone` is the zone of naive times; None makes
    every naive time a problem.
    """

    tables: tuple[RawTable, ...]
    crm: CrmSettings | None = None
    naive_zone: str | None = None

    def table(self, name: str) -> RawTable | None:
        """Return one raw table, or None when the export does not have it."""
        return next((each for each in self.tables if each.name == name), None)


def numbered_from_one(rows: int) -> pa.Array:
    """Return the row numbers 1 … rows."""
    return pa.array(np.arange(1, rows + 1, dtype=np.int64))


def reject_rows(raw: RawTable, positions: pa.Array, *, code: str, rule: str, column: str | None) -> pa.Table:
    """Describe rows of a raw table that break one rule, as a rejects table."""
    rows = raw.data.take(positions)
    shown = column is not None and column in rows.column_names
    value = as_shown_text(rows.column(column)) if shown else pa.nulls(len(positions), pa.string())
    return pa.table(
        [
            repeated(raw.file, len(positions)),
            raw.row_numbers.take(positions),
            repeated(column, len(positions)),
            value,
            repeated(rule, len(positions)),
            repeated(code, len(positions)),
            rows_as_json(rows),
        ],
        schema=REJECTS_SCHEMA,
    )


def repeated(value: str | None, rows: int) -> pa.Array:
    """Return a text column that says the same in every row."""
    return pa.repeat(pa.scalar(value, pa.string()), rows)


def as_shown_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the values as a person should see them, whatever their type."""
    if pa.types.is_string(column.type):
        return column
    return query_tables("SELECT CAST(v AS VARCHAR) AS v FROM t", t=pa.table({"v": column})).column("v")


def rows_as_json(rows: pa.Table) -> pa.ChunkedArray:
    """Return each row as one JSON object; nulls stay visible."""
    pairs = ", ".join(f"{quote_text(name)}, c{place}" for place, name in enumerate(rows.column_names))
    sql = f"SELECT CAST(json_object({pairs}) AS VARCHAR) AS content FROM t"  # noqa: S608 - names are quoted
    return query_tables(sql, t=with_plain_names(rows)).column("content")


def in_row_order(rejects: pa.Table) -> pa.Table:
    """Return the rejects of one file by row; the broken rules of one row keep their order."""
    return rejects.take(pc.sort_indices(rejects, [("row", "ascending")]))


def problems_of(rejects: pa.Table, shown: int = SHOWN_PER_KIND) -> tuple[Problem, ...]:
    """Return the first problems of each kind (file, column, code) by file and row, then the numbers left out.

    `rejects` holds the files one after the other, each in row order.
    """
    files = {file: place for place, file in enumerate(rejects.column("file").unique().to_pylist())}
    found = _first_of_each_kind(rejects, shown)
    return tuple(sorted(found, key=lambda each: (files[each.file], each.row or MANY_ROWS)))


def _first_of_each_kind(rejects: pa.Table, shown: int) -> Iterator[Problem]:
    kinds = rejects.group_by(["file", "column", "code", "rule"], use_threads=False).aggregate([])
    for kind in kinds.select(["file", "column", "code", "rule"]).to_pylist():
        of_kind = rejects.filter(_is_kind(rejects, kind))
        for row in of_kind.slice(0, shown).to_pylist():
            yield Problem(**kind, row=row["row"], value=row["value"] and shorten(row["value"]))
        if of_kind.num_rows > shown:
            more = f"… and {of_kind.num_rows - shown:,} more rows: {kind['rule']}"
            yield Problem(**{**kind, "rule": more})


def _is_kind(rejects: pa.Table, kind: dict[str, str | None]) -> pa.ChunkedArray:
    mask = pc.equal(rejects.column("file"), kind["file"])
    for name in ("column", "code", "rule"):
        column, wanted = rejects.column(name), kind[name]
        same = pc.is_null(column) if wanted is None else pc.equal(column, wanted)
        mask = pc.and_(mask, pc.fill_null(same, fill_value=False))
    return mask
