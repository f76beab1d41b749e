"""Find out which of the named leads nobody knows, before anything about them is stored."""

from collections.abc import Iterable

from sqlalchemy import Engine

from features.history.store import History
from serving.db.session import read_transaction
from serving.lead_marks import UNKEYED, LeadMarks, refuse_erased
from serving.leads import unknown_leads


def find_unknown_leads(
    database: Engine, history: History, lead_ids: Iterable[str], *, marks: LeadMarks = UNKEYED
) -> frozenset[str]:
    """Return the ids that were neither put nor imported; raises `ErasedLeadError` for those erased."""
    with read_transaction(database) as session:
        refuse_erased(session, lead_ids, marks)
        return unknown_leads(session.connection(), history, lead_ids)
