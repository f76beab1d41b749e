"""A joint goal is registered, measured without fooling anybody, and never claimed by chance."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.always_valid import Share
from sla.errors import BrokenRulesError
from sla.goal import Goal, GoalStatus, Metric, Period, cases_needed, measure_goal

GOAL = Goal(
    de="Abschlussquote um 20 % steigern",
    en="Raise the close rate by 20 %",
    metric=Metric.CLOSE_RATE,
    baseline=Period(date(2026, 1, 1), date(2026, 6, 30)),
    period=Period(date(2026, 7, 1), date(2026, 12, 31)),
    target_relative=0.2,
    reward_de="ein gemeinsames Wochenende",
    reward_en="a weekend together",
)
RUNNING, OVER, BEFORE = date(2026, 9, 1), date(2027, 1, 1), date(2026, 6, 30)
shares = st.integers(0, 3000).flatmap(lambda cases: st.builds(Share, st.integers(0, cases), st.just(cases)))


@pytest.mark.parametrize(
    ("baseline", "period", "today", "expected"),
    [
        pytest.param((200, 1000), (0, 0), BEFORE, GoalStatus.NOT_STARTED, id="the-day-before"),
        pytest.param((0, 0), (50, 100), RUNNING, GoalStatus.NO_BASELINE, id="nothing-to-compare-with"),
        pytest.param((200, 1000), (0, 0), RUNNING, GoalStatus.CANNOT_BE_TOLD_YET, id="no-case-yet"),
        pytest.param((200, 1000), (10, 60), RUNNING, GoalStatus.CANNOT_BE_TOLD_YET, id="below-may-be-chance"),
        pytest.param((200, 1000), (25, 100), RUNNING, GoalStatus.ON_TRACK, id="above-may-be-chance"),
        pytest.param((2000, 10000), (2500, 10000), RUNNING, GoalStatus.AHEAD, id="really-more"),
        pytest.param((2000, 10000), (6000, 10000), RUNNING, GoalStatus.REACHED, id="surely-more-than-asked"),
        pytest.param((2000, 10000), (1000, 10000), RUNNING, GoalStatus.BEHIND, id="surely-less-than-asked"),
        pytest.param((2000, 10000), (2500, 10000), OVER, GoalStatus.REACHED, id="really-more-at-the-end"),
        pytest.param((200, 1000), (25, 100), OVER, GoalStatus.CANNOT_BE_TOLD_YET, id="chance-wins-no-reward"),
        pytest.param((200, 1000), (22, 100), OVER, GoalStatus.BEHIND, id="not-enough-at-the-end"),
    ],
)
def test_status(
    baseline: tuple[int, int], period: tuple[int, int], today: date, expected: GoalStatus
) -> None:
    """Each status where it begins: what may be chance is neither success nor failure."""
    progress = measure_goal(GOAL, Share(*baseline), Share(*period), today=today)
    assert progress.status is expected
    assert progress.is_over is (today > GOAL.period.last)


@given(shares, shares)
def test_the_interval_holds_the_change(baseline: Share, period: Share) -> None:
    """The change lies in its interval; without cases on either side there is no change, and it is said."""
    progress = measure_goal(GOAL, baseline, period, today=RUNNING)
    if progress.change is None:
        assert progress.status in (GoalStatus.NO_BASELINE, GoalStatus.CANNOT_BE_TOLD_YET)
    else:
        assert progress.change_interval.low <= progress.change <= progress.change_interval.high


def test_no_change_is_hardly_ever_called_one() -> None:
    """Of 120 pairs of periods in which nothing changed, looked at 20 times each, at most 5 % see success."""
    random = np.random.default_rng(3)
    fooled = 0
    for _ in range(120):
        baseline = Share(int(random.binomial(500, 0.25)), 500)
        won = np.cumsum(random.binomial(25, 0.25, size=20))
        looks = (Share(int(each), 25 * (look + 1)) for look, each in enumerate(won))
        found = {measure_goal(GOAL, baseline, look, today=RUNNING).status for look in looks}
        fooled += bool(found & {GoalStatus.AHEAD, GoalStatus.REACHED})
    assert fooled <= 6


@pytest.mark.parametrize("baseline", [Share(2000, 8000), Share(2500, 50_000), Share(5000, 8000)])
def test_the_cases_needed_are_enough(baseline: Share) -> None:
    """With so many cases and the wanted change really there, it is told apart about as often as agreed."""
    needed = cases_needed(GOAL, baseline)
    assert needed is not None
    rate = baseline.rate or 0.0
    random = np.random.default_rng(7)
    told = [
        measure_goal(GOAL, baseline, Share(int(won), needed), today=RUNNING).change_interval.low > 0.0
        for won in random.binomial(needed, GOAL.target_rate(rate), size=150)
    ]
    assert np.mean(told) == pytest.approx(GOAL.power, abs=0.09)


def test_a_weak_baseline_can_never_tell() -> None:
    """Where the baseline's own interval reaches the target, no number of cases helps; none is named."""
    assert cases_needed(GOAL, Share(20, 100)) is None
    assert cases_needed(GOAL, Share(0, 0)) is None


@given(st.floats(0.01, 0.99), st.floats(0.01, 10.0), st.floats(0.1, 99.0))
def test_a_target_is_a_share(rate: float, relative: float, points: float) -> None:
    """A target lies above the baseline and never above everything."""
    assert rate < replace(GOAL, target_relative=relative).target_rate(rate) <= 1.0
    in_points = replace(GOAL, target_relative=None, target_points=points)
    assert in_points.target_rate(rate) == min(1.0, rate + points / 100.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target_points": 2.0}, "or target_points must be given, one of the two; got 2"),
        ({"target_relative": None}, "or target_points must be given, one of the two; got 0"),
        ({"target_relative": 0.0}, "target_relative must lie above 0 and be at most 10; got 0.0"),
        (
            {"target_relative": None, "target_points": 100.0},
            "target_points must lie above 0 and below 100; got 100.0",
        ),
        ({"power": 1.0}, "power must lie from 0.5 to 0.99; got 1.0"),
        ({"period": GOAL.baseline}, r"period must begin after the baseline has ended \(2026-06-30\)"),
        ({"reward_de": " "}, "reward_de must not be empty"),
    ],
)
def test_a_goal_that_cannot_be_meant_is_refused(changes: dict[str, Any], message: str) -> None:
    """Each rule of a goal names field, rule and value."""
    with pytest.raises(BrokenRulesError, match=message):
        replace(GOAL, **changes)


@pytest.mark.parametrize("days", [-1, 1100])
def test_a_period_has_an_end(days: int) -> None:
    """A period neither ends before it begins nor lasts for ever; its days are both included."""
    first = date(2026, 1, 1)
    with pytest.raises(BrokenRulesError, match=r"must not be before first \(2026-01-01\) nor more than 1100"):
        Period(first, first + timedelta(days=days))
    assert Period(first, first).after == date(2026, 1, 2)


def test_words_of_a_goal() -> None:
    """Goal and reward are given in both languages."""
    assert (GOAL.label.de, GOAL.reward.en) == (GOAL.de, GOAL.reward_en)
