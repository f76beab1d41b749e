"""Note that a person objects to being scored, or no longer does. It holds at once, in training too."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from features.history.store import History
from serving.db.audited import audited_transaction
from serving.db.session import read_transaction
from serving.db.tables_leads import LeadRow
from serving.errors import UnknownLeadError
from serving.lead_book import lead_rows
from serving.lead_marks import LeadMarks, refuse_erased
from serving.leads import unknown_leads

OBJECTION = "objection"
"""The reason in the history's file of leads that nobody may learn from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """Since when a person objects; None when they do not."""

    lead_id: str
    objected_at: datetime | None


def object_to_scoring(
    database: Engine,
    lead_id: str,
    *,
    objects: bool,
    history: History,
    marks: LeadMarks,
    by: str,
    now: datetime,
) -> Objection:
    """Store the objection and write the history's file of leads to leave out. The same again changes nothing.

    Raises `UnknownLeadError` and `ErasedLeadError`.
    """
    with audited_transaction(database, now=now) as work:
        refuse_erased(work.session, [lead_id], marks)
        if unknown_leads(work.session.connection(), history, [lead_id]):
            raise UnknownLeadError(lead_id)
        row = work.session.get(LeadRow, lead_id)
        before = None if row is None else row.objected_at
        after = (before or now) if objects else None
        if after != before:
            lead_rows(work.session, history, [lead_id], now=now)[lead_id].objected_at = after
            act = "lead.objected" if objects else "lead.objection_lifted"
            work.note(act, who=by, what=marks.name(lead_id), before={"objected_at": before})
    write_objections(database, history)
    return Objection(lead_id=lead_id, objected_at=after)


def objecting_leads(database: Engine) -> frozenset[str]:
    """Return the leads whose persons object."""
    with read_transaction(database) as session:
        return frozenset(session.scalars(select(LeadRow.lead_id).where(LeadRow.objected_at.is_not(None))))


def write_objections(database: Engine, history: History) -> None:
    """Write who objects into the history; the database is the truth, the file follows it."""
    history.leave_out(OBJECTION, objecting_leads(database))
