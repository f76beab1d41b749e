"""A folder with an export -> raw tables: canonical files as they are, or the mapping's SQL over its files.

The SQL runs in a DuckDB that reads this folder and nothing else, writes nothing and loads no extension.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, chdir, contextmanager
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow import parquet

from features.errors import InputError
from features.importing.raw import RawExport, RawSource, RawStream
from features.problems import Problem
from features.sources.csv_file import open_csv_table
from features.sources.mapping import Mapping, TableQuery
from features.sources.reading import UnreadableFileError, collect, numbered_batches, typed_head
from features.sql import LOCKED_DOWN, quote_text
from features.tables import LEADS, TABLE_NAMES

LONGEST_MESSAGE = 600
BATCH_ROWS = 1 << 16
PAGE_BYTES = 1 << 20


def read_export(folder: Path, mapping: Mapping | None) -> RawExport:
    """Read the tables of an export whole; InputError names every file or query that cannot be read."""
    with open_export(folder, mapping) as source:
        tables = collect([stream.whole for stream in source.streams])
    return RawExport(tables=tables, crm=source.crm, naive_zone=source.naive_zone)


@contextmanager
def open_export(folder: Path, mapping: Mapping | None) -> Iterator[RawSource]:
    """Open the tables of an export, to be read one after the other within the block.

    With queries the process works in the folder meanwhile. InputError names every file or query that is
    unreadable as far as that shows without reading its rows.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; leadpact import takes the folder that holds the export")
    with ExitStack() as stack:
        if mapping is not None and mapping.queries:
            streams = stack.enter_context(_open_queries(folder.resolve(), mapping))
        else:
            streams = _open_canonical_files(folder)
        yield RawSource(
            streams=streams,
            crm=None if mapping is None else mapping.crm,
            naive_zone=None if mapping is None else mapping.naive_zone,
        )


def _open_canonical_files(folder: Path) -> tuple[RawStream, ...]:
    openers: list[Callable[[], RawStream]] = []
    problems: list[Problem] = []
    for table in TABLE_NAMES:
        files = [path for kind in OPENERS if (path := folder / f"{table}{kind}").is_file()]
        if len(files) > 1:
            rule = f"{table} is given twice, as {' and '.join(path.name for path in files)}; keep one"
            problems.append(Problem(code="table_given_twice", file=files[0].name, rule=rule))
        elif files:
            openers.append(partial(OPENERS[files[0].suffix], files[0], table))
        elif unread := _unread_files(folder, table):
            problems.extend(unread)
        elif table == LEADS:
            problems.append(_no_leads_file(folder))
    return collect(openers, problems)


def _unread_files(folder: Path, table: str) -> list[Problem]:
    """Return files named like a table in a form that is not read: without them the table would be lost."""
    names = " or ".join(table + kind for kind in OPENERS)
    rule = f"cannot be read as it is: {table} must be an ordinary, unpacked file named {names}"
    return [
        Problem(code="unread_file", file=path.name, rule=rule)
        for path in sorted(folder.iterdir())
        if path.name.lower().split(".")[0] == table
    ]


def _no_leads_file(folder: Path) -> Problem:
    held = ", ".join(sorted(path.name for path in folder.iterdir())[:10]) or "nothing"
    rule = f"must hold leads.csv, leads.parquet or a crm.toml whose [tables] makes leads; it holds {held}"
    return Problem(code="no_leads_table", file=folder.name, rule=rule)


def _open_parquet_table(path: Path, table: str) -> RawStream:
    """Read a Parquet file in batches; a file without its end is refused at once, a damaged one on the way."""
    with _readable(path), parquet.ParquetFile(path) as opened:
        schema = opened.schema_arrow
    head = typed_head(table, path.name, schema)
    return RawStream(head=head, batches=lambda: numbered_batches(head, _parquet_batches(path)))


def _parquet_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield the rows; a whole row group is never held (`pre_buffer` would)."""
    with _readable(path), parquet.ParquetFile(path, pre_buffer=False, buffer_size=PAGE_BYTES) as opened:
        yield from opened.iter_batches(batch_size=BATCH_ROWS)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        rule = f"must be a readable Parquet file: {_shorten(error)}"
        raise UnreadableFileError(Problem(code="unreadable_parquet", file=path.name, rule=rule)) from error


OPENERS: dict[str, Callable[[Path, str], RawStream]] = {
    ".csv": open_csv_table,
    ".parquet": _open_parquet_table,
}


@contextmanager
def _open_queries(folder: Path, mapping: Mapping) -> Iterator[tuple[RawStream, ...]]:
    """Prepare every query inside the folder, so that FROM 'file.csv' means a file of the export.

    DuckDB looks for relative names in the process's directory alone once it is locked down; the directory is
    put back at the end of the block, and nothing else runs in a process that reads an export.
    """
    with (
        tempfile.TemporaryDirectory() as spill,
        duckdb.connect(":memory:", config=LOCKED_DOWN) as connection,
        chdir(folder),
    ):
        _lock_down(connection, folder, spill, mapping.crm.timezone)
        yield collect([partial(_open_query, connection, query, mapping.file) for query in mapping.queries])


def _lock_down(connection: duckdb.DuckDBPyConnection, folder: Path, spill: str, timezone: str) -> None:
    connection.execute("SET threads = 1")  # several would return rows in another order each time
    connection.execute(f"SET TimeZone = {quote_text(timezone)}")
    connection.execute(f"SET temp_directory = {quote_text(spill)}")
    connection.execute(f"SET allowed_directories = [{quote_text(str(folder))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _open_query(connection: duckdb.DuckDBPyConnection, query: TableQuery, file: str) -> RawStream:
    """Prepare one SELECT; anything else is refused, so a mapping cannot write into the export."""
    with _query_named(query, file):
        statements = duckdb.extract_statements(query.sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise _query_problem(query, file, "must be exactly one SELECT")
        names = connection.sql(query.sql).columns
    schema = pa.schema([(name, pa.null()) for name in names])
    head = typed_head(query.table, f"{file} [tables] {query.table}", schema)
    return RawStream(
        head=head, batches=lambda: numbered_batches(head, _query_batches(connection, query, file))
    )


def _query_batches(
    connection: duckdb.DuckDBPyConnection, query: TableQuery, file: str
) -> Iterator[pa.RecordBatch]:
    """Yield what a query gives: at least one batch, which has the types of the columns."""
    with _query_named(query, file):
        reader = connection.sql(query.sql).to_arrow_reader(BATCH_ROWS)
        yield pa.RecordBatch.from_pylist([], schema=reader.schema)
        yield from reader


@contextmanager
def _query_named(query: TableQuery, file: str) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise _query_problem(query, file, f"DuckDB cannot run this query: {_shorten(error)}") from error


def _query_problem(query: TableQuery, file: str, rule: str) -> UnreadableFileError:
    place = f"tables.{query.table}"
    return UnreadableFileError(
        Problem(code="query_failed", file=file, row=query.line, column=place, rule=rule)
    )


def _shorten(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…"
