"""Record when a person in sales is away: they get no handover then, and their clocks stand still."""

from datetime import datetime

from sqlalchemy import Engine, select

from serving.db.audited import audited_transaction
from serving.db.tables_leads import AbsenceRow, HandoverRow
from serving.handovers import RUNNING_WORDS, assign_held, refresh_clocks
from sla.away import Absence


def record_absence(database: Engine, absence_id: str, absence: Absence, *, by: str, now: datetime) -> int:
    """Store an absence under its id, in place of what was there; return how many handovers it concerns.

    One of no length takes an absence back. What clocks have raised before stays raised.
    """
    with audited_transaction(database, now=now) as work:
        row = work.session.get(AbsenceRow, absence_id)
        before = None if row is None else {"since": row.since, "until": row.until}
        people = {absence.person} if row is None else {absence.person, row.person}
        values = {"person": absence.person, "since": absence.since, "until": absence.until}
        work.session.merge(AbsenceRow(absence_id=absence_id, **values))
        work.session.flush()
        query = select(HandoverRow).where(
            HandoverRow.owner.in_(people), HandoverRow.status.in_(RUNNING_WORDS)
        )
        rows = work.session.scalars(query).all()
        for one in rows:
            refresh_clocks(work.session, one, now=now)
        assign_held(work.session, now=now)
        after = {"since": absence.since, "until": absence.until}
        work.note("absence.recorded", who=by, what=f"absence {absence_id}", before=before, after=after)
        return len(rows)
