"""What sales made of one SQL, held against each promise: kept, missed, still open, or not owed at all.

Decides which handover counts for which pledge. An SQL that a score took away again before anybody had to
answer owes nothing; one that sales sent back as wrong owes an answer and no attempts.
"""

from dataclasses import dataclass
from enum import StrEnum

from sla.clauses import AttemptRule
from sla.clock import ClockStatus, ClockVerdict
from sla.handover import Attempt, has_contact, in_order
from sla.lifecycle import EventKind

_TAKEN_AWAY = frozenset({EventKind.SCORED, EventKind.RELEASED})
_MOVED_ON = frozenset({EventKind.OPENED, EventKind.WON})


class CaseState(StrEnum):
    """What became of one promise for one SQL."""

    KEPT = "kept"
    MISSED = "missed"
    PENDING = "pending"
    NOT_OWED = "not_owed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkedSql:
    """One handover to sales as the pledges look at it.

    `seller` is how the seller's clock stands, None when it has not begun or no time is agreed; `ended_by` is
    None while it runs; `can_escalate` says whether a missed deadline is ever passed up.
    """

    rule: AttemptRule
    attempts: tuple[Attempt, ...] = ()
    seller: ClockVerdict | None = None
    is_answered: bool = False
    ended_by: EventKind | None = None
    can_escalate: bool = True


def answered_in_time(sql: WorkedSql) -> CaseState:
    """Say whether an SQL was answered within the agreed time."""
    in_time = None if sql.seller is None else sql.seller.is_in_time
    if in_time is not None:
        return CaseState.KEPT if in_time else CaseState.MISSED
    return CaseState.PENDING if sql.ended_by is None else CaseState.NOT_OWED


def tried_enough(sql: WorkedSql) -> CaseState:
    """Say whether an SQL was tried at least as often as agreed, or reached or moved on before."""
    if (
        has_contact(sql.attempts)
        or sql.ended_by in _MOVED_ON
        or len(in_order(sql.attempts)) >= sql.rule.least
    ):
        return CaseState.KEPT
    if sql.ended_by is None:
        return CaseState.PENDING
    is_owed = sql.ended_by not in (*_TAKEN_AWAY, EventKind.REJECTED)
    return CaseState.MISSED if is_owed else CaseState.NOT_OWED


def followed_up(sql: WorkedSql) -> CaseState:
    """Say whether an SQL got an answer at all; one that lies so long that it was passed up is forgotten."""
    if sql.is_answered:
        return CaseState.KEPT
    if sql.ended_by is not None:
        return CaseState.NOT_OWED
    worst = ClockStatus.ESCALATED if sql.can_escalate else ClockStatus.BREACHED
    is_forgotten = sql.seller is not None and sql.seller.status is worst
    return CaseState.MISSED if is_forgotten else CaseState.PENDING


def attempts_owed(sql: WorkedSql) -> int:
    """Return how many attempts a running SQL still needs until the agreed least; none once reached."""
    if sql.ended_by is not None or has_contact(sql.attempts):
        return 0
    return max(0, sql.rule.least - len(in_order(sql.attempts)))
