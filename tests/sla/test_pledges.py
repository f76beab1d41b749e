"""Pledges: pro rata by working days to the last fraction, and a status that follows from the numbers."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.business_time import OpeningHours
from sla.clauses_pledges import PledgePeriod
from sla.goal import Period
from sla.pledges import (
    Cases,
    PledgeStatus,
    judge_amount,
    judge_share,
    pledge_period,
    promised_in,
    working_days,
)
from tests.builders_policy import OFFICE_HOURS, opening_hours

DAY = timedelta(days=1)
MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))
kinds = st.sampled_from(PledgePeriod)
some_days = st.dates(date(2025, 1, 1), date(2027, 12, 31))


def owed_by(day: date, amount: int, kind: PledgePeriod, hours: OpeningHours) -> Fraction:
    """Return what one day owes: the slow definition, from the calendar alone."""
    if kind is PledgePeriod.WEEK:
        whole = [day + (place - day.weekday()) * DAY for place in range(7)]
    else:
        months = 1 if kind is PledgePeriod.MONTH else 3
        key = (day.year, (day.month - 1) // months)
        around = [day + place * DAY for place in range(-100, 100)]
        whole = [one for one in around if (one.year, (one.month - 1) // months) == key]
    working = [one for one in whole if hours.openings_on(one)]
    return Fraction(amount, len(working)) if day in working else Fraction(0)


@given(some_days, st.integers(0, 150), st.integers(1, 500), kinds, opening_hours())
def test_each_working_day_owes_its_part(
    first: date, length: int, amount: int, kind: PledgePeriod, hours: OpeningHours
) -> None:
    """The promise of any stretch is the sum over its days; of a whole period it is the whole amount."""
    span = Period(first, first + length * DAY)
    slow = sum((owed_by(first + n * DAY, amount, kind, hours) for n in range(length + 1)), Fraction(0))
    assert promised_in(amount, kind, span, hours) == slow
    whole = pledge_period(kind, first)
    assert whole.first <= first <= whole.last
    assert promised_in(amount, kind, whole, hours) == (amount if working_days(whole, hours) else 0)


def test_a_closed_week_owes_nothing() -> None:
    """A company that is closed from Monday to Sunday promises nothing for that week."""
    week = Period(date(2026, 12, 21), date(2026, 12, 27))
    closed = frozenset(week.first + n * DAY for n in range(7))
    assert promised_in(5, PledgePeriod.WEEK, week, replace(OFFICE_HOURS, holidays=closed)) == 0


def test_a_month_of_office_days() -> None:
    """March 2026 has 22 working days; its first two weeks have ten of them."""
    assert working_days(MARCH, OFFICE_HOURS) == 22
    two_weeks = Period(MARCH.first, date(2026, 3, 15))
    assert promised_in(66, PledgePeriod.MONTH, two_weeks, OFFICE_HOURS) == 30


@pytest.mark.parametrize(
    ("today", "reached", "status", "due"),
    [
        (date(2026, 2, 28), 0, PledgeStatus.CANNOT_BE_TOLD_YET, 0),
        (date(2026, 3, 1), 0, PledgeStatus.CANNOT_BE_TOLD_YET, 0),
        (date(2026, 3, 2), 0, PledgeStatus.CANNOT_BE_TOLD_YET, 0),
        (date(2026, 3, 3), 2, PledgeStatus.BEHIND, 3),
        (date(2026, 3, 3), 3, PledgeStatus.ON_TRACK, 3),
        (date(2026, 3, 3), 66, PledgeStatus.KEPT, 3),
        (date(2026, 3, 31), 63, PledgeStatus.ON_TRACK, 63),
        (date(2026, 3, 31), 62, PledgeStatus.BEHIND, 63),
        (date(2026, 4, 1), 65, PledgeStatus.BROKEN, 66),
        (date(2026, 4, 1), 66, PledgeStatus.KEPT, 66),
    ],
)
def test_how_an_amount_stands(today: date, reached: float, status: PledgeStatus, due: float) -> None:
    """Today owes nothing before it has ended; what is reached early is kept; a month over is judged."""
    stands = judge_amount(66, reached, kind=PledgePeriod.MONTH, span=MARCH, hours=OFFICE_HOURS, today=today)
    assert (stands.status, stands.due, stands.promised, stands.reached) == (status, due, 66.0, reached)


@pytest.mark.parametrize(
    ("cases", "today", "status"),
    [
        (Cases(0, 0, 0), date(2026, 3, 9), PledgeStatus.CANNOT_BE_TOLD_YET),
        (Cases(0, 0, 3), date(2026, 3, 9), PledgeStatus.CANNOT_BE_TOLD_YET),
        (Cases(9, 1, 0), date(2026, 3, 9), PledgeStatus.ON_TRACK),
        (Cases(8, 2, 50), date(2026, 3, 9), PledgeStatus.BEHIND),
        (Cases(0, 0, 0), date(2026, 4, 1), PledgeStatus.KEPT),
        (Cases(9, 0, 1), date(2026, 4, 1), PledgeStatus.KEPT),
        (Cases(8, 1, 1), date(2026, 4, 1), PledgeStatus.BEHIND),
        (Cases(18, 1, 2), date(2026, 4, 1), PledgeStatus.ON_TRACK),
        (Cases(8, 2, 0), date(2026, 4, 1), PledgeStatus.BROKEN),
        (Cases(0, 0, 1), date(2026, 4, 1), PledgeStatus.CANNOT_BE_TOLD_YET),
    ],
)
def test_how_a_share_stands(cases: Cases, today: date, status: PledgeStatus) -> None:
    """Open cases of a month that is over may still decide it; without any case nothing was broken."""
    assert judge_share(0.9, cases, span=MARCH, today=today).status is status


def test_every_means_every() -> None:
    """One miss breaks a promise about all at once, unless it can still be made good."""
    cases, today = Cases(5, 1, 0), date(2026, 3, 9)
    assert judge_share(1.0, cases, span=MARCH, today=today).status is PledgeStatus.BROKEN
    healing = judge_share(1.0, cases, span=MARCH, today=today, misses_heal=True)
    assert (healing.status, healing.cases.share) == (PledgeStatus.BEHIND, 5 / 6)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 10), st.sampled_from([0.5, 0.7, 0.9, 1.0]))
def test_a_verdict_is_never_taken_back(kept: int, missed: int, pending: int, promised: float) -> None:
    """What is kept or broken after the end stays so, whatever becomes of the open cases."""
    today = date(2026, 4, 1)
    status = judge_share(promised, Cases(kept, missed, pending), span=MARCH, today=today).status
    ends = {
        judge_share(promised, Cases(kept + n, missed + pending - n, 0), span=MARCH, today=today).status
        for n in range(pending + 1)
    }
    assert ends <= {PledgeStatus.KEPT, PledgeStatus.BROKEN}
    assert (status in ends) == (len(ends) == 1)
