"""A model that adds one number per column: logistic regression over bins or straight lines, shrunken.

The scorecard gives every bin a number of its own; the linear model gives a numeric column a slope. Both are
ridge regressions (Hoerl and Kennard 1970), and both end as a value per bin, so that one table, one tree and
one sum say the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from training.candidates.binning import Codes, Cut, NumberCut, cut_levels, cut_line, cut_steps
from training.candidates.rows import Columns
from training.points import FloatArray, log_odds_to_probability

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MOST_STEPS = 200
TOLERANCE = 1e-7
"""The fit ends when a step lowers the penalised loss by less than this share of it."""
SMALLEST_CURVATURE = 1e-9
BASE_PENALTY = 1e-6
POOLED_ROWS = 1e-3
"""What an empty bin counts when neighbours are pooled: so little that it follows them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AdditiveModel:
    """``margin = intercept + sum of values[column][bin of the column]``; values (n_bins,) per column.

    ``counts`` are how many training rows each bin held.
    """

    intercept: float
    cuts: tuple[Cut, ...]
    values: tuple[FloatArray, ...]
    counts: tuple[Codes, ...]

    def margin(self, matrix: FloatArray) -> FloatArray:
        """Return log-odds of rows (n, n_columns), shape (n,)."""
        bins = [cut.bins(matrix[:, column]) for column, cut in enumerate(self.cuts)]
        return _margin(self.intercept, self.values, bins, len(matrix))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Design:
    """Columns cut and spread out for the regression.

    Attributes
    ----------
    bins : per column (n,): the bin of each row.
    bases : per column (n_bins, k): what each bin is in the k terms of the column.
    spread : sparse (n, all terms + 1), the last column being 1.
    """

    cuts: tuple[Cut, ...]
    bins: tuple[Codes, ...]
    bases: tuple[FloatArray, ...]
    counts: tuple[Codes, ...]
    monotone: tuple[int, ...]
    spread: "csr_array[Any, Any]"


def spread_out(matrix: FloatArray, columns: Columns, *, most_bins: int | None) -> Design:
    """Cut every column of (n, n_columns): free bins, or straight lines without `most_bins`."""
    from scipy.sparse import csr_array, hstack

    cuts = tuple(
        _cut(matrix[:, column], n_codes=n_codes, most_bins=most_bins)
        for column, n_codes in enumerate(columns.n_codes)
    )
    bins = tuple(cut.bins(matrix[:, column]) for column, cut in enumerate(cuts))
    counts = tuple(np.bincount(own, minlength=cut.n_bins) for own, cut in zip(bins, cuts, strict=True))
    bases = tuple(_basis(cut, count) for cut, count in zip(cuts, counts, strict=True))
    terms = [csr_array(base)[own] for base, own in zip(bases, bins, strict=True)]
    return Design(
        cuts=cuts,
        bins=bins,
        bases=bases,
        counts=counts,
        monotone=columns.monotone,
        spread=hstack([*terms, csr_array(np.ones((len(matrix), 1)))], format="csr"),
    )


def fit_additive(
    design: Design, label: FloatArray, weight: FloatArray, *, penalties: Sequence[float]
) -> tuple[AdditiveModel, ...]:
    """Fit one model per ridge penalty, strongest first, each starting where the last one ended.

    Parameters
    ----------
    label, weight : (n,) 0.0 or 1.0, and above 0.
    penalties : what half the sum of squared coefficients is multiplied with; descending.
    """
    rate = float(np.average(label, weights=weight))
    beta = np.zeros(design.spread.shape[1])
    beta[-1] = np.log(rate / (1.0 - rate))
    models = []
    for penalty in penalties:
        beta = _minimise(design, label, weight, penalty, beta)
        models.append(_as_agreed(_model(design, beta), design, label, weight))
    return tuple(models)


def _cut(values: FloatArray, *, n_codes: int, most_bins: int | None) -> Cut:
    if n_codes:
        return cut_levels(values, n_codes=n_codes)
    return cut_line(values) if most_bins is None else cut_steps(values, most_bins=most_bins)


def _basis(cut: Cut, counts: Codes) -> FloatArray:
    """Return the terms of a column, (n_bins, k): a slope and a step for missing, or a step per bin.

    A bin without rows gets no term and stays at 0; neither does a bin that holds every row.
    """
    steps = np.eye(cut.n_bins)[:, (counts > 0) & (counts < counts.sum())]
    if not isinstance(cut, NumberCut) or cut.line is None:
        return steps
    line = np.append(cut.line, 0.0)[:, np.newaxis]
    return np.hstack([line, steps[:, -1:]]) if 0 < counts[-1] < counts.sum() else line


def _minimise(
    design: Design, label: FloatArray, weight: FloatArray, penalty: float, start: FloatArray
) -> FloatArray:
    """Return the coefficients (k,) of the least penalised weighted log loss; the last one is free.

    L-BFGS (Liu and Nocedal 1989) in units of each coefficient's own curvature at the start.
    """
    from scipy.optimize import minimize

    spread, turned = design.spread, design.spread.T.tocsr()
    ridge = np.append(np.full(len(start) - 1, penalty), BASE_PENALTY)
    at_start = log_odds_to_probability(spread @ start)
    curvature = weight * np.maximum(at_start * (1.0 - at_start), SMALLEST_CURVATURE)
    unit = 1.0 / np.sqrt(turned.power(2) @ curvature + ridge)

    def loss(scaled: FloatArray) -> tuple[float, FloatArray]:
        beta = scaled * unit
        margin = spread @ beta
        wrong = weight * (log_odds_to_probability(margin) - label)
        total = weight @ (np.logaddexp(0.0, margin) - label * margin) + 0.5 * ridge @ beta**2
        return float(total), (turned @ wrong + ridge * beta) * unit

    options = {"maxiter": MOST_STEPS, "ftol": TOLERANCE, "gtol": 0.0}
    found = minimize(loss, start / unit, jac=True, method="L-BFGS-B", options=options)
    beta: FloatArray = found.x * unit
    return beta


def _model(design: Design, beta: FloatArray) -> AdditiveModel:
    ends = np.cumsum([base.shape[1] for base in design.bases])
    parts = np.split(beta[:-1], ends[:-1])
    values = tuple(base @ part for base, part in zip(design.bases, parts, strict=True))
    return AdditiveModel(intercept=float(beta[-1]), cuts=design.cuts, values=values, counts=design.counts)


def _as_agreed(model: AdditiveModel, design: Design, label: FloatArray, weight: FloatArray) -> AdditiveModel:
    """Make agreed directions hold, and the expected wins the real ones again."""
    if not any(design.monotone):
        return model
    values = tuple(
        directed(own, counts, direction) if direction else own
        for own, counts, direction in zip(model.values, model.counts, design.monotone, strict=True)
    )
    margin = _margin(model.intercept, values, design.bins, len(label))
    return AdditiveModel(
        intercept=model.intercept + level_shift(margin, label, weight),
        cuts=model.cuts,
        values=values,
        counts=model.counts,
    )


def directed(values: FloatArray, counts: Codes, direction: int) -> FloatArray:
    """Return values (n_bins,) whose bins but the missing one ascend (1) or descend (-1).

    Neighbours that go the wrong way are pooled by their rows (pooling adjacent violators).
    """
    pools: list[tuple[float, float, int]] = []
    for value, count in zip((values[:-1] * direction).tolist(), counts[:-1].tolist(), strict=True):
        pool = (value, max(float(count), POOLED_ROWS), 1)
        while pools and pools[-1][0] > pool[0]:
            before = pools.pop()
            rows = before[1] + pool[1]
            pool = ((before[0] * before[1] + pool[0] * pool[1]) / rows, rows, before[2] + pool[2])
        pools.append(pool)
    pooled = [value for value, _, n_bins in pools for _ in range(n_bins)]
    return np.append(np.array(pooled) * direction, values[-1])


def level_shift(margin: FloatArray, label: FloatArray, weight: FloatArray) -> float:
    """Return what to add to all log-odds so that the expected wins are the real ones (Newton's method)."""
    wins, shift = float(weight @ label), 0.0
    for _ in range(MOST_STEPS):
        probability = log_odds_to_probability(margin + shift)
        slope = float(weight @ (probability * (1.0 - probability)))
        step = float(np.clip((wins - weight @ probability) / max(slope, SMALLEST_CURVATURE), -1.0, 1.0))
        shift += step
        if abs(step) < TOLERANCE:
            break
    return shift


def _margin(intercept: float, values: Sequence[FloatArray], bins: Sequence[Codes], n_rows: int) -> FloatArray:
    total = np.full(n_rows, intercept)
    for own, of_rows in zip(values, bins, strict=True):
        total += own[of_rows]
    return total
