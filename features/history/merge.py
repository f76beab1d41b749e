"""How an export joins what is stored: row by row by id, column by column by type. Nothing is written here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.crm import CrmSettings
from features.errors import InputError
from features.importing.columns import to_text
from features.importing.table_check import KEYS, closes_before_created
from features.sql import query_tables, with_plain_names
from features.tables import LEAD_ID_COLUMNS, LEADS, TABLE_NAMES, CanonicalTables, sort_canonically


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCounts:
    """What became of the usable rows of one table."""

    table: str
    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeCounts:
    """What an import did to the history. `notes` tell of columns that became text, and of rows that clash."""

    tables: tuple[TableCounts, ...]
    settings_changed: bool
    notes: tuple[str, ...] = ()

    @property
    def is_unchanged(self) -> bool:
        """Whether the history already held all of it."""
        return not self.settings_changed and not any(each.added or each.changed for each in self.tables)


def merge_tables(
    stored: CanonicalTables | None, export: CanonicalTables
) -> tuple[CanonicalTables, MergeCounts]:
    """Upsert an export by id into what is stored; merging the same export again changes nothing.

    A lead column that the export does not have keeps its stored values.
    """
    if stored is None:
        return export, _all_added(export)
    _refuse_misfit(stored, export)
    old_leads, new_leads, notes = _align_leads(stored.leads, export.leads)
    old = {name: old_leads if name == LEADS else stored.table(name) for name in TABLE_NAMES}
    new = {name: new_leads if name == LEADS else export.table(name) for name in TABLE_NAMES}
    merged = {name: _upsert(name, old[name], new[name]) for name in TABLE_NAMES}
    tables = CanonicalTables(
        **{name: table for name, (table, _) in merged.items()}, crm=export.crm, settled=True
    )
    settled = replace(tables, crm=_settle(stored.crm, tables))
    counts = MergeCounts(
        tables=tuple(counted for _, counted in merged.values()),
        settings_changed=settled.crm != stored.crm or old_leads.schema != stored.leads.schema,
        notes=(*notes, *_notes_on(settled)),
    )
    return settled, counts


def _notes_on(tables: CanonicalTables) -> Iterator[str]:
    """Say what no single export shows: rows of one import that do not fit those of another."""
    early = pc.sum(closes_before_created(tables.deals, tables.leads)).as_py()
    if early:
        yield f"{early:,} deal(s) of the history close before their lead was created: created_at has moved"
    changed = set(tables.attribute_changes["attribute"].unique().to_pylist())
    if unknown := sorted(changed.difference(tables.attribute_columns)):
        yield f"attribute_changes names attributes that leads does not have: {', '.join(unknown)}"


def _all_added(export: CanonicalTables) -> MergeCounts:
    counts = (
        TableCounts(table=name, added=export.table(name).num_rows, changed=0, unchanged=0)
        for name in TABLE_NAMES
    )
    return MergeCounts(tables=tuple(counts), settings_changed=True, notes=tuple(_notes_on(export)))


def _refuse_misfit(stored: CanonicalTables, export: CanonicalTables) -> None:
    if stored.crm.name != export.crm.name:
        raise InputError(
            f"this workspace holds the CRM {stored.crm.name!r}, the export is of {export.crm.name!r}; "
            "import it into another --workspace"
        )
    if not export.leads.num_rows:
        return
    for column in ("created_at",) if stored.has_times or export.has_times else ("created_order",):
        sides = {"stored": stored.leads, "exported": export.leads}
        filled = [side for side, leads in sides.items() if leads[column].null_count < leads.num_rows]
        if len(filled) == 1:
            raise InputError(
                f"only the {filled[0]} leads have {column}; a history has it for all of its leads or for none"
            )


def _settle(before: CrmSettings, merged: CanonicalTables) -> CrmSettings:
    """Take the export's settings; without an exported_at of its own, the stored one never moves back."""
    if merged.crm.exported_at is not None or before.exported_at is None:
        return merged.crm
    newest_us = replace(merged, crm=replace(merged.crm, exported_at=None)).known_until_us
    newest = pa.scalar(newest_us, pa.timestamp("us", tz="UTC")).as_py() if newest_us is not None else None
    return replace(merged.crm, exported_at=max(before.exported_at, newest or before.exported_at))


def _align_leads(old: pa.Table, new: pa.Table) -> tuple[pa.Table, pa.Table, tuple[str, ...]]:
    """Give both lead tables the same columns and types."""
    notes: list[str] = []
    columns: dict[str, tuple[pa.ChunkedArray, pa.ChunkedArray]] = {}
    stored_row = pc.index_in(new["lead_id"], value_set=old["lead_id"])
    for name in dict.fromkeys((*old.column_names, *new.column_names)):
        if name not in new.column_names or (name in LEAD_ID_COLUMNS.names and _is_empty(new[name])):
            columns[name] = (old[name], old[name].take(stored_row))
        elif name not in old.column_names:
            columns[name] = (_nulls(old.num_rows, new[name].type), new[name])
        else:
            columns[name] = _same_type(name, old[name], new[name], notes)
    left, right = (pa.table({name: pair[side] for name, pair in columns.items()}) for side in (0, 1))
    return left, right, tuple(notes)


def _same_type(
    name: str, old: pa.ChunkedArray, new: pa.ChunkedArray, notes: list[str]
) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Keep the type both have; a column without values takes the other's; else both become text."""
    if old.type == new.type:
        return old, new
    if _is_empty(new):
        return old, _nulls(len(new), old.type)
    if _is_empty(old):
        return _nulls(len(old), new.type), new
    notes.append(
        f"leads column {name!r} was {old.type}, this export has {new.type}: kept as text from now on"
    )
    return to_text(old), to_text(new)


def _is_empty(column: pa.ChunkedArray) -> bool:
    return bool(column.null_count == len(column))


def _nulls(rows: int, kind: pa.DataType) -> pa.ChunkedArray:
    return pa.chunked_array([pa.nulls(rows, kind)])


def _upsert(name: str, old: pa.Table, new: pa.Table) -> tuple[pa.Table, TableCounts]:
    news = _find_news(old, new, KEYS[name])
    replaced = news["old_row"].drop_null()
    counts = TableCounts(
        table=name,
        added=news["old_row"].null_count,
        changed=len(replaced),
        unchanged=new.num_rows - news.num_rows,
    )
    if news.num_rows == 0:
        return old, counts
    kept = old.filter(pc.invert(pc.is_in(_positions(old), value_set=replaced)))
    rows = pa.concat_tables([kept, new.take(news["new_row"]).select(old.column_names).cast(old.schema)])
    return sort_canonically(name, rows), counts


def _find_news(old: pa.Table, new: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Return `new_row` of every row not stored as it is, and `old_row`: the row it replaces, or null."""
    keyed = [new.column_names.index(key) for key in keys]
    content = [place for place in range(new.num_columns) if place not in keyed]
    same_key = " AND ".join(f"o.c{place} = n.c{place}" for place in keyed)
    stored, given = (f"row({', '.join(f'{side}.c{place}' for place in content)})" for side in "on")
    sql = f"""
        SELECT n.position AS new_row, o.position AS old_row
        FROM n LEFT JOIN o ON {same_key}
        WHERE o.position IS NULL OR {stored} IS DISTINCT FROM {given}
        ORDER BY new_row"""  # noqa: S608 - made of column numbers alone
    return query_tables(sql, o=_numbered(old.select(new.column_names)), n=_numbered(new))


def _numbered(table: pa.Table) -> pa.Table:
    return with_plain_names(table).append_column("position", _positions(table))


def _positions(table: pa.Table) -> pa.Array:
    return pa.array(np.arange(table.num_rows))
