"""Migrations forward and back on a database that people have filled."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, inspect, text

from serving.db.migrate import MIGRATIONS, prepare_database
from serving.db.session import open_database
from serving.operations.active_policy import ActivePolicy, active_policy
from serving.operations.list_api_keys import list_api_keys
from serving.operations.verify_audit import verify_audit
from sla.policy_file import policy_hash, read_policy
from tests.builders_policy import sound_text_with
from tests.builders_serving import MARKETING, NOW, SALES

FILLED_AT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
KEY = (
    "INSERT INTO api_keys (prefix, name, secret_hash, scopes, created_at) "
    "VALUES ('abcdefgh', 'crm', :hash, '[\"score\"]', :at)"
)
POLICY = (
    "INSERT INTO policies (version, name, content, content_hash, valid_from, proposed_by, proposed_at) "
    "VALUES (:version, 'Pact', :content, :hash, :valid, :by, :at)"
)
SIGNATURE = (
    "INSERT INTO policy_signatures (version, side, person, person_key, signed_at, policy_hash) "
    "VALUES (:version, :side, :person, :key, :at, :hash)"
)


def migrate(database: Engine, revision: str) -> None:
    """Bring the tables to one revision, up or down."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.begin() as connection:
        config.attributes["connection"] = connection
        is_newer = revision == "0001" and "audit_log" in inspect(connection).get_table_names()
        (command.downgrade if is_newer else command.upgrade)(config, revision)


def fill_first_tables(database: Engine) -> None:
    """Store a key and three policies, signed by two, by one, by nobody."""
    at = FILLED_AT.replace(tzinfo=None) if database.dialect.name == "sqlite" else FILLED_AT
    with database.begin() as connection:
        connection.execute(text(KEY), {"hash": "0" * 64, "at": at})
        for version in (1, 2, 3):
            store_policy(connection, version, at)


def store_policy(connection: Connection, version: int, at: datetime) -> None:
    """Store one policy with its signatures, as the first tables kept them."""
    content = sound_text_with("version = 1", f"version = {version}")
    shared = {"version": version, "hash": policy_hash(read_policy(content))}
    proposed = {"content": content, "valid": at - timedelta(days=30), "by": MARKETING}
    connection.execute(text(POLICY), {**shared, **proposed, "at": at + timedelta(days=version)})
    for side, person in (("marketing", MARKETING), ("sales", SALES))[: 3 - version]:
        signed = {"side": side, "person": person, "key": person.casefold(), "at": at + timedelta(days=10)}
        connection.execute(text(SIGNATURE), {**shared, **signed})


@pytest.fixture
def filled(database_url: str) -> str:
    """Return the URL of a database of the first tables with people's rows in it."""
    engine = open_database(database_url)
    if engine.dialect.name == "sqlite":
        Path(engine.url.database or "").parent.mkdir(parents=True)
    migrate(engine, "0001")
    fill_first_tables(engine)
    engine.dispose()
    return database_url


def rows_of(database: Engine, query: str) -> list[str]:
    """Return the rows of a query, each as text."""
    with database.connect() as connection:
        return [str(tuple(row)) for row in connection.execute(text(query))]


def test_the_life_of_old_policies_is_told(filled: str) -> None:
    """State, people and events follow from what was there; what was in force stays in force."""
    database = prepare_database(filled)
    assert rows_of(database, "SELECT version, state FROM policies ORDER BY version") == [
        "(1, 'agreed')",
        "(2, 'signed')",
        "(3, 'proposed')",
    ]
    assert rows_of(database, "SELECT version, act, side FROM policy_events ORDER BY event_id") == [
        "(1, 'propose', None)",
        "(2, 'propose', None)",
        "(3, 'propose', None)",
        "(1, 'sign', 'marketing')",
        "(1, 'sign', 'sales')",
        "(2, 'sign', 'marketing')",
    ]
    assert len(rows_of(database, "SELECT * FROM policy_people")) == 3
    found = active_policy(database, now=NOW)
    assert isinstance(found, ActivePolicy)
    assert found.version == 1
    assert [key.name for key in list_api_keys(database)] == ["crm"]
    assert verify_audit(database).is_whole
    database.dispose()


def test_there_and_back(filled: str) -> None:
    """Nothing that the first tables can hold is lost."""
    before = open_database(filled)
    queries = (
        "SELECT version, content, content_hash, valid_from, proposed_by, proposed_at FROM policies",
        "SELECT * FROM policy_signatures ORDER BY version, side",
        "SELECT prefix, name, scopes FROM api_keys",
    )
    migrate(before, "0002")
    stored = [rows_of(before, query) for query in queries]
    migrate(before, "0001")
    assert [rows_of(before, query) for query in queries] == stored
    migrate(before, "0002")
    assert [rows_of(before, query) for query in queries] == stored
    before.dispose()


def test_foreign_keys_still_hold(filled: str) -> None:
    """Rebuilding a table of SQLite keeps what points at it."""
    database = prepare_database(filled)
    if database.dialect.name == "sqlite":
        assert rows_of(database, "PRAGMA foreign_key_check") == []
    assert len(rows_of(database, "SELECT * FROM policy_signatures")) == 3
    database.dispose()
