"""The database: migrations equal the tables, twice is once, two at a time is one after the other."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import StatementError

from features.errors import InputError
from serving.db.migrate import find_database, is_current, prepare_database
from serving.db.session import open_database, read_transaction, write_transaction
from serving.db.tables import ApiKeyRow, Base
from serving.errors import DatabaseUnreachableError


def key_row(
    prefix: str = "abcdefgh", *, created_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
) -> ApiKeyRow:
    """Return a row of the simplest table."""
    return ApiKeyRow(prefix=prefix, name="n", secret_hash="0" * 64, scopes=["score"], created_at=created_at)


def test_migrations_make_the_declared_tables(database: Engine) -> None:
    """Whoever changes a table without a migration, or the reverse, learns it here."""
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_preparing_twice_changes_nothing(database_url: str) -> None:
    """Every start of the service prepares; what is stored stays."""
    first = prepare_database(database_url)
    with write_transaction(first) as session:
        session.add(key_row())
    first.dispose()
    again = prepare_database(database_url)
    with read_transaction(again) as session:
        assert session.get(ApiKeyRow, "abcdefgh") is not None
    again.dispose()


def test_processes_that_start_at_once_all_get_a_prepared_database(database_url: str) -> None:
    """Several workers begin on an empty database; each waits for the first."""
    script = f"from serving.db.migrate import prepare_database as p; p({database_url!r}).dispose()"
    started = [
        subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    ends = [process.communicate()[1] for process in started]
    assert [process.returncode for process in started] == [0] * 4, ends
    engine = open_database(database_url)
    assert is_current(engine)
    engine.dispose()


def test_an_empty_database_is_not_current(database_url: str, tmp_path: Path) -> None:
    """`leadpact doctor` can tell before anything is changed."""
    (tmp_path / "workspace").mkdir()
    engine = open_database(database_url)
    assert not is_current(engine)
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_sqlite_keeps_what_it_acknowledges(tmp_path: Path) -> None:
    """Write-ahead log, full synchronisation, foreign keys: on every connection."""
    engine = prepare_database(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.connect() as connection:
        found = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    engine.dispose()
    assert found == ["wal", 2, 1]


def test_times_keep_their_instant(database: Engine) -> None:
    """An instant from any zone comes back as the same instant, aware and in UTC."""
    berlin_summer = timezone(timedelta(hours=2))
    sent = datetime(2026, 7, 1, 12, 30, 0, 123456, tzinfo=berlin_summer)
    with write_transaction(database) as session:
        session.add(key_row(created_at=sent))
    with read_transaction(database) as session:
        row = session.get(ApiKeyRow, "abcdefgh")
        assert row is not None
        assert row.created_at == sent
        assert row.created_at.utcoffset() == timedelta(0)


def test_a_naive_time_is_refused(database: Engine) -> None:
    """A guess about the zone would be silent damage."""
    naive = datetime(2026, 7, 1, 12, 30)  # noqa: DTZ001 - the case under test
    with pytest.raises(StatementError, match="must carry a zone"), write_transaction(database) as session:
        session.add(key_row(created_at=naive))


def add_then_fail(database: Engine) -> None:
    """Write a row and fail before the block ends."""
    with write_transaction(database) as session:
        session.add(key_row())
        session.flush()
        _ = 1 / 0


def test_a_failed_transaction_leaves_nothing(database: Engine) -> None:
    """One unit of work: all of it or none."""
    with pytest.raises(ZeroDivisionError, match="division"):
        add_then_fail(database)
    with read_transaction(database) as session:
        assert session.get(ApiKeyRow, "abcdefgh") is None


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        pytest.param(
            "mysql://root@localhost/x", "must be sqlite or postgresql; got 'mysql'", id="other-database"
        ),
        pytest.param("not a url", "cannot be read", id="no-url"),
    ],
)
def test_wrong_urls_are_named(url: str, rule: str) -> None:
    """A typo in LEADPACT_DATABASE_URL is wrong input, not a traceback."""
    with pytest.raises(InputError, match=rule):
        prepare_database(url)


def test_an_unreachable_database_says_so(tmp_path: Path) -> None:
    """No server, or a folder that cannot be made: one error class for both."""
    with pytest.raises(DatabaseUnreachableError, match="cannot be prepared"):
        prepare_database(f"postgresql://nobody@/nothing?host={tmp_path}")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatabaseUnreachableError, match="cannot be prepared"):
        prepare_database(f"sqlite:///{tmp_path / 'file' / 'leadpact.db'}")


def test_a_database_that_is_not_there_is_not_made(database_url: str) -> None:
    """Neither the file of SQLite nor a table in PostgreSQL; one that is there is found."""
    assert find_database(database_url) is None
    assert find_database(database_url) is None
    prepare_database(database_url).dispose()
    found = find_database(database_url)
    assert found is not None
    assert is_current(found)
    found.dispose()
