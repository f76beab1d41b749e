"""Inserts that tell a new row from one that is there already, alike on SQLite and PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Insert, Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from serving.db.tables import Base


def insert_new(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]], *keys: str) -> None:
    """Insert the rows whose keys are not there yet; the others stay as they are."""
    if not rows:
        return
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite_insert if is_sqlite else postgresql_insert
    # Of the plain table: mapping rows to objects of the session would take most of the time.
    statement: Insert = insert(cast("Table", table.__table__)).on_conflict_do_nothing(index_elements=keys)
    session.execute(statement, [dict(row) for row in rows])
