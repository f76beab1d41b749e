"""Verify the audit log: every entry, the head, and a head that was exported earlier."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, LargeBinary, cast, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from serving.audit import AuditEntry, AuditHead, ChainVerdict, check_chain
from serving.db.audited import THE_HEAD
from serving.db.session import read_transaction
from serving.db.tables import AuditHeadRow, AuditRow

ROWS_AT_ONCE = 1_000
COLUMNS: tuple[InstrumentedAttribute[Any], ...] = (
    AuditRow.number,
    AuditRow.at,
    AuditRow.who,
    AuditRow.act,
    AuditRow.what,
    AuditRow.before,
    AuditRow.after,
    AuditRow.previous_hash,
    AuditRow.entry_hash,
)


def verify_audit(database: Engine, exported: AuditHead | None = None) -> ChainVerdict:
    """Read the whole log, in one consistent view and little memory, and return what is wrong with it."""
    with read_transaction(database) as session:
        return check_chain(_entries(session), read_head(session), exported)


def read_audit_head(database: Engine) -> AuditHead:
    """Return the head of the log, to be kept where the database's owner cannot reach."""
    with read_transaction(database) as session:
        return read_head(session)


def read_head(session: Session) -> AuditHead:
    """Return the stored head; a head whose row is gone is one that fits no log."""
    row = session.get(AuditHeadRow, THE_HEAD)
    return AuditHead(number=-1, entry_hash="") if row is None else _head(row)


def _head(row: AuditHeadRow) -> AuditHead:
    return AuditHead(number=row.number, entry_hash=row.entry_hash)


def _entries(session: Session) -> Iterator[AuditEntry]:
    """Yield the entries in order; damaged bytes of SQLite come as what they are, not as an error."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    columns = [
        cast(column, LargeBinary) if is_sqlite and column is not AuditRow.number else column
        for column in COLUMNS
    ]
    rows = session.execute(select(*columns).order_by(AuditRow.number)).yield_per(ROWS_AT_ONCE)
    names = [column.key for column in COLUMNS[1:]]
    for number, *words in rows:
        texts = dict(zip(names, map(_text, words), strict=True))
        yield AuditEntry(number=number, **texts)


def _text(word: object) -> str:
    return word.decode("utf-8", "surrogateescape") if isinstance(word, bytes) else str(word)
