"""The figures of the leakage guard against scikit-learn, SciPy, counted pairs and exact sums."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import normalized_mutual_info_score, roc_auc_score

from features.leakage.statistics import (
    PRIOR_LEADS,
    Rate,
    auc_of_same_time,
    out_of_fold_win_rates,
    rate_gap,
    rates_of_same_time,
    shared_information,
    wilson,
)

SEEDS = st.integers(0, 2**32 - 1)


def one_stratum(n_leads: int) -> np.ndarray:
    """Return leads that all came at the same time."""
    return np.zeros(n_leads, dtype=np.int64)


@given(leads=st.integers(1, 5000), share=st.floats(0, 1))
def test_wilson_is_scipy_s(leads: int, share: float) -> None:
    """The score interval of a share, for any count."""
    hits = round(share * leads)
    expected = stats.binomtest(hits, leads).proportion_ci(confidence_level=0.99, method="wilson")
    found = wilson(Rate(value=hits / leads, leads=leads), z=float(stats.norm.ppf(0.995)))
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_nothing_is_known_of_no_leads() -> None:
    """An empty group may have any rate."""
    assert wilson(Rate(value=0.0, leads=0.0)) == (0.0, 1.0)


@pytest.mark.parametrize(("first", "second"), [(0.3, 0.1), (0.5, 0.5), (0.9, 0.4), (0.05, 0.02)])
def test_the_bound_of_a_gap_holds_as_often_as_it_says(first: float, second: float) -> None:
    """Summed exactly over every outcome of 40 and 60 leads: it is above the true gap in less than 1.5 %."""
    n = (40, 60)
    chances = [stats.binom.pmf(np.arange(n[side] + 1), n[side], (first, second)[side]) for side in (0, 1)]
    wrong = sum(
        chances[0][a] * chances[1][b]
        for a, b in product(range(n[0] + 1), range(n[1] + 1))
        if rate_gap(Rate(value=a / n[0], leads=n[0]), Rate(value=b / n[1], leads=n[1])).low > first - second
    )
    assert wrong < 0.015


@given(seed=SEEDS, n_strata=st.integers(1, 4))
def test_rates_of_the_same_time_are_the_mantel_haenszel_ones(seed: int, n_strata: int) -> None:
    """Their difference is the pooled risk difference; with one stratum they are the plain rates."""
    rng = np.random.default_rng(seed)
    stratum = rng.integers(0, n_strata, 200)
    first, flag = rng.random(200) < 0.4, rng.random(200) < 0.3
    found = rates_of_same_time(flag, first, ~first, stratum)
    top, bottom = 0.0, 0.0
    for each in range(n_strata):
        here, there = first & (stratum == each), ~first & (stratum == each)
        if here.sum() and there.sum():
            weight = here.sum() * there.sum() / (here.sum() + there.sum())
            top += weight * (flag[here].mean() - flag[there].mean())
            bottom += weight
    assert found[0].value - found[1].value == pytest.approx(top / bottom)
    if n_strata == 1:
        assert found[0].value == pytest.approx(flag[first].mean())
        assert found[0].leads == pytest.approx(first.sum())
    assert found[0].leads <= first.sum() + 1e-9


def test_a_field_that_came_with_better_times_is_no_gap() -> None:
    """Old leads: no such field and few wins; new ones: always filled and many wins. Nothing at equal age."""
    new = np.repeat([False, True], 500)
    won = np.concatenate([np.arange(500) % 10 == 0, np.arange(500) % 10 != 0])
    plain = rates_of_same_time(new, won, ~won, one_stratum(1000))
    fair = rates_of_same_time(new, won, ~won, new.astype(np.int64))
    assert plain[0].value - plain[1].value == pytest.approx(0.8)
    assert fair[0].value - fair[1].value == pytest.approx(0.0)


def test_groups_that_never_met_cannot_be_compared() -> None:
    """A rate of no leads says nothing, and its bound neither."""
    first = np.array([True, True, False])
    rates = rates_of_same_time(first, first, ~first, np.array([0, 0, 1]))
    assert [rate.leads for rate in rates] == [0.0, 0.0]
    assert rate_gap(*rates).low < -0.9


@given(seed=SEEDS, levels=st.integers(1, 30), shift=st.floats(-2, 2))
def test_auc_is_scikit_learn_s(seed: int, levels: int, shift: float) -> None:
    """With ties and without, where all leads came at the same time."""
    rng = np.random.default_rng(seed)
    won = np.append(rng.random(80) < 0.3, [True, False])
    score = np.floor(levels * (rng.random(82) + shift * won))
    found = auc_of_same_time(score, won, one_stratum(82))
    assert found is not None
    assert found.value == pytest.approx(roc_auc_score(won, score))
    assert found.low <= found.value


@given(seed=SEEDS)
def test_auc_of_the_same_time_counts_pairs_within_strata(seed: int) -> None:
    """Against counting every pair of a won and another lead of one stratum."""
    rng = np.random.default_rng(seed)
    score, won, stratum = rng.integers(0, 6, 40).astype(float), rng.random(40) < 0.4, rng.integers(0, 3, 40)
    pairs = [
        (score[a] > score[b]) + 0.5 * (score[a] == score[b])
        for a, b in product(np.flatnonzero(won), np.flatnonzero(~won))
        if stratum[a] == stratum[b]
    ]
    found = auc_of_same_time(score, won, stratum)
    assert (found is None) == (not pairs)
    if found is not None:
        assert found.value == pytest.approx(np.mean(pairs))


def test_without_a_pair_there_is_no_auc() -> None:
    """Only won leads: nothing to tell apart."""
    assert auc_of_same_time(np.arange(3.0), np.ones(3, dtype=np.bool_), one_stratum(3)) is None


@pytest.mark.parametrize("n_strata", [1, 5])
@pytest.mark.parametrize("distance", [0.0, 1.0, 2.0])
def test_the_bound_of_an_auc_holds_as_often_as_it_says(distance: float, n_strata: int) -> None:
    """Two normal clouds have a known AUC; of 400 samples hardly one promises more."""
    true = stats.norm.cdf(distance / np.sqrt(2))
    too_high = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        won = rng.random(300) < 0.3
        found = auc_of_same_time(rng.normal(size=300) + distance * won, won, rng.integers(0, n_strata, 300))
        assert found is not None
        too_high += found.low > true
    assert too_high <= 8


@given(seed=SEEDS, levels=st.integers(1, 8))
def test_out_of_fold_rates_are_those_of_a_loop(seed: int, levels: int) -> None:
    """Each lead gets the rate of its level among the other folds, leaning on their general rate."""
    rng = np.random.default_rng(seed)
    code, won, fold = rng.integers(0, levels, 60), rng.random(60) < 0.3, rng.integers(0, 5, 60)
    found = out_of_fold_win_rates(code, won, fold)
    for lead in range(60):
        others = fold != fold[lead]
        same = others & (code == code[lead])
        general = won[others].mean()
        assert found[lead] == pytest.approx(
            (won[same].sum() + PRIOR_LEADS * general) / (same.sum() + PRIOR_LEADS)
        )


def test_a_level_of_its_own_for_every_lead_tells_nothing() -> None:
    """What would separate all leads within the sample has no AUC among other leads."""
    rng = np.random.default_rng(0)
    won, fold = rng.random(2000) < 0.3, rng.integers(0, 5, 2000)
    found = auc_of_same_time(out_of_fold_win_rates(np.arange(2000), won, fold), won, one_stratum(2000))
    assert found is not None
    assert found.value < 0.55


@given(seed=SEEDS, levels=st.integers(2, 6), noise=st.floats(0, 1))
def test_shared_information_is_scikit_learn_s(seed: int, levels: int, noise: float) -> None:
    """Mutual information over the larger entropy."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, levels, 100)
    second = np.where(rng.random(100) < noise, rng.integers(0, levels, 100), levels - 1 - first)
    expected = normalized_mutual_info_score(first, second, average_method="max")
    assert shared_information(first, second) == pytest.approx(expected, abs=1e-9)


def test_two_constants_share_nothing() -> None:
    """Nothing is known of one, so the other cannot tell it."""
    assert shared_information(np.zeros(5, dtype=np.int64), np.zeros(5, dtype=np.int64)) == 0.0
