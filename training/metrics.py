"""How good probabilities are: a loss per row first, then a weighted mean. evaluation.py makes the intervals.

Every metric takes ``label`` (n,) of 0 and 1, ``probability`` (n,) in [0, 1] and ``weight`` (n,) or
(replicates, n), at least 0; it returns a number, or one per replicate. Ties in probability are shared, so no
value depends on the order of rows. Where a metric has no meaning (one class, no weight) the answer is NaN.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.points import FloatArray

SMALLEST_PROBABILITY = 1e-15
"""Probabilities are moved this far from 0 and 1 in the log loss, so that one sure mistake stays finite."""

NumberArray = npt.NDArray[np.number[Any]]
Result = FloatArray
"""Shape (): one number; or (replicates,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrierParts:
    """``brier == miscalibration - discrimination + uncertainty`` (Dimitriadis et al. 2021).

    Miscalibration (Murphy's reliability): lower is better, 0 is best. Discrimination (his resolution): higher
    is better, 0 says nothing. Uncertainty: what the base rate alone loses; no model changes it.
    """

    miscalibration: float
    discrimination: float
    uncertainty: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TiedRows:
    """Weights of wins and of others at each different probability, ascending, (..., n_different)."""

    won: FloatArray
    other: FloatArray


def log_losses(label: npt.ArrayLike, probability: FloatArray) -> FloatArray:
    """Return -log of the probability given to what happened, per row (n,); 0 is best, log 2 is a coin.

    ``-y log p - (1 - y) log(1 - p)``, strictly proper (Good 1952, "Rational decisions").
    """
    sure = np.clip(probability, SMALLEST_PROBABILITY, 1.0 - SMALLEST_PROBABILITY)
    return np.where(np.asarray(label) == 1, -np.log(sure), -np.log1p(-sure))


def brier_losses(label: npt.ArrayLike, probability: FloatArray) -> FloatArray:
    """Return squared errors per row (n,); 0 is best, 0.25 is a coin, 1 is the worst.

    ``(p - y)^2``, strictly proper (Brier 1950, "Verification of forecasts
    expressed in terms of probability").
    """
    return np.square(probability - np.asarray(label, dtype=np.float64))


def weighted_mean(per_row: FloatArray, weight: FloatArray) -> Result:
    """Return the mean of a value per row; NaN without weight."""
    total = weight.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(weight @ per_row / total)


def calibration_in_the_large(label: npt.ArrayLike, probability: FloatArray, weight: FloatArray) -> Result:
    """Return the mean probability minus the share of wins, in [-1, 1]; 0 is best, above 0 promises too much.

    ``sum w (p - y) / sum w``: the first of the two ways in which Cox (1958, "Two further applications of a
    model for binary regression") lets a forecast be wrong.
    """
    return weighted_mean(probability - np.asarray(label, dtype=np.float64), weight)


def expected_to_real_wins(label: npt.ArrayLike, probability: FloatArray, weight: FloatArray) -> Result:
    """Return expected wins over real wins, ``sum w p / sum w y``; 1 is best, above 1 promises too much.

    Calibration in the large in the words of a sales plan; NaN without a win.
    """
    won = weight @ np.asarray(label, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(won > 0.0, (weight @ probability) / won, np.nan)


def area_under_roc(label: npt.ArrayLike, probability: FloatArray, weight: FloatArray) -> Result:
    """Return the chance that a win scores above another lead, ties counting half; 1 best, 0.5 random.

    The Mann-Whitney statistic over all pairs (Hanley and McNeil 1982, doi 10.1148/radiology.143.1.7063747).
    Only the order of the probabilities counts; NaN with one class.
    """
    return roc_of(tie_rows(label, probability, weight))


def average_precision(label: npt.ArrayLike, probability: FloatArray, weight: FloatArray) -> Result:
    """Return the mean precision over the wins, best scores first; 1 best, the base rate random.

    ``sum (R_k - R_(k-1)) P_k`` over the different probabilities, descending: a step function, because a
    straight line between two points of a precision-recall curve promises too much (Davis and Goadrich 2006).
    Only the order of the probabilities counts; NaN without a win.
    """
    return precision_of(tie_rows(label, probability, weight))


def roc_of(tied: TiedRows) -> Result:
    """Return the area under the ROC curve of rows already ordered."""
    others_below = np.cumsum(tied.other, axis=-1) - tied.other
    pairs = (tied.won * (others_below + tied.other / 2.0)).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(pairs / (tied.won.sum(axis=-1) * tied.other.sum(axis=-1)))


def precision_of(tied: TiedRows) -> Result:
    """Return the average precision of rows already ordered."""
    won = np.flip(tied.won, axis=-1)
    won_so_far = np.cumsum(won, axis=-1)
    taken = won_so_far + np.cumsum(np.flip(tied.other, axis=-1), axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(taken > 0.0, won_so_far / taken, 0.0)
        return np.asarray((won * precision).sum(axis=-1) / won.sum(axis=-1))


def gain_of(tied: TiedRows, share: float) -> Result:
    """Return the share of all wins among the best-scored ``share`` of leads, 0 < share <= 1; ties pro rata.

    The height of the cumulative gain curve; ``share`` is what a random order gives, and ``gain / share`` is
    the lift. NaN without a win.
    """
    won, total = np.flip(tied.won, axis=-1), np.flip(tied.won + tied.other, axis=-1)
    taken = np.cumsum(total, axis=-1)
    room = share * taken[..., -1:] - (taken - total)
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(total > 0.0, np.clip(room / total, 0.0, 1.0), 0.0)
        return np.asarray((won * part).sum(axis=-1) / won.sum(axis=-1))


def tie_rows(label: npt.ArrayLike, probability: FloatArray, weight: FloatArray) -> TiedRows:
    """Add up the weights of rows with equal probability."""
    order = np.argsort(probability, kind="stable")
    starts = np.flatnonzero(np.diff(probability[order], prepend=-np.inf))
    won = np.asarray(label, dtype=np.float64)[order]
    ordered = weight[..., order]
    wins = np.add.reduceat(ordered * won, starts, axis=-1)
    return TiedRows(won=wins, other=np.add.reduceat(ordered * (1.0 - won), starts, axis=-1))


def equal_mass_bins(probability: FloatArray, weight: FloatArray, *, n_bins: int) -> npt.NDArray[np.int64]:
    """Return for each row (n,) the bin 0 … n_bins - 1 that holds it; bins weigh the same up to ties.

    Rows with equal probability share a bin: that of the middle of their weight.
    """
    different, place = np.unique(probability, return_inverse=True)
    mass = np.bincount(place, weights=weight, minlength=len(different))
    middle = (np.cumsum(mass) - mass / 2.0) / mass.sum()
    bins = np.clip((middle * n_bins).astype(np.int64), 0, n_bins - 1)
    return np.asarray(bins[place], dtype=np.int64)


def expected_calibration_error(
    label: npt.ArrayLike, probability: FloatArray, weight: FloatArray, *, bins: npt.NDArray[np.int64]
) -> Result:
    """Return the mean over rows of |mean probability - share of wins| of their bin; 0 is best, 1 the worst.

    ``sum over bins of |sum w (p - y)| / sum w`` (Naeini, Cooper and Hauskrecht 2015; bins of equal mass as
    Nixon et al. 2019 advise). ``bins`` (n,) come from `equal_mass_bins` and stay fixed over replicates.
    Noise alone raises it: intervals take that bias away.
    """
    order = np.argsort(bins, kind="stable")
    starts = np.flatnonzero(np.diff(bins[order], prepend=-1))
    error = (probability - np.asarray(label, dtype=np.float64))[order]
    gaps = np.abs(np.add.reduceat(weight[..., order] * error, starts, axis=-1)).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(gaps / weight.sum(axis=-1))


def decompose_brier(label: npt.ArrayLike, probability: FloatArray, weight: FloatArray) -> BrierParts:
    """Split the weighted mean Brier loss into what calibration, discrimination and chance contribute.

    With S the mean loss of the probabilities, C that of their isotonic recalibration and R that of the base
    rate: miscalibration ``S - C``, discrimination ``R - C``, uncertainty ``R`` (CORP; Dimitriadis, Gneiting
    and Jordan 2021, doi 10.1073/pnas.2016191118). They are the reliability, resolution and uncertainty of
    Murphy (1973), without a choice of bins. ``weight`` is (n,) here.
    """
    won = np.asarray(label, dtype=np.float64)
    base_rate = np.full(len(won), float(weighted_mean(won, weight)))
    recalibrated = isotonic_fit(won, probability, weight)
    losses = (brier_losses(won, each) for each in (probability, recalibrated, base_rate))
    given, best, constant = (float(weighted_mean(loss, weight)) for loss in losses)
    return BrierParts(miscalibration=given - best, discrimination=constant - best, uncertainty=constant)


def isotonic_fit(label: FloatArray, score: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the non-decreasing function of the score nearest to the labels, per row (n,), by pooling."""
    different, place = np.unique(score, return_inverse=True)
    mass = np.bincount(place, weights=weight, minlength=len(different))
    total = np.bincount(place, weights=weight * label, minlength=len(different))
    return _pool_adjacent_violators(total, mass)[place]


def _pool_adjacent_violators(total: NumberArray, mass: NumberArray) -> FloatArray:
    """Return pooled means of blocks (n,) that do not descend; a block without mass takes its neighbour's."""
    blocks: list[tuple[float, float, int]] = []
    for block_total, block_mass in zip(total.tolist(), mass.tolist(), strict=True):
        current = (block_total, block_mass, 1)
        while blocks and blocks[-1][0] * current[1] >= current[0] * blocks[-1][1]:
            last = blocks.pop()
            current = (last[0] + current[0], last[1] + current[1], last[2] + current[2])
        blocks.append(current)
    means = [block_total / block_mass if block_mass > 0.0 else 0.0 for block_total, block_mass, _ in blocks]
    return np.repeat(np.array(means), [size for _, _, size in blocks])


def gain_at(label: npt.ArrayLike, probability: FloatArray, weight: FloatArray, share: float) -> Result:
    """Return the share of all wins among the best-scored ``share`` of leads, 0 < share <= 1 (`gain_of`)."""
    if not 0.0 < share <= 1.0:
        raise ValueError(f"share must lie in (0, 1]; got {share!r}")
    return gain_of(tie_rows(label, probability, weight), share)


def spread_of_wins(probability: FloatArray, weight: FloatArray, lead_index: npt.NDArray[np.int64]) -> float:
    """Return the standard deviation of the weighted number of wins, if the probabilities are right.

    ``sqrt(sum over leads of (sum over its rows of w sqrt(p (1 - p)))^2)``. A right probability has variance
    ``p (1 - p)`` (Spiegelhalter 1986, doi 10.1002/sim.4780050506); the rows of one lead end nearly always
    alike, so they count as one observation: an upper bound by Cauchy and Schwarz, and exact for one row each.
    All arrays (n,).
    """
    _, place = np.unique(lead_index, return_inverse=True)
    per_lead = np.bincount(place, weights=weight * np.sqrt(probability * (1.0 - probability)))
    return float(np.sqrt(per_lead @ per_lead))
