"""List the audit log, newest first: who did what to which thing, when, before and after."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select

from serving.db.session import read_transaction
from serving.db.tables import AuditRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAct:
    """One entry as people read it; `before` and `after` are plain values."""

    number: int
    at: str
    who: str
    act: str
    what: str
    before: Any
    after: Any
    entry_hash: str


def list_audit(database: Engine, *, limit: int, what: str | None = None) -> tuple[ListedAct, ...]:
    """Return the newest entries, at most `limit`; `what` keeps those about one thing."""
    query = select(AuditRow).order_by(AuditRow.number.desc()).limit(limit)
    if what is not None:
        query = query.where(AuditRow.what == what)
    with read_transaction(database) as session:
        return tuple(_listed(row) for row in session.scalars(query))


def _listed(row: AuditRow) -> ListedAct:
    return ListedAct(
        number=row.number,
        at=row.at,
        who=row.who,
        act=row.act,
        what=row.what,
        before=_value(row.before),
        after=_value(row.after),
        entry_hash=row.entry_hash,
    )


def _value(text: str) -> Any:
    """Return the value of a JSON text; of a damaged one the text itself: `verify_audit` says what it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text
