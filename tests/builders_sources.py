"""Raw sources of every origin with the same rows, and what all buckets of one come to."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from features.crm import CrmSettings
from features.importing.raw import RawExport
from features.importing.validation import Validated, validate
from features.sources.buckets import open_buckets
from features.sources.database import open_database
from features.sources.folder import open_export
from features.sources.judged import SourceReport
from features.sources.spill import BucketLimits
from features.tables import TABLE_NAMES, CanonicalTables

Tables = Mapping[str, Mapping[str, Sequence[Any]]]
"""Columns by table: text or null, and for SQLite whatever it stores."""

CRM = CrmSettings(name="crm")


@dataclass(frozen=True, kw_only=True)
class Streamed:
    """All buckets of a source, each table put together again, and the report."""

    buckets: tuple[CanonicalTables, ...]
    report: SourceReport

    def table(self, name: str) -> pa.Table:
        """Return one table of all buckets."""
        return pa.concat_tables([each.table(name) for each in self.buckets])


def stream(
    where: str | Path,
    rejects_dir: Path,
    *,
    limits: BucketLimits = BucketLimits(),  # noqa: B008 - a frozen value
    now: datetime | None = None,
    mapping_file: Path | None = None,
) -> Streamed:
    """Read every bucket of a source."""
    with open_buckets(where, limits=limits, now=now, mapping_file=mapping_file) as buckets:
        read = tuple(buckets.read(number) for number in range(len(buckets)))
        return Streamed(buckets=read, report=buckets.report(rejects_dir))


def judge_whole(where: str | Path, now: datetime | None = None) -> Validated:
    """Read a source whole and judge it as an import would."""
    opened = open_export(where, None) if isinstance(where, Path) else open_database(where, None)
    with opened as source:
        raw = RawExport(tables=tuple(each.whole() for each in source.streams))
    return validate(raw, CRM, now=now)


def assert_same(streamed: Streamed, whole: Validated) -> None:
    """Check that buckets and an import agree on every row, count, problem and note."""
    for name in TABLE_NAMES:
        assert streamed.table(name).equals(whole.tables.table(name)), name
    assert streamed.report.counts == whole.counts
    assert streamed.report.problems == whole.all_problems
    assert streamed.report.notes[: len(whole.notes)] == whole.notes
    assert (streamed.report.rejects_file is None) == (whole.rejects.num_rows == 0)


def write_csv_folder(folder: Path, tables: Tables) -> Path:
    """Write each table as CSV; null is the empty text."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in _arrow_tables(tables).items():
        arrow_csv.write_csv(table, folder / f"{name}.csv")
    return folder


def write_parquet_folder(folder: Path, tables: Tables) -> Path:
    """Write each table as Parquet, all columns text."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in _arrow_tables(tables).items():
        parquet.write_table(table, folder / f"{name}.parquet", row_group_size=3)
    return folder


def write_sqlite(file: Path, tables: Tables, declared: Mapping[str, str] | None = None) -> str:
    """Write each table to a new SQLite file and return its URL; `declared` gives types to columns."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with sqlite3.connect(file) as connection:
        for name, columns in tables.items():
            types = ", ".join(f"{_quoted(each)} {(declared or {}).get(each, 'TEXT')}" for each in columns)
            connection.execute(f"CREATE TABLE {name} ({types})")
            marks = ", ".join("?" for _ in columns)
            connection.executemany(
                f"INSERT INTO {name} VALUES ({marks})",  # noqa: S608 - names of a test
                list(zip(*columns.values(), strict=True)),
            )
    connection.close()
    return f"sqlite:///{file}"


def write_postgresql(url: str, tables: Tables) -> str:
    """Write each table to an empty PostgreSQL database, all columns text, and return its URL."""
    with psycopg.connect(url) as connection:
        for name, columns in tables.items():
            table, types = (
                sql.Identifier(name),
                [sql.SQL("{} text").format(sql.Identifier(each)) for each in columns],
            )
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
            connection.execute(sql.SQL("CREATE TABLE {} ({})").format(table, sql.SQL(", ").join(types)))
            marks = sql.SQL(", ").join([sql.Placeholder()] * len(columns))
            insert = sql.SQL("INSERT INTO {} VALUES ({})").format(table, marks)
            for row in zip(*columns.values(), strict=True):
                connection.execute(insert, row)
    return url


def _arrow_tables(tables: Tables) -> dict[str, pa.Table]:
    return {
        name: pa.table({column: pa.array(values, pa.string()) for column, values in columns.items()})
        for name, columns in tables.items()
    }


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
