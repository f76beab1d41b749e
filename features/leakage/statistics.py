"""The figures behind the findings: rates with intervals, AUC with its error, win rates of levels.

Pure: arrays in, numbers out, whatever the order of rows and the names of levels. What is too much is decided
by the checks.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

Z_ONE_IN_A_HUNDRED = 2.576
"""Two-sided 99 %: a bound holds for 99 of 100 columns, and limits far from chance protect the rest."""
PRIOR_LEADS = 10.0
"""A level's win rate leans on the general one as if it had so many more leads: fewer than ten tell little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share of leads: its value, and of how many leads (a float: weights make fewer of them count)."""

    value: float
    leads: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounded:
    """An estimate and the bound it is above with 99 % confidence."""

    value: float
    low: float


def wilson(rate: Rate, *, z: float = Z_ONE_IN_A_HUNDRED) -> tuple[float, float]:
    """Return the score interval of a share (Wilson 1927, doi 10.1080/01621459.1927.10502953).

    (0, 1) for no leads: nothing is known.
    """
    if rate.leads <= 0.0:
        return 0.0, 1.0
    weight = z * z / rate.leads
    middle = (rate.value + weight / 2.0) / (1.0 + weight)
    spread = rate.value * (1.0 - rate.value) + weight / 4.0
    half = z * np.sqrt(spread / rate.leads) / (1.0 + weight)
    return float(max(middle - half, 0.0)), float(min(middle + half, 1.0))


def rate_gap(first: Rate, second: Rate) -> Bounded:
    """Return first minus second with a lower bound (Newcombe 1998, Statistics in Medicine 17, method 10)."""
    gap = first.value - second.value
    below = first.value - wilson(first)[0]
    above = wilson(second)[1] - second.value
    return Bounded(value=gap, low=gap - float(np.hypot(below, above)))


def rates_of_same_time(
    flag: BoolArray, first: BoolArray, second: BoolArray, stratum: IntArray
) -> tuple[Rate, Rate]:
    """Return how often a flag is set in two groups of leads that came at the same time.

    All arrays (n,). Strata are weighted as by Mantel and Haenszel, n1 n2 / (n1 + n2), so that a stratum in
    which one group is missing has no say; the leads are those of an unweighted rate with the same variance.
    With one stratum these are the plain rates.
    """
    counts = [_per_stratum(stratum, group) for group in (first, second)]
    hits = [_per_stratum(stratum, group & flag) for group in (first, second)]
    both = (counts[0] > 0) & (counts[1] > 0)
    if not both.any():
        return Rate(value=0.0, leads=0.0), Rate(value=0.0, leads=0.0)
    n, k = ([each[both] for each in pair] for pair in (counts, hits))
    weight = n[0] * n[1] / (n[0] + n[1])
    weight /= weight.sum()
    rates = [
        Rate(value=float(weight @ (k[side] / n[side])), leads=float(1.0 / (weight**2 / n[side]).sum()))
        for side in (0, 1)
    ]
    return rates[0], rates[1]


def _per_stratum(stratum: IntArray, flag: BoolArray) -> FloatArray:
    n_strata = int(stratum.max(initial=0)) + 1
    return np.bincount(stratum, weights=flag.astype(np.float64), minlength=n_strata).astype(np.float64)


def auc_of_same_time(score: FloatArray, won: BoolArray, stratum: IntArray) -> Bounded | None:
    """Return how often the won one of two leads that came at the same time scores higher; ties are half.

    All arrays (n,), score without NaN; with one stratum it is the area under the ROC curve. The bound rests
    on the error by Hanley and McNeil 1982 (doi 10.1148/radiology.143.1.7063747). None when no two leads can
    be compared.
    """
    pairs, weighted, variance = 0.0, 0.0, 0.0
    for each in np.unique(stratum):
        inside = stratum == each
        n_won = float(won[inside].sum())
        n_other = float(inside.sum()) - n_won
        if n_won and n_other:
            auc = _auc(score[inside], won[inside])
            size = n_won * n_other
            pairs += size
            weighted += size * auc
            variance += size * size * _hanley_mcneil(auc, n_won, n_other)
    if not pairs:
        return None
    value = weighted / pairs
    return Bounded(value=value, low=value - Z_ONE_IN_A_HUNDRED * float(np.sqrt(variance)) / pairs)


def _auc(score: FloatArray, won: BoolArray) -> float:
    """Return the area by mean ranks (Mann and Whitney 1947)."""
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(count) - (count - 1) / 2.0
    n_won = int(won.sum())
    return float((mean_rank[place][won].sum() - n_won * (n_won + 1) / 2.0) / (n_won * (len(won) - n_won)))


def _hanley_mcneil(auc: float, n_won: float, n_other: float) -> float:
    """Return the variance of an AUC."""
    two_won, two_others = auc / (2.0 - auc), 2.0 * auc * auc / (1.0 + auc)
    spread = (
        auc * (1.0 - auc) + (n_won - 1) * (two_won - auc * auc) + (n_other - 1) * (two_others - auc * auc)
    )
    return max(spread, 0.0) / (n_won * n_other)


def out_of_fold_win_rates(code: IntArray, won: BoolArray, fold: IntArray) -> FloatArray:
    """Return for each lead the win rate of its level among the leads of the other folds, (n,).

    A lead says nothing about itself, so that many levels do not look like knowledge. `code` is int64 from 0.
    """
    n_folds = int(fold.max(initial=0)) + 1
    cell = code * n_folds + fold
    n_levels = int(code.max(initial=0)) + 1
    leads, wins = (
        np.bincount(cell, weights=each, minlength=n_levels * n_folds).reshape(n_levels, n_folds)
        for each in (np.ones(len(won)), won)
    )
    leads, wins = leads.sum(axis=1, keepdims=True) - leads, wins.sum(axis=1, keepdims=True) - wins
    general = wins.sum(axis=0) / np.maximum(leads.sum(axis=0), 1.0)
    rates: FloatArray = ((wins + PRIOR_LEADS * general) / (leads + PRIOR_LEADS)).ravel()[cell]
    return rates


def shared_information(first: IntArray, second: IntArray) -> float:
    """Return how much two columns tell of each other: mutual information over the larger entropy, 0 to 1.

    1 when each level of one is one level of the other, whatever they are called. Codes are int64 (n,) from 0;
    two constants tell nothing, which is 0.
    """
    step = int(second.max(initial=0)) + 1
    entropies = [_entropy(each) for each in (first, second, first * step + second)]
    largest = max(entropies[:2])
    return (entropies[0] + entropies[1] - entropies[2]) / largest if largest > 0.0 else 0.0


def _entropy(code: IntArray) -> float:
    share = np.unique(code, return_counts=True)[1] / max(len(code), 1)
    return float(-(share * np.log(share)).sum())
