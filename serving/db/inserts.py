"""Inserts that tell a new row from one that is there already, alike on SQLite and PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from serving.db.tables import Base


def insert_new(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]], *keys: str) -> None:
    """Insert the rows whose keys are not there yet; the others stay as they are."""
    if rows:
        statement = _insert(session, table).on_conflict_do_nothing(index_elements=keys)
        session.execute(statement, [dict(row) for row in rows])


def replace_rows(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]], *keys: str) -> None:
    """Insert the rows, all with the same columns; one whose keys are there already takes its place."""
    if rows:
        insert = _insert(session, table)
        values = {name: insert.excluded[name] for name in rows[0] if name not in keys}
        statement = insert.on_conflict_do_update(index_elements=keys, set_=values)
        session.execute(statement, [dict(row) for row in rows])


def _insert(session: Session, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """Return an insert into the plain table: mapping rows to objects would take most of the time."""
    plain = cast("Table", table.__table__)
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(plain)
    return postgresql.insert(plain)
