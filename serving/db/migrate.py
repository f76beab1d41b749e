"""Brings the database to the newest tables. Safe when several processes start at once."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from serving.db.session import open_database, reachable
from serving.errors import DatabaseUnreachableError

MIGRATIONS = Path(__file__).parent / "migrations"
ADVISORY_LOCK = 7_323_072_361  # any fixed number: every LeadPact process waits for the same one


def prepare_database(url: str) -> Engine:
    """Create or upgrade the tables and return the engine; doing it again changes nothing.

    Raises `DatabaseUnreachableError` when the database does not answer or its file cannot be written.
    """
    database = open_database(url)
    try:
        with reachable():
            if database.dialect.name == "sqlite":
                _prepare_sqlite(database)
            else:
                _prepare_postgresql(database)
    except (DatabaseUnreachableError, OSError) as error:
        database.dispose()
        raise DatabaseUnreachableError(f"the database cannot be prepared: {error}") from error
    return database


def find_database(url: str) -> Engine | None:
    """Return the database with its newest tables if it is there; who only reads creates none."""
    database = open_database(url)
    is_there = not lacks_file(database) and _revision(database) is not None
    database.dispose()
    return prepare_database(url) if is_there else None


def lacks_file(database: Engine) -> bool:
    """Tell whether a SQLite database is not there; opening it would create it."""
    return database.dialect.name == "sqlite" and not Path(database.url.database or "").is_file()


def is_current(database: Engine) -> bool:
    """Tell whether the tables are those this version of LeadPact needs."""
    return _revision(database) == ScriptDirectory.from_config(_config()).get_current_head()


def _revision(database: Engine) -> str | None:
    with reachable(), database.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _prepare_sqlite(database: Engine) -> None:
    file = database.url.database
    if not file or file == ":memory:":
        raise DatabaseUnreachableError("the SQLite database must be a file")
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    with _file_lock(Path(f"{file}.lock")):
        _switch_to_write_ahead_log(database)
        with database.begin() as connection:
            _upgrade(connection)


def _switch_to_write_ahead_log(database: Engine) -> None:
    # The mode is kept in the file and cannot change inside a transaction: set it on the bare connection.
    bare = database.raw_connection()
    try:
        bare.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        bare.close()


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _prepare_postgresql(database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
        _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
