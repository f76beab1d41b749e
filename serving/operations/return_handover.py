"""Give a handover back to marketing, with the coded reason: rejected, or recycled for another time."""

from datetime import datetime
from itertools import chain

from sqlalchemy import Engine

from serving.acts import find_handover, is_done, refuse_over, refuse_problems, take_act, time_problems
from serving.db.audited import audited_transaction
from serving.reasons import agreed_now, reason_problems
from sla.handover import ReasonGroup
from sla.lifecycle import EventKind


def return_handover(
    database: Engine,
    handover_id: str,
    kind: EventKind,
    *,
    group: ReasonGroup | None,
    reason: str | None,
    code: str | None = None,
    by: str,
    at: datetime,
    now: datetime,
) -> None:
    """Take the event `kind` (rejected or recycled): the lead rests with marketing and starts its next cycle.

    The same again changes nothing. Without a code the agreement in force maps the reason. Raises
    `UnknownHandoverError`, `HandoverOverError` when it has ended, `ActRefusedError` for a time before it, a
    code that is not listed, or a group that is not the code's.
    """
    with audited_transaction(database, now=now) as work:
        row = find_handover(work.session, handover_id)
        if is_done(work.session, kind, handover_id):
            return
        refuse_over(row)
        sent = None if group is None else group.value
        agreed = agreed_now(work.session, now=now)
        problems = (
            time_problems(row, "occurred_at", at),
            reason_problems(agreed, group=sent, code=code, text=reason),
        )
        refuse_problems(chain.from_iterable(problems))
        before = {"status": row.status}
        why = agreed.why(group=sent, code=code, text=reason)
        take_act(work, row, kind, at=at, name=handover_id, why=why)
        after = {"status": row.status, "reason_group": why.group, "reason_code": why.code}
        work.note(f"handover.{kind}", who=by, what=f"handover {handover_id}", before=before, after=after)
