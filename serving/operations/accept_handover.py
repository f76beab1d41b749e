"""Accept a handover: somebody in sales works on the lead; no score takes it away from them."""

from datetime import datetime

from sqlalchemy import Engine

from serving.acts import (
    accept_if_open,
    find_handover,
    is_done,
    refuse_over,
    refuse_problems,
    take_act,
    time_problems,
)
from serving.db.audited import audited_transaction
from serving.handovers import refresh_clocks
from sla.lifecycle import EventKind


def accept_handover(database: Engine, handover_id: str, *, by: str, at: datetime, now: datetime) -> None:
    """Accept for a person; again changes nothing. An unassigned handover becomes that person's.

    Raises `UnknownHandoverError`, `HandoverOverError` when it has ended, `ActRefusedError` for a time
    before it.
    """
    with audited_transaction(database, now=now) as work:
        row = find_handover(work.session, handover_id)
        if is_done(work.session, EventKind.ACCEPTED, handover_id):
            return
        refuse_over(row)
        refuse_problems(time_problems(row, "occurred_at", at))
        before = {"status": row.status, "owner": row.owner}
        accept_if_open(row, by)
        row.assigned_at = row.assigned_at or max(at, row.created_at)
        take_act(work, row, EventKind.ACCEPTED, at=at, name=handover_id)
        refresh_clocks(work.session, row, now=now)
        after = {"status": row.status, "owner": row.owner}
        work.note("handover.accepted", who=by, what=f"handover {handover_id}", before=before, after=after)
