"""A folder with an export -> RawExport: canonical files as they are, or the mapping's SQL over its files.

The SQL runs in a DuckDB that reads this folder and nothing else, writes nothing and loads no extension.
"""

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow import parquet

from features.errors import InputError
from features.importing.raw import RawExport, RawTable, numbered_from_one
from features.problems import Problem
from features.sources.csv_file import read_csv_table
from features.sources.mapping import Mapping, TableQuery
from features.sources.reading import UnreadableFileError, repeated_names
from features.sql import LOCKED_DOWN, quote_text
from features.tables import LEADS, TABLE_NAMES

LONGEST_MESSAGE = 600


def read_export(folder: Path, mapping: Mapping | None) -> RawExport:
    """Read the tables of an export; InputError names every file or query that cannot be read."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; leadpact import takes the folder that holds the export")
    if mapping is not None and mapping.queries:
        tables = _run_queries(folder.resolve(), mapping)
    else:
        tables = _read_canonical_files(folder)
    return RawExport(
        tables=tables,
        crm=None if mapping is None else mapping.crm,
        naive_zone=None if mapping is None else mapping.naive_zone,
    )


def _read_canonical_files(folder: Path) -> tuple[RawTable, ...]:
    readers: list[Callable[[], RawTable]] = []
    problems: list[Problem] = []
    for table in TABLE_NAMES:
        files = [path for kind in READERS if (path := folder / f"{table}{kind}").is_file()]
        if len(files) > 1:
            rule = f"{table} is given twice, as {' and '.join(path.name for path in files)}; keep one"
            problems.append(Problem(code="table_given_twice", file=files[0].name, rule=rule))
        elif files:
            readers.append(_reader(files[0], table))
        elif unread := _unread_files(folder, table):
            problems.extend(unread)
        elif table == LEADS:
            problems.append(_no_leads_file(folder))
    return _collect(readers, problems)


def _unread_files(folder: Path, table: str) -> list[Problem]:
    """Return files named like a table in a form that is not read: without them the table would be lost."""
    names = " or ".join(table + kind for kind in READERS)
    rule = f"cannot be read as it is: {table} must be an ordinary, unpacked file named {names}"
    return [
        Problem(code="unread_file", file=path.name, rule=rule)
        for path in sorted(folder.iterdir())
        if path.name.lower().split(".")[0] == table
    ]


def _reader(path: Path, table: str) -> Callable[[], RawTable]:
    return lambda: READERS[path.suffix](path, table)


def _collect(readers: list[Callable[[], RawTable]], problems: list[Problem]) -> tuple[RawTable, ...]:
    """Read everything, and only then refuse, so that every unreadable file is named at once."""
    tables = []
    for read in readers:
        try:
            tables.append(read())
        except UnreadableFileError as error:
            problems.extend(error.found)
    if problems:
        raise UnreadableFileError(*problems)
    return tuple(tables)


def _no_leads_file(folder: Path) -> Problem:
    held = ", ".join(sorted(path.name for path in folder.iterdir())[:10]) or "nothing"
    rule = f"must hold leads.csv, leads.parquet or a crm.toml whose [tables] makes leads; it holds {held}"
    return Problem(code="no_leads_table", file=folder.name, rule=rule)


def _read_parquet_table(path: Path, table: str) -> RawTable:
    try:
        with parquet.ParquetFile(path) as opened:
            data = opened.read()
    except (pa.ArrowException, OSError) as error:
        rule = f"must be a readable Parquet file: {_shorten(error)}"
        raise UnreadableFileError(Problem(code="unreadable_parquet", file=path.name, rule=rule)) from error
    return _typed_table(table, path.name, data)


READERS = {".csv": read_csv_table, ".parquet": _read_parquet_table}


def _typed_table(table: str, file: str, data: pa.Table) -> RawTable:
    rule = f"the {table} table has two columns of this name"
    problems = [
        Problem(code="repeated_column", file=file, column=name, rule=rule)
        for name in repeated_names(data.column_names)
    ]
    if problems:
        raise UnreadableFileError(*problems)
    return RawTable(
        name=table, file=file, data=data, row_numbers=numbered_from_one(data.num_rows), is_text=False
    )


def _run_queries(folder: Path, mapping: Mapping) -> tuple[RawTable, ...]:
    """Run every query from inside the folder, so that FROM 'file.csv' means a file of the export.

    DuckDB looks for relative names in the process's directory alone once it is locked down; the directory is
    put back before this returns, and nothing else runs in a process that imports.
    """
    with (
        tempfile.TemporaryDirectory() as spill,
        duckdb.connect(":memory:", config=LOCKED_DOWN) as connection,
        contextlib.chdir(folder),
    ):
        _lock_down(connection, folder, spill, mapping.crm.timezone)
        return _collect([_runner(connection, query, mapping.file) for query in mapping.queries], [])


def _lock_down(connection: duckdb.DuckDBPyConnection, folder: Path, spill: str, timezone: str) -> None:
    connection.execute("SET threads = 1")  # several would return rows in another order each time
    connection.execute(f"SET TimeZone = {quote_text(timezone)}")
    connection.execute(f"SET temp_directory = {quote_text(spill)}")
    connection.execute(f"SET allowed_directories = [{quote_text(str(folder))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _runner(connection: duckdb.DuckDBPyConnection, query: TableQuery, file: str) -> Callable[[], RawTable]:
    return lambda: _run_query(connection, query, file)


def _run_query(connection: duckdb.DuckDBPyConnection, query: TableQuery, file: str) -> RawTable:
    """Run one SELECT; anything else is refused, so a mapping cannot write into the export."""
    try:
        statements = duckdb.extract_statements(query.sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise _query_problem(query, file, "must be exactly one SELECT")
        data = connection.sql(query.sql).to_arrow_table()
    except duckdb.Error as error:
        raise _query_problem(query, file, f"DuckDB cannot run this query: {_shorten(error)}") from error
    return _typed_table(query.table, f"{file} [tables] {query.table}", data)


def _query_problem(query: TableQuery, file: str, rule: str) -> UnreadableFileError:
    place = f"tables.{query.table}"
    return UnreadableFileError(
        Problem(code="query_failed", file=file, row=query.line, column=place, rule=rule)
    )


def _shorten(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…"
