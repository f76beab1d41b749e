"""What the clauses of a policy refuse when built by hand, and the bound that makes deadlines total."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from sla.business_time import MOST_HOLIDAYS, Opening, OpeningHours
from sla.clauses import ResponseTime
from sla.clauses_work import ClockRule, RouteBy, RoutingRule
from sla.errors import BrokenRulesError, shown
from sla.policy import decide
from sla.stages import Stage
from tests.builders_policy import NOW, POLICY, lead_with, policy_with

ONE_MINUTE_A_WEEK = ((Opening(0, 1),), *[()] * 6)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        pytest.param(
            lambda: ResponseTime(stage=Stage.SQL, within=timedelta(seconds=90)),
            "within must be whole minutes; got 0:01:30",
            id="seconds",
        ),
        pytest.param(
            lambda: ResponseTime(stage=Stage.CUSTOMER, within=timedelta(0)),
            "stage must be mql or sql; got 'customer'; response.within must be longer than 0",
            id="all-at-once",
        ),
        pytest.param(
            lambda: replace(POLICY.attempts, least=9, most=8, channels=()),
            r"least must not be above most \(8\); got 9; attempts.channels must list at least one",
            id="attempts",
        ),
        pytest.param(
            lambda: policy_with(
                responses=(ResponseTime(stage=Stage.SQL, within=timedelta(hours=1)),),
                hours=OpeningHours(zone="UTC", weekdays=ONE_MINUTE_A_WEEK),
            ),
            "policy.responses must fit into a year of opening hours",
            id="no-such-deadline",
        ),
        pytest.param(
            lambda: ClockRule(due_soon=timedelta(seconds=30)), "due_soon must be whole minutes", id="reminder"
        ),
        pytest.param(
            lambda: RoutingRule(by=RouteBy.LOAD, people=tuple(str(n) for n in range(201))),
            "people must list at most 200 people; got 201",
            id="too-many-people",
        ),
        pytest.param(lambda: policy_with(version=True), "version must be a whole number from 1", id="true"),
    ],
)
def test_clauses_refuse_what_has_no_meaning(build: Callable[[], object], message: str) -> None:
    """Each broken rule is named with field, rule and value."""
    with pytest.raises(BrokenRulesError, match=message):
        build()


def test_the_longest_deadline_is_still_found() -> None:
    """One open minute a week, a year of them promised, every holiday on that very day: a deadline exists."""
    first = date(2026, 11, 30)
    holidays = frozenset(first + week * timedelta(days=7) for week in range(MOST_HOLIDAYS))
    hours = OpeningHours(zone="Europe/Berlin", weekdays=ONE_MINUTE_A_WEEK, holidays=holidays)
    slow = policy_with(responses=(ResponseTime(stage=Stage.SQL, within=timedelta(minutes=52)),), hours=hours)
    respond_by = decide(lead_with(0.5), slow, now=NOW).respond_by
    assert respond_by is not None
    assert respond_by.date() - first >= timedelta(weeks=MOST_HOLIDAYS)


def test_long_values_are_shown_short() -> None:
    """A value in an error is cut to 80 characters."""
    assert len(shown("x" * 1000)) == 80
    assert shown("x") == "'x'"
