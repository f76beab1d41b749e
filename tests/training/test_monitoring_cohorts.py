"""Intervals of matured cohorts: they hold what they say, at one look and at all looks."""

import numpy as np
import pytest

from training.monitoring.cohorts import (
    Cohort,
    compare_lift,
    expected_to_real_always,
    expected_to_real_now,
    lift_of_top,
)
from training.points import log_odds_to_probability

LEVEL = 0.05


def cohort(random: np.random.Generator, n: int = 600, *, shift: float = 0.0, slope: float = 1.0) -> Cohort:
    """Return leads whose true log-odds are ``slope`` times the promised ones plus ``shift``."""
    log_odds = random.normal(-1.5, 1.0, n)
    truth = log_odds_to_probability(slope * log_odds + shift)
    return Cohort(
        probability=log_odds_to_probability(log_odds), label=(random.random(n) < truth).astype(np.int8)
    )


def first(whole: Cohort, n: int) -> Cohort:
    """Return what an earlier look saw."""
    return Cohort(probability=whole.probability[:n], label=whole.label[:n])


def test_the_plain_interval_misses_as_often_as_it_says() -> None:
    """600 cohorts of a right model: one in twenty does not hold 1, give or take four standard errors."""
    random = np.random.default_rng(0)
    missed = 0
    for _ in range(600):
        ratio = expected_to_real_now(cohort(random), level=LEVEL)
        assert ratio is not None
        missed += not ratio.low <= 1.0 <= ratio.high
    assert missed / 600 == pytest.approx(LEVEL, abs=4 * np.sqrt(LEVEL * (1 - LEVEL) / 600))


def test_the_always_valid_interval_holds_at_all_looks_together() -> None:
    """Of 100 right models looked at 6 times each, no more than the level is ever found wrong."""
    random = np.random.default_rng(1)
    ever = 0
    for _ in range(100):
        whole = cohort(random, 600)
        looks = (expected_to_real_always(first(whole, n), level=LEVEL) for n in range(100, 601, 100))
        ever += any(ratio is not None and not ratio.low <= 1.0 <= ratio.high for ratio in looks)
    assert ever / 100 <= LEVEL


def test_a_model_that_promises_too_much_is_found_by_both() -> None:
    """Log-odds that are 0.6 too high: both intervals lie above 1 and hold the true ratio."""
    whole = cohort(np.random.default_rng(2), 4000, shift=-0.6)
    truth = (
        whole.probability.sum()
        / log_odds_to_probability(np.log(whole.probability / (1 - whole.probability)) - 0.6).sum()
    )
    for ratio in (expected_to_real_now(whole, level=0.002), expected_to_real_always(whole, level=0.002)):
        assert ratio is not None
        assert 1.1 < ratio.low < truth < ratio.high


def test_lift_is_what_the_best_fifth_brings_beside_what_it_brought() -> None:
    """A model that ranks as before keeps its lift; one whose scores mean less than they did does not."""
    then = lift_of_top(cohort(np.random.default_rng(4), 2000))
    kept = lift_of_top(cohort(np.random.default_rng(3), 4000))
    lost = lift_of_top(cohort(np.random.default_rng(3), 4000, slope=0.3))
    assert then is not None
    assert kept is not None
    assert lost is not None
    same, worse = (compare_lift(now, then, level=0.002) for now in (kept, lost))
    assert same.low < same.promised == then.value < same.high
    assert 1.0 < worse.value < worse.high < 0.9 * worse.promised


def test_the_standard_error_of_lift_is_its_spread() -> None:
    """Over 300 cohorts of a right model, lift varies by what each says of itself."""
    lifts = [lift_of_top(cohort(np.random.default_rng(seed))) for seed in range(300)]
    values = [each.value for each in lifts if each is not None]
    errors = [each.error for each in lifts if each is not None]
    assert np.std(values) == pytest.approx(np.mean(errors), rel=0.2)


def test_too_few_expected_wins_have_no_answer() -> None:
    """Twenty leads at five percent say nothing, whatever came."""
    few = Cohort(probability=np.full(20, 0.05), label=np.ones(20, dtype=np.int8))
    assert expected_to_real_now(few, level=LEVEL) is None
    assert expected_to_real_always(few, level=LEVEL) is None
    assert lift_of_top(few) is None


def test_no_win_at_all_is_finite() -> None:
    """A hundred expected wins and none: the interval is far above 1 and still a number."""
    none = Cohort(probability=np.full(500, 0.2), label=np.zeros(500, dtype=np.int8))
    for ratio in (expected_to_real_now(none, level=0.002), expected_to_real_always(none, level=0.002)):
        assert ratio is not None
        assert 1.1 < ratio.low < ratio.high < np.inf
