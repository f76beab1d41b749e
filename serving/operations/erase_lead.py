"""Erase a person: every row about the lead goes, a keyed mark stays and keeps the person out."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from features.history.store import History
from serving.db.audited import audited_transaction
from serving.db.tables_leads import TombstoneRow
from serving.errors import UnknownLeadError
from serving.handovers import assign_held
from serving.lead_marks import LeadMarks
from serving.lead_rows import delete_rows_of_lead
from serving.leads import unknown_leads


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """Since when a lead is erased; `files_pending` until the files of the workspace are written anew too."""

    lead_id: str
    erased_at: datetime
    files_pending: bool


def erase_lead(
    database: Engine, lead_id: str, *, history: History, marks: LeadMarks, by: str, now: datetime
) -> Erased:
    """Erase a lead from the database at once, and leave its files to `finish_erasures`.

    Again says since when it is erased. Raises `UnknownLeadError` for one that nobody knows.
    """
    with audited_transaction(database, now=now) as work:
        known = work.session.get(TombstoneRow, marks.mark(lead_id))
        if known is not None:
            return Erased(lead_id=lead_id, erased_at=known.erased_at, files_pending=known.files_pending)
        if unknown_leads(work.session.connection(), history, [lead_id]):
            raise UnknownLeadError(lead_id)
        counts = delete_rows_of_lead(work.session, lead_id)
        mark = TombstoneRow(mark=marks.mark(lead_id), erased_at=now, files_pending=True)
        work.session.add(mark)
        work.session.flush()
        assign_held(work.session, now=now)
        work.note("lead.erased", who=by, what=marks.name(lead_id), after={"rows": counts})
        return Erased(lead_id=lead_id, erased_at=now, files_pending=True)
