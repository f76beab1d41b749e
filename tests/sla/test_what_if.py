"""What other thresholds would have done: equal to counting lead by lead, and honest where it cannot tell."""

from dataclasses import replace
from math import ceil, floor
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sla.clauses_pledges import CapacityRule, MarketingPledge, PledgePeriod, Pledges, SalesPledge
from sla.errors import AgreementError, BrokenRulesError
from sla.stages import Stage
from sla.what_if import (
    Effort,
    PastPeriod,
    ThresholdPair,
    agreed_effort,
    feasible_band,
    suggest,
    what_if,
    wilson,
)
from tests.builders_policy import policy_with
from tests.oracles import what_if_slow as slow

# Few different values, so that ties and hits on the threshold are common.
chances = st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.75, 1.0]) | st.floats(0, 1)
leads = st.lists(st.tuples(chances, st.booleans()), min_size=1, max_size=40)
limits = st.sampled_from([0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.75]) | st.floats(0.01, 0.99)


@st.composite
def pairs(draw: st.DrawFn) -> ThresholdPair:
    """Draw a pair of thresholds."""
    one, other = draw(limits), draw(limits)
    assume(one != other)
    return ThresholdPair(mql=min(one, other), sql=max(one, other))


def period_of(sample: list[tuple[float, bool]], weeks: float = 4.0) -> PastPeriod:
    """Return a period of these leads."""
    return PastPeriod([p for p, _ in sample], [won for _, won in sample], weeks=weeks)


@given(leads, pairs(), pairs())
def test_it_counts_as_the_slow_definition_does(
    sample: list[tuple[float, bool]], pair: ThresholdPair, current: ThresholdPair
) -> None:
    """Leads, wins, missed wins and the leads that move: the same as counted one by one."""
    probabilities, won = [p for p, _ in sample], [one for _, one in sample]
    found = what_if(period_of(sample), pair, effort=Effort(hours_per_sql=2), current=current)
    for stage in (found.mql, found.sql):
        expected = slow.counts(probabilities, won, stage.threshold)
        assert (stage.leads, stage.wins, stage.wins_missed) == expected
        assert stage.leads_per_week == stage.leads / 4
    moved: dict[tuple[str, str], list[int]] = {}
    for move in found.moves:
        moved.setdefault((move.before.value, move.after.value), []).extend(move.places)
    expected_moves = slow.moves(probabilities, (current.mql, current.sql), (pair.mql, pair.sql))
    assert {key: sorted(places) for key, places in moved.items()} == expected_moves
    assert (found.leads, found.wins, found.weeks) == (len(sample), sum(won), 4)
    assert found.seller_hours_per_week == found.sql.leads / 4 * 2
    assert found.capacity_share is None


@given(leads, st.randoms(use_true_random=False), pairs())
def test_the_order_of_the_leads_does_not_matter(
    sample: list[tuple[float, bool]], chance: Any, pair: ThresholdPair
) -> None:
    """Shuffled leads give the same numbers."""
    shuffled = sample.copy()
    chance.shuffle(shuffled)
    one, other = (what_if(period_of(each), pair, effort=Effort()) for each in (sample, shuffled))
    assert one == other


@given(leads, st.floats(0.1, 60), st.floats(0.1, 20), st.none() | st.floats(0.1, 12))
def test_the_band_holds_every_threshold_that_keeps_both_promises(
    sample: list[tuple[float, bool]], capacity: float, hours: float, least: float | None
) -> None:
    """Inside the band both are kept, outside one is broken, at every probability that occurred."""
    probabilities = [p for p, _ in sample]
    effort = Effort(hours_per_sql=hours, capacity_hours=capacity, least_sqls=least)
    band = feasible_band(period_of(sample), effort)
    most = floor(capacity / hours * 4 + 1e-9)
    least_leads = None if least is None else ceil(least * 4 - 1e-9)
    fitting = slow.thresholds_within(probabilities, most=most, least=least_leads)
    assert band.feasible is bool(fitting)
    if fitting:
        assert band.lowest == fitting[0]
        assert band.highest == (None if least is None else fitting[-1])


def test_without_limits_every_threshold_will_do() -> None:
    """Where neither side has promised anything, nothing is infeasible."""
    band = feasible_band(period_of([(0.5, True)]), Effort())
    assert (band.lowest, band.highest, band.feasible) == (None, None, True)


@given(leads, st.floats(0.1, 60), st.none() | st.floats(1, 100))
def test_a_suggestion_keeps_within_the_capacity_and_pays(
    sample: list[tuple[float, bool]], capacity: float, value: float | None
) -> None:
    """Never more work than hours, never a lead whose chance does not pay, nine wins in ten for marketing."""
    cost = None if value is None else 5.0
    effort = Effort(hours_per_sql=1, capacity_hours=capacity, value_per_win=value, cost_per_hour=cost)
    found = suggest(period_of(sample), effort)
    if found is None:
        return
    result = what_if(period_of(sample), found, effort=effort)
    assert result.capacity_share is not None
    assert result.capacity_share <= 1 + 1e-9
    assert value is None or found.sql * value >= 5.0 - 1e-9
    assert 10 * result.mql.wins >= 9 * result.wins


@pytest.mark.parametrize(
    ("sample", "effort", "expected"),
    [
        pytest.param(
            [(0.9, True), (0.6, True), (0.3, False), (0.1, False)],
            Effort(capacity_hours=0.5),
            ThresholdPair(mql=0.5999, sql=0.6),
            id="two-of-four-in-four-weeks",
        ),
        pytest.param(
            [(0.9, True), (0.6, False), (0.3, True), (0.1, False)],
            Effort(value_per_win=100, cost_per_hour=50),
            ThresholdPair(mql=0.3, sql=0.5),
            id="half-a-win-pays-an-hour",
        ),
        pytest.param([(0.9, True)], Effort(capacity_hours=0.1), None, id="no-time-for-anybody"),
        pytest.param([(0.9, True)] * 5, Effort(capacity_hours=1), None, id="five-alike-and-time-for-four"),
        pytest.param([(0.9, True)], Effort(value_per_win=1, cost_per_hour=2), None, id="no-chance-would-pay"),
        pytest.param([(0.0, False)], Effort(capacity_hours=9), None, id="nothing-above-zero"),
    ],
)
def test_suggestions(sample: list[tuple[float, bool]], effort: Effort, expected: object) -> None:
    """A pair where there is one, nothing where no pair can keep within the limits."""
    assert suggest(period_of(sample), effort) == expected


def test_a_suggestion_needs_something_to_go_by() -> None:
    """Without a capacity or a value per win every threshold is as good as another."""
    with pytest.raises(AgreementError, match="needs a capacity in hours or a value per win"):
        suggest(period_of([(0.5, True)]), Effort())


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(0, 10, 0.0, 0.2775), (1, 10, 0.0179, 0.4042), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962)],
)
def test_wilson(part: int, whole: int, low: float, high: float) -> None:
    """The interval of Wilson (1927) as statistics packages print it."""
    share = wilson(part, whole)
    assert share is not None
    assert (share.low, share.high) == pytest.approx((low, high), abs=5e-5)


def test_nothing_is_said_of_nothing() -> None:
    """A share of no leads or no wins is not zero: it is not there."""
    found = what_if(
        period_of([(0.1, False)]), ThresholdPair(mql=0.5, sql=0.6), effort=Effort(capacity_hours=1)
    )
    assert (found.sql.precision, found.sql.wins_kept, found.capacity_share) == (None, None, 0.0)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        pytest.param(lambda: ThresholdPair(mql=0.3, sql=0.3), "mql must lie below sql", id="equal"),
        pytest.param(lambda: ThresholdPair(mql=0.0, sql=1.0), "above 0 and below 1.*sql must", id="ends"),
        pytest.param(lambda: Effort(hours_per_sql=0), "must lie from 0.001 to 1,000,000,000", id="no-hours"),
        pytest.param(lambda: Effort(value_per_win=5), "must come with cost_per_hour", id="value-alone"),
        pytest.param(lambda: Effort(capacity_hours=float("inf")), "must lie from 0.001", id="endless"),
    ],
)
def test_wrong_questions_are_named(make: Any, rule: str) -> None:
    """Each argument has its rule."""
    with pytest.raises(BrokenRulesError, match=rule):
        make()


@pytest.mark.parametrize(
    ("probabilities", "won", "weeks", "rule"),
    [
        pytest.param([], [], 1, "at least one lead", id="nobody"),
        pytest.param([0.5], [], 1, "got 1 probabilities and 0 outcomes", id="no-outcome"),
        pytest.param([1.5], [True], 1, "probabilities from 0 to 1", id="beyond-one"),
        pytest.param([0.5], [True], 0, "more than no time", id="no-time"),
    ],
)
def test_wrong_periods_are_named(
    probabilities: list[float], won: list[bool], weeks: float, rule: str
) -> None:
    """A period has leads, outcomes and a length."""
    with pytest.raises(AgreementError, match=rule):
        PastPeriod(probabilities, won, weeks=weeks)


def test_a_stage_is_entered_on_the_line() -> None:
    """A probability that equals a threshold reaches it."""
    pair = ThresholdPair(mql=0.1, sql=0.3)
    assert [pair.stage_of(p) for p in (0.3, 0.1, 0.0999)] == [Stage.SQL, Stage.MQL, Stage.LEAD]


def test_what_is_left_out_is_what_is_agreed() -> None:
    """An SQL takes its work and three attempts; a pledge of SQLs per quarter is one per week; asking wins."""
    capacity = CapacityRule(hours_per_week=40.0, hours_per_sql=1.5, hours_per_attempt=0.5)
    marketing = MarketingPledge(stage=Stage.SQL, leads=26)
    pledges = Pledges(
        period=PledgePeriod.QUARTER, marketing=marketing, sales=SalesPledge(answered_in_time=0.9)
    )
    agreed = policy_with(capacity=capacity, pledges=pledges)
    effort = agreed_effort(agreed, {"capacity_hours": 8.0})
    assert (effort.hours_per_sql, effort.capacity_hours) == (3.0, 8.0)
    assert effort.least_sqls == pytest.approx(2.0, rel=0.01)
    of_mqls = replace(pledges, marketing=replace(marketing, stage=Stage.MQL))
    assert agreed_effort(policy_with(pledges=of_mqls), {}) == Effort()
    assert agreed_effort(None, {}) == Effort()
