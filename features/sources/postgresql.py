"""Tables of PostgreSQL -> typed raw tables, read through a server-side cursor.

Times come as microseconds and odd types as text, so that no value of the server's stops the reading: an
infinite time is a row to set aside like any other.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from features.importing.raw import RawStream
from features.sources.reading import numbered_batches, typed_head
from features.tables import TIME_TYPE

DRIVER = "postgresql+psycopg"
CONNECT_TIMEOUT_SECONDS = 10
BATCH_ROWS = 20_000
INFINITY_US = 2**63 - 1
"""DuckDB shows it as infinity; no time that is accepted comes near."""
LAST_US = "TIMESTAMP '294247-01-01'"
"""The last midnight that int64 microseconds can count to; the server goes a little further."""
SETTINGS = ("TimeZone = 'UTC'", "synchronize_seqscans = off")
"""The second keeps the order of rows the same when others are reading too."""

Expression = sa.ColumnElement[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How a column of one type is asked for, and what its values become."""

    type: pa.DataType
    ask: Callable[[Expression], Expression]
    convert: Callable[[Sequence[Any]], Sequence[Any]] = tuple


def connect_postgresql(url: sa.URL) -> sa.Engine:
    """Return an engine whose transactions see one state of the database and cannot write."""
    return sa.create_engine(
        url.set(drivername=DRIVER),
        poolclass=NullPool,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS},
        execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
    )


def begin_postgresql(connection: sa.Connection) -> None:
    """Settle what the values and the order of rows depend on, for this transaction."""
    for setting in SETTINGS:
        connection.exec_driver_sql(f"SET LOCAL {setting}")


def open_postgresql_table(connection: sa.Connection, table: str) -> RawStream:
    """Read one table or view in batches, in the transaction of the connection."""
    columns = _kinds_of_columns(connection, table)
    head = typed_head(table, f"table {table}", pa.schema([(name, kind.type) for name, kind in columns]))
    return RawStream(head=head, batches=lambda: numbered_batches(head, _batches(connection, table, columns)))


def _kinds_of_columns(connection: sa.Connection, table: str) -> list[tuple[str, Kind]]:
    """Ask for no row: the server names each column and the number of its type, that of a domain's base."""
    nothing: sa.Executable = sa.select(sa.literal_column("*")).select_from(sa.table(table)).limit(0)
    with connection.execute(nothing) as result:
        described: Sequence[tuple[Any, ...]] = result.cursor.description
        return [(each[0], KINDS.get(each[1], AS_TEXT)) for each in described]


def _batches(
    connection: sa.Connection, table: str, columns: Sequence[tuple[str, Kind]]
) -> Iterator[pa.RecordBatch]:
    wanted = [kind.ask(sa.column(name)).label(f"c{place}") for place, (name, kind) in enumerate(columns)]
    query = sa.select(*wanted).select_from(sa.table(table))
    options = {"stream_results": True, "yield_per": BATCH_ROWS}
    with connection.execute(query, execution_options=options) as result:
        for rows in result.partitions():
            values = zip(*rows, strict=True)
            arrays = [
                pa.array(kind.convert(each), kind.type)
                for (_, kind), each in zip(columns, values, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, names=[name for name, _ in columns])


def _as_it_is(column: Expression) -> Expression:
    return column


def _as_text(column: Expression) -> Expression:
    return sa.cast(column, sa.Text)


def _as_microseconds(column: Expression) -> Expression:
    microseconds = sa.func.round(sa.extract("epoch", column) * sa.literal_column("1000000"))
    return sa.case(
        (column >= sa.literal_column(LAST_US), sa.literal_column(str(INFINITY_US))),
        (column == sa.literal_column("TIMESTAMP '-infinity'"), sa.literal_column(str(-INFINITY_US))),
        else_=sa.cast(microseconds, sa.BigInteger),
    )


def _to_floats(texts: Sequence[str | None]) -> list[float | None]:
    """Return decimals as float64; one that is too large becomes infinite, which the rules refuse."""
    return [None if each is None else float(each) for each in texts]


AS_TEXT = Kind(type=pa.string(), ask=_as_text)
BOOLEAN = Kind(type=pa.bool_(), ask=_as_it_is)
WHOLE = Kind(type=pa.int64(), ask=_as_it_is)
FLOAT = Kind(type=pa.float64(), ask=_as_it_is)
DECIMAL = Kind(type=pa.float64(), ask=_as_text, convert=_to_floats)
NAIVE_TIME = Kind(type=pa.timestamp("us"), ask=_as_microseconds)
AWARE_TIME = Kind(type=TIME_TYPE, ask=_as_microseconds)
KINDS = {
    16: BOOLEAN,
    20: WHOLE,
    21: WHOLE,
    23: WHOLE,
    700: FLOAT,
    701: FLOAT,
    1700: DECIMAL,
    1082: NAIVE_TIME,
    1114: NAIVE_TIME,
    1184: AWARE_TIME,
}
"""By the fixed numbers of the types in pg_type: bool, int8, int2, int4, float4, float8, numeric, date,
timestamp, timestamptz. All others are text."""
