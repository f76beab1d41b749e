"""Find out which of the named leads nobody knows, before anything about them is stored."""

from collections.abc import Iterable

from sqlalchemy import Engine

from features.history.store import History
from serving.db.session import read_connection
from serving.leads import unknown_leads


def find_unknown_leads(database: Engine, history: History, lead_ids: Iterable[str]) -> frozenset[str]:
    """Return the ids that were neither put nor imported."""
    with read_connection(database) as connection:
        return unknown_leads(connection, history, lead_ids)
