"""Note that a person objects to being scored, or no longer does. It holds at once, in training too."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from features.history.exclusions import Exclusion, read_exclusions, write_exclusions
from features.history.store import History
from serving.db.audited import audited_transaction
from serving.db.session import read_transaction
from serving.db.tables_leads import LeadRow
from serving.errors import UnknownLeadError
from serving.lead_marks import LeadMarks, refuse_erased
from serving.lead_work import lead_row
from serving.leads import unknown_leads
from serving.operations.list_bad_data import list_bad_data

OBJECTION = "objection"
"""The code in the history's file of leads that nobody may learn from."""


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
        if unknown_leads(work.session, history, [lead_id]):
            raise UnknownLeadError(lead_id)
        row = work.session.get(LeadRow, lead_id)
        before = None if row is None else row.objected_at
        after = (before or now) if objects else None
        if after != before:
            lead_row(work.session, history, lead_id, now=now).objected_at = after
            act = "lead.objected" if objects else "lead.objection_lifted"
            work.note(act, who=by, what=marks.name(lead_id), before={"objected_at": before})
    tell_history(database, history, now=now)
    return Objection(lead_id=lead_id, objected_at=after)


def objecting_leads(database: Engine) -> frozenset[str]:
    """Return the leads whose persons object."""
    with read_transaction(database) as session:
        return frozenset(session.scalars(select(LeadRow.lead_id).where(LeadRow.objected_at.is_not(None))))


def objecting_in(history: History) -> frozenset[str]:
    """Return the same as the history was told last, for whoever scores it without the database."""
    told = read_exclusions(history.folder)
    return frozenset(one.lead_id for one in told if one.code == OBJECTION)


def tell_history(database: Engine, history: History, *, now: datetime) -> None:
    """Write down in the history from whom nobody may learn: who objects, and leads that were none.

    The database is the truth; the file follows it, and there is none before the first import.
    """
    if history.exists():
        objecting = (Exclusion(lead_id=lead_id, code=OBJECTION) for lead_id in objecting_leads(database))
        write_exclusions(history.folder, (*list_bad_data(database, now=now), *objecting))
