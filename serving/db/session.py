"""Opens the database of a URL and its transactions. Which tables exist is `prepare_database`'s affair."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from features.errors import InputError
from serving.errors import DatabaseUnreachableError

BUSY_TIMEOUT_MS = 10_000
CONNECT_TIMEOUT_SECONDS = 5
READS_ONLY = "leadpact_reads_only"
POSTGRESQL_DRIVER = "postgresql+psycopg"
POOL: Mapping[str, int] = {"pool_size": 8, "max_overflow": 32, "pool_timeout": 10}
"""Room for every thread that may touch the database at once (the event loop's helpers are 40)."""


SQLITE_POOL: Mapping[str, int] = {"pool_size": 40, "max_overflow": 0, "pool_timeout": 10}
"""As much room, kept open: a file costs little to hold, and much to open with every request."""


def open_database(url: str) -> Engine:
    """Return an engine for a SQLite or PostgreSQL URL; nothing is connected yet."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InputError("the database URL cannot be read; expected postgresql://user@host/name") from error
    match parsed.get_backend_name():
        case "sqlite":
            return _open_sqlite(url)
        case "postgresql":
            arguments = {"connect_timeout": CONNECT_TIMEOUT_SECONDS}
            location = parsed.set(drivername=POSTGRESQL_DRIVER)
            return create_engine(location, pool_pre_ping=True, connect_args=arguments, **POOL)
        case other:
            raise InputError(f"the database must be sqlite or postgresql; got {other!r}")


def _open_sqlite(url: str) -> Engine:
    try:
        engine = create_engine(url, **SQLITE_POOL)
    except NoSuchModuleError as error:
        raise InputError(f"the database URL names an unknown driver: {error}") from error
    event.listen(engine, "connect", _prepare_sqlite_connection)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite_connection(connection: Any, _record: Any) -> None:
    # Python's own transaction handling begins late and only before writes; SQLAlchemy's begin event does it.
    connection.isolation_level = None
    for pragma in (
        "foreign_keys = ON",
        "synchronous = FULL",
        "secure_delete = ON",
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that reads first and writes later fails at once when another one wrote between.
    reads_only = connection.get_execution_options().get(READS_ONLY, False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def clear_write_ahead_log(database: Engine) -> bool:
    """Let nothing that was deleted stay beside the tables; False when somebody still reads, and it must wait.

    On SQLite deleted content is overwritten (secure_delete); old pages are in the log only, which is emptied.
    On PostgreSQL its own vacuum and the life of its log decide.
    """
    if database.dialect.name != "sqlite":
        return True
    with reachable():
        bare = database.raw_connection()
        try:
            is_busy, *_ = bare.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            bare.close()
    return not is_busy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shared:
    """A unit of work that operations of this thread join instead of opening their own."""

    database: Engine
    session: Session


_shared: ContextVar[Shared | None] = ContextVar("leadpact_shared_transaction", default=None)


@contextmanager
def shared_transaction(database: Engine) -> Iterator[Session]:
    """One unit of work around operations: what they write is committed with what is written here, or not."""
    with write_transaction(database) as session:
        token = _shared.set(Shared(database=database, session=session))
        try:
            yield session
        finally:
            _shared.reset(token)


@contextmanager
def write_transaction(database: Engine) -> Iterator[Session]:
    """One unit of work: committed when the block ends, rolled back when it raises."""
    shared = _shared.get()
    if shared is not None and shared.database is database:
        yield shared.session
        return
    with reachable(), Session(database, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def read_transaction(database: Engine) -> Iterator[Session]:
    """One consistent view of the database that never waits for a writer."""
    shared = _shared.get()
    if shared is not None and shared.database is database:
        yield shared.session
        return
    reader = database.execution_options(**{READS_ONLY: True})
    with reachable(), Session(reader, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def read_connection(database: Engine) -> Iterator[Connection]:
    """One consistent view without objects: for a small question that is asked with every request."""
    reader = database.execution_options(**{READS_ONLY: True})
    with reachable(), reader.begin() as connection:
        yield connection


@contextmanager
def reachable() -> Iterator[None]:
    """Turn every way in which a database does not work into `DatabaseUnreachableError`.

    Broken rules (integrity) and wrong statements (programming) are other errors and pass.
    """
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise DatabaseUnreachableError(f"the database does not answer: {error.orig}") from error
    except PoolTimeoutError as error:
        raise DatabaseUnreachableError("every connection to the database is busy") from error
    except DatabaseError as error:
        if type(error) is not DatabaseError:
            raise
        raise DatabaseUnreachableError(f"the database is damaged: {error.orig}") from error
