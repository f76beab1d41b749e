"""List the leads that were none, as sellers said: what the service tells whoever trains a model."""

from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from serving.db.migrate import find_database
from serving.db.session import read_transaction
from serving.db.tables_leads import DealRow
from serving.ends import StoredEnd, all_ends
from serving.reasons import agreed_now
from sla.feedback import code_end
from sla.lifecycle import EventKind


def list_bad_data(database: Engine, *, now: datetime) -> tuple[str, ...]:
    """Return each lead whose newest end has a code of bad data, by id.

    A deal that was opened or won later says that it was a lead after all.
    """
    with read_transaction(database) as session:
        rule = agreed_now(session, now=now).rule
        newest: dict[str, StoredEnd] = {}
        for end in sorted(all_ends(session), key=lambda one: (one.at, one.end_id)):
            newest[end.lead_id] = end
        alive = _newest_deals(session)
        found = []
        for lead_id, end in newest.items():
            coded = code_end(rule, group=end.group, code=end.code, text=end.text)
            if coded.is_bad_data and not alive.get(lead_id, end.at) > end.at:
                found.append(lead_id)
        return tuple(sorted(found))


def find_bad_data(url: str, *, now: datetime) -> tuple[str, ...] | None:
    """Return the same for the database of a URL; None, and nothing created, where there is none."""
    database = find_database(url)
    if database is None:
        return None
    try:
        return list_bad_data(database, now=now)
    finally:
        database.dispose()


def _newest_deals(session: Session) -> dict[str, datetime]:
    """Return when a deal of each lead was opened or won last."""
    newest: dict[str, datetime] = {}
    for row in session.scalars(select(DealRow)):
        won_at = row.closed_at if row.outcome == EventKind.WON else None
        for at in (row.opened_at, won_at):
            if at is not None:
                newest[row.lead_id] = max(at, newest.get(row.lead_id, at))
    return newest
