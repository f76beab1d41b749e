"""A SQLite file or a PostgreSQL database with canonical tables -> raw tables, read in one transaction.

Only SELECTs are sent, over a connection that cannot write. What the columns of either database become in
Arrow is decided by `features.sources.postgresql` and `features.sources.sqlite`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError

from features.errors import InputError, LeadPactError
from features.importing.raw import RawSource, RawStream
from features.importing.table_check import did_you_mean
from features.sources.mapping import Mapping
from features.sources.postgresql import begin_postgresql, connect_postgresql, open_postgresql_table
from features.sources.sqlite import begin_sqlite, connect_sqlite, open_sqlite_table
from features.tables import ACTIVITIES, LEADS, TABLE_NAMES

NEEDED_TABLES = (LEADS, ACTIVITIES)
SHOWN_TABLES = 20
EXPECTED = "expected sqlite:///FILE or postgresql://USER@HOST/NAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """How to name, reach and read one database."""

    name: str
    connect: Callable[[], sa.Engine]
    begin: Callable[[sa.Connection], None]
    open_table: Callable[[sa.Connection, str], RawStream]


@contextmanager
def open_database(where: str, mapping: Mapping | None) -> Iterator[RawSource]:
    """Open leads and activities, and deals and attribute_changes if there, to be read within the block.

    They are read as they were at one instant. Leads may have any further column; views will do.

    Parameters
    ----------
    where : the path of a SQLite file, sqlite:///FILE, or postgresql://USER@HOST/NAME. No message repeats it:
        it may hold a password.

    Raises
    ------
    InputError
        No such URL or file, a needed table is missing, or the mapping has [tables].
    LeadPactError
        The database does not answer.
    """
    if mapping is not None and mapping.queries:
        raise InputError(
            f"[tables] of {mapping.file} is for folders of files; "
            "a database must have canonical tables, or views of these names"
        )
    database = _find(where)
    engine = database.connect()
    try:
        with _failures_named(database.name), engine.connect() as connection, connection.begin():
            database.begin(connection)
            streams = [
                database.open_table(connection, table) for table in _tables_of(connection, database.name)
            ]
            yield RawSource(
                streams=tuple(streams),
                crm=None if mapping is None else mapping.crm,
                naive_zone=None if mapping is None else mapping.naive_zone,
            )
    finally:
        engine.dispose()


def _find(where: str) -> Database:
    if "://" not in where:
        return _sqlite_file(Path(where))
    try:
        url = sa.make_url(where)
    except (ArgumentError, ValueError):  # their texts may repeat a password
        raise InputError(f"the database URL cannot be read; {EXPECTED}") from None
    if "@" in (url.host or ""):
        raise InputError("in a database URL an @ of the user's name or password must be written %40")
    if url.get_backend_name() == "sqlite" and url.database:
        return _sqlite_file(Path(url.database))
    if url.get_backend_name() == "postgresql":
        name = f"the PostgreSQL database {url.database!r} on {url.host or 'this machine'}"
        connect = partial(connect_postgresql, url)
        return Database(name=name, connect=connect, begin=begin_postgresql, open_table=open_postgresql_table)
    raise InputError(f"the database URL is of an unknown kind, {url.get_backend_name()!r}; {EXPECTED}")


def _sqlite_file(path: Path) -> Database:
    if not path.is_file():
        raise InputError(f"the SQLite file {path} does not exist")
    name, connect = f"the SQLite file {path}", partial(connect_sqlite, path)
    return Database(name=name, connect=connect, begin=begin_sqlite, open_table=open_sqlite_table)


def _tables_of(connection: sa.Connection, name: str) -> list[str]:
    """Return the canonical tables that are there; InputError when a needed one is not."""
    inspector = sa.inspect(connection)
    present = [table for table in TABLE_NAMES if inspector.has_table(table)]
    for table in NEEDED_TABLES:
        if table not in present:
            names = sorted({*inspector.get_table_names(), *inspector.get_view_names()})
            held = ", ".join(names[:SHOWN_TABLES]) or "none"
            raise InputError(
                f"{name} must have the tables {' and '.join(NEEDED_TABLES)}; it has {held}"
                + did_you_mean(table, names)
            )
    return present


@contextmanager
def _failures_named(name: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        reason = " ".join(str(error.orig).split())
        failed = f"{name} cannot be read: {reason}"
        raise (InputError(failed) if reason in NO_DATABASE else LeadPactError(failed)) from error


NO_DATABASE = ("file is not a database", "database disk image is malformed")
"""What SQLite says of a file that is not, or no longer, one of its own."""
