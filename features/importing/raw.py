"""What a reader found before any rule was applied: raw tables, and the rows it could not read at all.

A source is read whole (`RawExport`) or in batches that fit into memory (`RawSource`), by the same readers.

The rejects table (one row per problem of a row) is made here, so that readers and rules report alike.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.crm import CrmSettings
from features.problems import Problem
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawStream:
    """One table of a source, to be read in batches.

    `head` has the table's name, file and columns, and no row. `batches` reads the rows once from the first to
    the last; each batch is a RawTable, and a reader may find only at the end that the table is unreadable.
    """

    head: RawTable
    batches: Callable[[], Iterator[RawTable]]

    def whole(self) -> RawTable:
        """Read all rows into one table."""
        parts = list(self.batches()) or [self.head]
        return replace(
            self.head,
            data=pa.concat_tables([each.data for each in parts]),
            row_numbers=pa.concat_arrays([each.row_numbers for each in parts]),
            unreadable=pa.concat_tables([each.unreadable for each in parts]),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawSource:
    """The tables of one source and what its `crm.toml` says, before a row is read; see `RawExport`."""

    streams: tuple[RawStream, ...]
    crm: CrmSettings | None = None
    naive_zone: str | None = None


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


def unreadable_rows(file: str, rows: pa.Array, content: pa.Array, *, code: str, rule: str) -> pa.Table:
    """Describe rows that could not be read at all: their numbers (n,), and what they hold as text (n,)."""
    nothing = pa.nulls(len(rows), pa.string())
    said = [repeated(text, len(rows)) for text in (rule, code)]
    columns = [repeated(file, len(rows)), rows.cast(pa.int64()), nothing, nothing, *said, content]
    return pa.table(columns, schema=REJECTS_SCHEMA)


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
    return problems_in((rejects,), shown)


def problems_in(parts: Iterable[pa.Table], shown: int = SHOWN_PER_KIND) -> tuple[Problem, ...]:
    """Return what `problems_of` does of rejects that come in parts, cut anywhere."""
    found: defaultdict[Kind, list[Problem]] = defaultdict(list)
    rows: Counter[Kind] = Counter()
    for part in parts:
        for kind, count in _count_kinds(part):
            rows[kind] += count
            found[kind] += _first_of_kind(part, kind, shown - len(found[kind]))
    files = {file: place for place, file in enumerate(dict.fromkeys(kind[0] for kind in found))}
    every = [each for kind in found for each in (*found[kind], *_left_out(kind, rows[kind] - shown))]
    return tuple(sorted(every, key=lambda each: (files[each.file], each.row or MANY_ROWS)))


KIND_COLUMNS = ("file", "column", "code", "rule")
Kind = tuple[str, str | None, str, str]
"""The values of KIND_COLUMNS."""


def _count_kinds(rejects: pa.Table) -> Iterator[tuple[Kind, int]]:
    """Yield each kind and how often it occurs, by first occurrence: groups come in no order of their own."""
    placed = rejects.select(KIND_COLUMNS).append_column("place", numbered_from_one(rejects.num_rows))
    kinds = placed.group_by(list(KIND_COLUMNS)).aggregate([("place", "min"), ([], "count_all")])
    for kind in kinds.sort_by("place_min").to_pylist():
        yield (kind["file"], kind["column"], kind["code"], kind["rule"]), kind["count_all"]


def _first_of_kind(rejects: pa.Table, kind: Kind, shown: int) -> list[Problem]:
    if shown <= 0:
        return []
    file, column, code, rule = kind
    first = rejects.filter(_is_kind(rejects, kind)).slice(0, shown).select(["row", "value"]).to_pylist()
    return [
        Problem(file=file, column=column, code=code, rule=rule, row=each["row"], value=each["value"])
        for each in first
    ]


def _left_out(kind: Kind, rows: int) -> Iterator[Problem]:
    if rows > 0:
        file, column, code, rule = kind
        yield Problem(file=file, column=column, code=code, rule=f"… and {rows:,} more rows: {rule}")


def _is_kind(rejects: pa.Table, kind: Kind) -> pa.ChunkedArray:
    mask = pc.equal(rejects.column("file"), kind[0])
    for name, wanted in zip(KIND_COLUMNS[1:], kind[1:], strict=True):
        column = rejects.column(name)
        same = pc.is_null(column) if wanted is None else pc.equal(column, wanted)
        mask = pc.and_(mask, pc.fill_null(same, fill_value=False))
    return mask
