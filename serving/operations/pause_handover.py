"""Pause the clocks of a handover for a stretch of time, with the reason."""

import hashlib
from datetime import datetime

from sqlalchemy import Engine

from serving.acts import find_handover, refuse_over, refuse_problems, time_problems
from serving.db.audited import audited_transaction
from serving.db.tables_leads import PauseRow
from serving.handovers import refresh_clocks
from sla.away import Pause


def pause_handover(database: Engine, handover_id: str, pause: Pause, *, by: str, now: datetime) -> None:
    """Store a pause; the same again changes nothing, and pauses that overlap count once.

    Raises `UnknownHandoverError`, `HandoverOverError` when the handover has ended, `ActRefusedError` for a
    pause before it.
    """
    with audited_transaction(database, now=now) as work:
        row = find_handover(work.session, handover_id)
        pause_id = _identity(handover_id, pause)
        if work.session.get(PauseRow, pause_id) is not None:
            return
        refuse_over(row)
        refuse_problems(time_problems(row, "since", pause.since))
        values = {"since": pause.since, "until": pause.until, "reason": pause.reason}
        work.session.add(PauseRow(pause_id=pause_id, handover_id=handover_id, by=by, **values))
        work.session.flush()
        refresh_clocks(work.session, row, now=now)
        after = {"since": pause.since, "until": pause.until}
        work.note("handover.paused", who=by, what=f"handover {handover_id}", after=after)


def _identity(handover_id: str, pause: Pause) -> str:
    parts = (handover_id, pause.since.isoformat(), pause.until.isoformat(), pause.reason)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
