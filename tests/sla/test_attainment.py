"""What sales made of an SQL, against each promise; and the load that running ones are."""

from datetime import UTC, datetime, timedelta

import pytest

from sla.attainment import (
    CaseState,
    WorkedSql,
    answered_in_time,
    attempts_owed,
    followed_up,
    tried_enough,
)
from sla.away import Absence
from sla.business_time import business_elapsed
from sla.clauses_pledges import CapacityRule
from sla.clock import ClockStatus, ClockVerdict
from sla.handover import Attempt, AttemptResult
from sla.lifecycle import EventKind
from sla.load import presence_of, seller_load
from sla.planned import PlannedDeal, PlannedOutcome, planned_outcome
from tests.builders_policy import NOW, OFFICE_HOURS, POLICY

KEPT, MISSED, PENDING, NOT_OWED = CaseState
DUE = NOW + timedelta(hours=4)


def clock(status: ClockStatus, *, met_at: datetime | None = None) -> ClockVerdict:
    """Return how a seller's clock stands."""
    return ClockVerdict(status=status, due_at=DUE, left=timedelta(0), policy_version=3, met_at=met_at)


def tried(*results: AttemptResult) -> tuple[Attempt, ...]:
    """Return attempts with these results, a day apart."""
    return tuple(
        Attempt(attempt_id=str(place), at=NOW + timedelta(days=place), channel="phone", result=result)
        for place, result in enumerate(results)
    )


def sql(**facts: object) -> WorkedSql:
    """Return an SQL of the small policy: three attempts at least."""
    return WorkedSql(rule=POLICY.attempts, **facts)  # type: ignore[arg-type]


IN_TIME = clock(ClockStatus.MET, met_at=DUE)
LATE = clock(ClockStatus.MET, met_at=DUE + timedelta(seconds=1))
NO = AttemptResult.NO_ANSWER


@pytest.mark.parametrize(
    ("facts", "in_time", "enough", "answered", "owed"),
    [
        ({}, PENDING, PENDING, PENDING, 3),
        ({"seller": clock(ClockStatus.RUNNING)}, PENDING, PENDING, PENDING, 3),
        ({"seller": clock(ClockStatus.BREACHED)}, MISSED, PENDING, PENDING, 3),
        ({"seller": clock(ClockStatus.BREACHED), "can_escalate": False}, MISSED, PENDING, MISSED, 3),
        ({"seller": clock(ClockStatus.ESCALATED)}, MISSED, PENDING, MISSED, 3),
        ({"seller": IN_TIME, "is_answered": True, "attempts": tried(NO)}, KEPT, PENDING, KEPT, 2),
        ({"seller": LATE, "is_answered": True, "attempts": tried(NO, NO, NO, NO)}, MISSED, KEPT, KEPT, 0),
        ({"is_answered": True, "attempts": tried(AttemptResult.REPLIED)}, PENDING, KEPT, KEPT, 0),
        ({"seller": IN_TIME, "is_answered": True, "ended_by": EventKind.RECYCLED}, KEPT, MISSED, KEPT, 0),
        ({"seller": IN_TIME, "is_answered": True, "ended_by": EventKind.LOST}, KEPT, MISSED, KEPT, 0),
        ({"seller": IN_TIME, "is_answered": True, "ended_by": EventKind.REJECTED}, KEPT, NOT_OWED, KEPT, 0),
        ({"seller": IN_TIME, "is_answered": True, "ended_by": EventKind.OPENED}, KEPT, KEPT, KEPT, 0),
        ({"ended_by": EventKind.SCORED}, NOT_OWED, NOT_OWED, NOT_OWED, 0),
        (
            {"seller": clock(ClockStatus.BREACHED), "ended_by": EventKind.RELEASED},
            MISSED,
            NOT_OWED,
            NOT_OWED,
            0,
        ),
    ],
)
def test_each_promise_for_one_sql(
    facts: dict[str, object], in_time: CaseState, enough: CaseState, answered: CaseState, owed: int
) -> None:
    """A table of what can happen to an SQL, and what each pledge makes of it."""
    one = sql(**facts)
    assert (answered_in_time(one), tried_enough(one), followed_up(one)) == (in_time, enough, answered)
    assert attempts_owed(one) == owed


def test_load_is_work_there_and_work_to_come() -> None:
    """Two SQLs with five attempts open, two new ones a week: (2·1.5 + 5·0.5) + 2·(1.5 + 3·0.5) hours."""
    rule = CapacityRule(hours_per_week=20.0, hours_per_sql=1.5, hours_per_attempt=0.5)
    load = seller_load(rule, open_sqls=2, attempts_owed=5, new_sqls=8, attempts_per_sql=3, presence=0.5)
    assert (load.hours_now, load.new_sqls_expected) == (5.5, 2.0)
    assert (load.hours_next_week, load.capacity_hours, load.share) == (11.5, 10.0, 1.15)
    bare = seller_load(None, open_sqls=2, attempts_owed=5, new_sqls=8, attempts_per_sql=3)
    assert (bare.hours_now, bare.share) == (None, None)
    nobody = seller_load(rule, open_sqls=0, attempts_owed=0, new_sqls=0, attempts_per_sql=3, presence=0.0)
    assert nobody.share is None


def test_absence_and_holidays_shorten_a_week() -> None:
    """One of two people is away for two of five days: a fifth of the week is missing."""
    away = Absence(person="Sam", since=NOW, until=NOW + timedelta(days=2))
    assert presence_of(OFFICE_HOURS, [away], people=("Sam", "Kim"), now=NOW) == pytest.approx(0.8)
    assert presence_of(OFFICE_HOURS, [away], people=("Kim",), now=NOW) == 1.0
    assert presence_of(OFFICE_HOURS, [away], people=(), now=NOW) == 1.0
    week = business_elapsed(NOW, NOW + timedelta(days=7), OFFICE_HOURS)
    assert week == timedelta(hours=40)


@pytest.mark.parametrize(
    ("closed_at", "is_won", "now", "outcome"),
    [
        (None, False, "2026-06-10T21:59:00", PlannedOutcome.STILL_PLANNED),
        (None, False, "2026-06-10T22:00:00", PlannedOutcome.OVERDUE),
        ("2026-06-10T21:59:00", True, "2026-07-01T00:00:00", PlannedOutcome.WON_ON_TIME),
        ("2026-06-10T22:00:00", True, "2026-07-01T00:00:00", PlannedOutcome.WON_LATE),
        ("2026-06-01T00:00:00", False, "2026-07-01T00:00:00", PlannedOutcome.LOST),
        ("2026-07-02T00:00:00", True, "2026-07-01T00:00:00", PlannedOutcome.OVERDUE),
    ],
)
def test_planned_against_actual(
    closed_at: str | None, is_won: bool, now: str, outcome: PlannedOutcome
) -> None:
    """On time is until midnight of the planned day where the teams are; the future is not known."""
    deal = PlannedDeal(
        planned_at=datetime(2026, 6, 10, 8, tzinfo=UTC),
        closed_at=None if closed_at is None else datetime.fromisoformat(closed_at).replace(tzinfo=UTC),
        is_won=is_won,
    )
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert planned_outcome(deal, zone="Europe/Berlin", now=at) is outcome
