"""Give a handover back to marketing, with the reason: rejected, or recycled for another time."""

from datetime import datetime

from sqlalchemy import Engine

from serving.acts import find_handover, is_done, refuse_over, refuse_problems, take_act, time_problems
from serving.db.audited import audited_transaction
from sla.handover import ReasonGroup
from sla.lifecycle import EventKind


def return_handover(
    database: Engine,
    handover_id: str,
    kind: EventKind,
    *,
    group: ReasonGroup,
    reason: str,
    by: str,
    at: datetime,
    now: datetime,
) -> None:
    """Take the event `kind` (rejected or recycled): the lead rests with marketing and starts its next cycle.

    The same again changes nothing. Raises `UnknownHandoverError`, `HandoverOverError` when it has ended,
    `ActRefusedError` for a time before it.
    """
    with audited_transaction(database, now=now) as work:
        row = find_handover(work.session, handover_id)
        if is_done(work.session, kind, handover_id):
            return
        refuse_over(row)
        refuse_problems(time_problems(row, "occurred_at", at))
        before = {"status": row.status}
        take_act(work, row, kind, at=at, name=handover_id, why=(group.value, reason))
        after = {"status": row.status, "reason_group": group.value}
        work.note(f"handover.{kind}", who=by, what=f"handover {handover_id}", before=before, after=after)
