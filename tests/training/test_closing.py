"""How likely open leads are to be won later, by age."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles.closing_slow import slow_shares, slow_win_chance
from training.closing import LEAST_OPEN, ClosingCurve, closing_curve

HORIZON = 10
ends = st.sampled_from(["won", "lost", "open"])
leads_strategy = st.lists(st.tuples(st.integers(0, 40), ends), min_size=LEAST_OPEN, max_size=60)
ages = st.integers(0, 60)


def curve_of(leads: list[tuple[int, str]]) -> ClosingCurve:
    """Return the curve of leads given as (last age seen, how it ended)."""
    return closing_curve(
        np.array([seen for seen, _ in leads], dtype=np.int64),
        np.array([end == "won" for _, end in leads], dtype=np.bool_),
        np.array([end == "lost" for _, end in leads], dtype=np.bool_),
        horizon_us=HORIZON,
    )


def chance(curve: ClosingCurve, from_age: int, to_age: int) -> float:
    """Return one win chance."""
    return float(curve.win_chance(np.array([from_age]), np.array([to_age]))[0])


@given(leads=leads_strategy, from_age=ages, to_age=ages)
def test_the_curve_equals_redistribution_to_the_right(
    leads: list[tuple[int, str]], from_age: int, to_age: int
) -> None:
    """Kaplan-Meier for staying open and Aalen-Johansen for winning, wherever enough leads were followed."""
    curve = curve_of(leads)
    from_age, to_age = (min(each, curve.last_age_us) for each in (from_age, to_age))
    step = np.searchsorted(curve.age_us, from_age, side="right")
    still_open, won = slow_shares(leads, from_age)
    assert curve.open_share[step] == pytest.approx(float(still_open), abs=1e-12)
    assert curve.won_share[step] == pytest.approx(float(won), abs=1e-12)
    if still_open:
        expected = float(slow_win_chance(leads, from_age, to_age))
        assert chance(curve, from_age, to_age) == pytest.approx(expected, abs=1e-9)


@given(leads=leads_strategy, from_age=ages, first=ages, second=ages)
def test_a_longer_time_never_lowers_the_chance(
    leads: list[tuple[int, str]], from_age: int, first: int, second: int
) -> None:
    """A chance lies in [0, 1], grows with the time that is left, and is 0 when none is."""
    curve = curve_of(leads)
    short, long = sorted((first, second))
    assert 0.0 <= chance(curve, from_age, short) <= chance(curve, from_age, long) + 1e-12 <= 1.0 + 1e-12
    assert chance(curve, from_age, from_age) == 0.0


def test_without_censoring_it_is_the_share_of_wins() -> None:
    """Everybody followed to the end: no model is needed."""
    leads = [(age, "won" if age % 3 == 0 else "lost") for age in range(1, 101)]
    curve = curve_of(leads)
    assert chance(curve, 0, 60) == pytest.approx(20 / 100)
    assert chance(curve, 40, 60) == pytest.approx(7 / 60)


def test_beyond_what_was_seen_leads_close_at_the_last_rates() -> None:
    """A hundred leads a day, one in fifty won and one in twenty-five lost each day: so it goes on."""
    random = np.random.default_rng(3)
    ends_at = random.exponential(1000 / 0.06, 40_000).astype(np.int64)
    won = random.random(40_000) < 1 / 3
    followed = np.minimum(ends_at, 30_000)
    closed = ends_at < 30_000
    curve = closing_curve(followed, closed & won, closed & ~won, horizon_us=20_000)
    expected = (1 - math.exp(-0.06 * 50)) / 3
    assert chance(curve, 10_000, 60_000) == pytest.approx(expected, abs=0.02)
    assert chance(curve, 60_000, 110_000) == pytest.approx(expected, abs=0.03)


def test_hardly_any_leads_still_give_a_chance() -> None:
    """Below what can be read by age, all follow-up counts alike; nobody at all means no chance."""
    few = curve_of([(10, "won"), (10, "open"), (20, "lost")])
    assert len(few.age_us) == 0
    assert 0.0 < chance(few, 5, 15) < 1.0
    assert chance(curve_of([]), 0, 10) == 0.0
