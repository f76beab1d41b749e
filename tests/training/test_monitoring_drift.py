"""PSI, its critical value, and what counts as usual: against formulas, scipy and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import chi2, fisher_exact

from training.monitoring.drift import Difference, between_periods, compare_counts, unknown_chance
from training.outcomes import IntArray

COUNTS = hnp.arrays(np.int64, 6, elements=st.integers(0, 400))


@given(COUNTS, COUNTS)
def test_psi_is_symmetric_not_negative_and_zero_for_equal_shares(new: IntArray, old: IntArray) -> None:
    """Whichever sample is called new, PSI is the same; a sample does not differ from itself."""
    found, swapped = compare_counts(new, old), compare_counts(old, new)
    assert (found is None) == (swapped is None)
    if found is not None and swapped is not None:
        assert found.psi == pytest.approx(swapped.psi)
        assert found.psi >= 0.0
        assert found.freedom == swapped.freedom <= np.count_nonzero(new + old) - 1
    same = compare_counts(new, new)
    assert same is None or same.psi == 0.0


def test_psi_is_its_formula_where_no_cell_is_rare() -> None:
    """The sum over cells of (p - q) ln(p / q), half a lead added to each cell."""
    new, old = np.array([40, 60, 100]), np.array([500, 300, 200])
    found = compare_counts(new, old)
    shares = [[(count + 0.5) / (each.sum() + 1.5) for count in each.tolist()] for each in (new, old)]
    assert found is not None
    assert found.psi == pytest.approx(sum((p - q) * math.log(p / q) for p, q in zip(*shares, strict=True)))
    assert found.freedom == 2
    assert found.chance == pytest.approx(1 / 200 + 1 / 1000)


def test_rare_cells_are_pooled_and_empty_ones_do_not_count() -> None:
    """Two cells of two and three expected leads become one; what nobody ever had is no cell."""
    found = compare_counts(np.array([90, 2, 3, 5, 0]), np.array([900, 20, 30, 50, 0]))
    assert found is not None
    assert found.freedom == 2
    assert compare_counts(np.array([50, 0]), np.array([70, 0])) is None
    assert compare_counts(np.array([0, 0]), np.array([70, 10])) is None


def test_the_critical_value_is_the_chi_square_quantile() -> None:
    """Scaled by both sample sizes; what usually moves from period to period is added."""
    found = Difference(psi=0.0, freedom=7, chance=0.01)
    assert found.critical(0.001) == pytest.approx(chi2.isf(0.001, 7) * 0.01)
    usual = found.critical(0.001, between=0.02, periods=4)
    assert usual == pytest.approx(chi2.isf(0.001, 7) * (0.01 + 0.02 * 1.25))


@pytest.mark.parametrize("rare", [0.0, 0.012, 0.03], ids=["deciles", "pooled cell", "rare cell"])
def test_without_change_the_critical_value_is_exceeded_as_often_as_it_says(rare: float) -> None:
    """6,000 pairs of samples of 250 and 3,000 leads: one in a hundred, give or take four standard errors."""
    random = np.random.default_rng(5)
    shares = np.array([rare, *[(1.0 - rare) / 9] * 9])
    raised = 0
    for _ in range(6000):
        found = compare_counts(random.multinomial(250, shares), random.multinomial(3000, shares))
        raised += found is not None and found.psi > found.critical(0.01)
    assert abs(raised / 6000 - 0.01) < 4.0 * math.sqrt(0.01 * 0.99 / 6000)


def test_what_always_moves_is_usual() -> None:
    """Campaigns that take turns have a large variance between fortnights; one that starts is no news."""
    random = np.random.default_rng(1)
    steady = [random.multinomial(200, [0.5, 0.3, 0.2]) for _ in range(9)]
    turns = [np.roll(np.array([140, 40, 20]), period // 3) for period in range(9)]
    assert between_periods(steady) < 0.01
    assert between_periods(turns) > 0.1
    found = compare_counts(np.array([20, 40, 140]), np.sum(turns, axis=0))
    assert found is not None
    assert found.psi > found.critical(0.001)
    assert found.psi < found.critical(0.001, between=between_periods(turns), periods=9)
    assert between_periods(steady[:1]) == 0.0


@given(st.integers(0, 60), st.integers(1, 60), st.integers(0, 60), st.integers(1, 200))
def test_unknown_values_are_judged_by_fishers_exact_test(
    unknown: int, known: int, unknown_before: int, known_before: int
) -> None:
    """One-sided: more unknown values than before."""
    chance = unknown_chance(unknown, unknown + known, unknown_before, unknown_before + known_before)
    expected = fisher_exact([[unknown, known], [unknown_before, known_before]], alternative="greater").pvalue
    assert chance == pytest.approx(expected, abs=1e-9)
