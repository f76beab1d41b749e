"""Look at every clock that may have something to say, and give waiting leads to whoever has room.

Doing it again, late, or from two workers raises each event once: its identity is made from what it says.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from serving.db.audited import audited_transaction
from serving.db.session import read_transaction
from serving.db.tables_leads import HandoverRow
from serving.handovers import assign, assign_held, policy_of, refresh_clocks
from sla.handover import HandoverStatus, Route

MOST_PER_SWEEP = 500
"""So many handovers in one transaction hold up nobody; the rest is due at once again."""

WORKER = "worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one sweep did: handovers looked at, events raised, waiting leads that found an owner."""

    handovers: int
    raised: int
    assigned: int


def sweep_clocks(database: Engine, *, now: datetime) -> Swept:
    """Raise what clocks have to say up to `now`; a sweep with nothing to do writes nothing."""
    if not _has_work(database, now):
        return Swept(handovers=0, raised=0, assigned=0)
    with audited_transaction(database, now=now) as work:
        due = (
            select(HandoverRow)
            .where(HandoverRow.next_clock_at < now)
            .order_by(HandoverRow.next_clock_at, HandoverRow.handover_id)
            .limit(MOST_PER_SWEEP)
        )
        rows = work.session.scalars(due).all()
        raised = sum(refresh_clocks(work.session, row, now=now) for row in rows)
        assigned = assign_held(work.session, now=now)
        swept = Swept(handovers=len(rows), raised=raised, assigned=assigned)
        after = {"raised": raised, "assigned": assigned}
        work.note("clocks.swept", who=WORKER, what=f"{len(rows)} handovers", after=after)
        return swept


def _has_work(database: Engine, now: datetime) -> bool:
    """Say whether a clock is due, or a waiting lead could find an owner."""
    is_held = HandoverRow.status == HandoverStatus.HELD.value
    with read_transaction(database) as session:
        due = select(HandoverRow.handover_id).where(HandoverRow.next_clock_at < now).limit(1)
        if session.scalars(due).first() is not None:
            return True
        return any(
            _has_owner(session, row, now) for row in session.scalars(select(HandoverRow).where(is_held))
        )


def _has_owner(session: Session, row: HandoverRow, now: datetime) -> bool:
    policy = policy_of(session, row.policy_version)
    return assign(session, policy, row.persona, now=now).route is not Route.NO_ROOM
