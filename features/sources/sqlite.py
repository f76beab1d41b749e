"""Tables of SQLite -> raw tables of text, since any of its columns may hold values of any type.

Numbers are written as text that reads back as the same number, 0 and 1 of a column declared BOOLEAN as false
and true; then types are inferred as those of a CSV file.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from features.importing.raw import RawStream, RawTable, numbered_from_one, unreadable_rows

Int64Array = npt.NDArray[np.int64]
Text = str | bytes | None
"""A value of a text column; bytes are taken for UTF-8."""

BATCH_ROWS = 20_000
NOT_UTF8 = "must be UTF-8 text"
FLAGS = {0: "false", 1: "true"}


def connect_sqlite(path: Path) -> sa.Engine:
    """Return an engine of one existing file, opened for reading only."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)
        connection.isolation_level = None  # the driver's own transactions begin with the first write
        return connection

    return sa.create_engine("sqlite://", creator=connect, poolclass=NullPool)


def begin_sqlite(connection: sa.Connection) -> None:
    """Begin a transaction by hand: all tables are read as they are at the first look into the file."""
    connection.exec_driver_sql("BEGIN")


def open_sqlite_table(connection: sa.Connection, table: str) -> RawStream:
    """Read one table or view in batches; rows with text that is not UTF-8 are in `unreadable`."""
    declared = connection.exec_driver_sql(f'PRAGMA table_xinfo("{table}")').all()
    flags = {row[1] for row in declared if "BOOL" in str(row[2]).upper()}
    nothing: sa.Executable = sa.select(sa.literal_column("*")).select_from(sa.table(table)).limit(0)
    with connection.execute(nothing) as result:
        names = list(result.keys())
    head = RawTable(
        name=table,
        file=f"table {table}",
        data=pa.table({name: pa.array([], pa.string()) for name in names}),
        row_numbers=numbered_from_one(0),
        is_text=True,
    )
    return RawStream(head=head, batches=lambda: _batches(connection, head, flags))


def _batches(connection: sa.Connection, head: RawTable, flags: set[str]) -> Iterator[RawTable]:
    names = head.data.column_names
    query: sa.Executable = sa.select(*[sa.column(name) for name in names]).select_from(sa.table(head.name))
    first = 1
    driver: Any = connection.connection.driver_connection
    driver.text_factory = bytes  # Arrow decodes a batch at once, and refuses what is no UTF-8
    with connection.execute(query) as result:
        for rows in result.partitions(BATCH_ROWS):
            columns = [
                _to_texts(values, is_flag=name in flags)
                for name, values in zip(names, zip(*rows, strict=True), strict=True)
            ]
            yield _batch(head, columns, np.arange(first, first + len(rows)))
            first += len(rows)


def _batch(head: RawTable, columns: Sequence[Sequence[Text]], numbers: Int64Array) -> RawTable:
    try:
        return replace(head, data=_to_arrow(head, columns), row_numbers=pa.array(numbers))
    except pa.ArrowInvalid:
        rows = list(zip(*columns, strict=True))
    is_broken = np.array([not all(map(_is_utf8, row)) for row in rows])
    good = [row for row, broken in zip(rows, is_broken, strict=True) if not broken]
    texts = [_shown(row) for row, broken in zip(rows, is_broken, strict=True) if broken]
    return replace(
        head,
        data=_to_arrow(head, list(zip(*good, strict=True)) or [()] * len(columns)),
        row_numbers=pa.array(numbers[~is_broken]),
        unreadable=unreadable_rows(
            head.file, pa.array(numbers[is_broken]), pa.array(texts), code="not_utf8", rule=NOT_UTF8
        ),
    )


def _to_arrow(head: RawTable, columns: Sequence[Sequence[Text]]) -> pa.Table:
    return pa.table([pa.array(values, pa.string()) for values in columns], schema=head.data.schema)


def _to_texts(values: Sequence[Any], *, is_flag: bool) -> Sequence[Text]:
    """Return texts as they are, and numbers as text."""
    if set(map(type, values)) <= {bytes, type(None)}:
        return values
    return [_to_text(value, is_flag=is_flag) for value in values]


def _to_text(value: Any, *, is_flag: bool) -> Text:
    if value is None or isinstance(value, bytes):
        return value
    return FLAGS.get(value, repr(value)) if is_flag else repr(value)


def _is_utf8(text: Text) -> bool:
    try:
        pa.array([text], pa.string())
    except pa.ArrowInvalid:
        return False
    return True


def _shown(row: Sequence[Text]) -> str:
    return ",".join(
        each.decode("utf-8", "replace") if isinstance(each, bytes) else each or "" for each in row
    )
