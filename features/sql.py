"""Set questions over Arrow tables, answered by DuckDB in memory. No file, no network, no setting survives.

DuckDB is loaded with the first question: the service reads the history and asks none.
"""

from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LOCKED_DOWN: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}


def query_tables(sql: str, **tables: pa.Table) -> pa.Table:
    """Run one SELECT over the given tables (named as the keywords) and return an Arrow table.

    The session's zone is UTC, so a timestamp with zone comes back as timestamp[us, UTC].
    """
    with _database().cursor() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, table in tables.items():
            connection.register(name, table)
        return connection.sql(sql).to_arrow_table()


@cache
def _database() -> "DuckDBPyConnection":
    """Open the one empty database of this process; a cursor of it is a hundred times cheaper than another."""
    import duckdb

    database = duckdb.connect(":memory:", config=LOCKED_DOWN)
    database.execute("SET enable_external_access = false")
    return database


def with_plain_names(table: pa.Table) -> pa.Table:
    """Name the columns c0, c1, …: SQL takes City and city for the same name, an export may not."""
    return table.rename_columns([f"c{place}" for place in range(table.num_columns)])


def quote_text(text: str) -> str:
    """Quote a text literal for SQL."""
    return "'" + text.replace("'", "''") + "'"
