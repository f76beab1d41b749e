"""How calibration is learned: shift or sigmoid by held-out log loss, and the Venn-Abers interval.

Only the trainer imports this. What the numbers do when a lead is scored is calibration.py's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from features.errors import InputError
from training.calibration import Calibration, CalibrationKind
from training.points import log_odds_to_probability
from training.venn_abers import venn_abers_table

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.int64]

N_FOLDS = 5
MAX_NEWTON_STEPS = 200
NEWTON_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sample:
    """Rows that count: margin, label (0.0 or 1.0), weight above 0 and the lead 0 … m - 1, each (n,)."""

    margin: FloatArray
    label: FloatArray
    weight: FloatArray
    lead: IndexArray

    def take(self, rows: IndexArray) -> "_Sample":
        return _Sample(
            margin=self.margin[rows],
            label=self.label[rows],
            weight=self.weight[rows],
            lead=self.lead[rows],
        )

    @property
    def has_both_classes(self) -> bool:
        return bool(self.label.min() < self.label.max())


def fit_calibration(
    margin: npt.ArrayLike,
    label: npt.ArrayLike,
    weight: npt.ArrayLike,
    *,
    order: npt.ArrayLike | None = None,
    lead: npt.ArrayLike | None = None,
) -> Calibration:
    """Choose and fit a calibration on rows the model was not trained on.

    Shift and sigmoid are fitted on the older half of the leads and judged by log loss on the newer half;
    without an order by stratified 5-fold. The shift is taken when it is within one standard error, and the
    choice is refitted on all rows. "None" does not compete: candidates are chosen after a free shift, so
    their level was never judged. What is independent is a lead, never a row: the snapshots of one lead stay
    on one side and are one term of the standard error, and all rows together weigh as much as there are
    leads, which is what smoothing and the width of the interval depend on.

    Fitting uses Platt's smoothed targets (Platt 1999; Newton's method as in Lin, Lin and Weng 2007), so one
    class or separated classes give a finite answer; a slope that is not above 0 becomes a shift.

    Parameters
    ----------
    margin : (n,) raw margins of the model, log-odds.
    label : (n,) 0 or 1.
    weight : (n,) finite, at least 0; rows of weight 0 do not count.
    order : (n,) anything sortable, older first; None when rows have no order in time.
    lead : (n,) which lead each row is a snapshot of; by default every row is a lead of its own.
    """
    sample, kept = _read_sample(margin, label, weight, lead)
    if not sample.has_both_classes:
        return _with_interval(_fit_shift(sample), sample)
    ranks = None if order is None else np.unique(np.asarray(order)[kept], return_inverse=True)[1]
    folds = [(sample.take(fitted), sample.take(judged)) for fitted, judged in _folds(sample, ranks)]
    losses = [np.concatenate([_row_losses(fit(fitted), judged) for fitted, judged in folds]) for fit in _FITS]
    judged_rows = sample.take(np.concatenate([judged for _, judged in _folds(sample, ranks)]))
    return _with_interval(_FITS[_simplest_good(losses, judged_rows)](sample), sample)


def _read_sample(
    margin: npt.ArrayLike, label: npt.ArrayLike, weight: npt.ArrayLike, lead: npt.ArrayLike | None
) -> tuple[_Sample, npt.NDArray[np.bool_]]:
    values = [np.asarray(part, dtype=np.float64) for part in (margin, label, weight)]
    margins, labels, weights = values
    if margins.ndim != 1 or not margins.shape == labels.shape == weights.shape:
        shapes = [value.shape for value in values]
        raise InputError(f"calibration: margin, label and weight must be equally long; got {shapes}")
    if not np.isfinite(margins).all() or not np.isin(labels, (0.0, 1.0)).all():
        raise InputError("calibration: margins must be finite and labels 0 or 1")
    if not np.isfinite(weights).all() or (weights < 0.0).any():
        raise InputError("calibration: weights must be finite and at least 0")
    kept = weights > 0.0
    if not kept.any():
        raise InputError("calibration: at least one row must have a weight above 0; got none")
    leads = np.arange(margins.size) if lead is None else np.asarray(lead)
    different, own = np.unique(leads[kept], return_inverse=True)
    scaled = weights[kept] * (different.size / weights.sum())
    return _Sample(margin=margins[kept], label=labels[kept], weight=scaled, lead=own), kept


def _folds(sample: _Sample, ranks: IndexArray | None) -> Iterator[tuple[IndexArray, IndexArray]]:
    """Yield (fitted, judged) rows: older and newer half of leads, or five parts that deal out each class."""
    first_row = np.unique(sample.lead, return_index=True)[1]
    n_leads = first_row.size
    fold = np.empty(n_leads, dtype=np.int64)
    if ranks is not None:
        oldest = np.full(n_leads, ranks.max(), dtype=np.int64)
        np.minimum.at(oldest, sample.lead, ranks)
        fold[np.argsort(oldest, kind="stable")] = np.arange(n_leads) >= n_leads // 2
        yield np.flatnonzero(fold[sample.lead] == 0), np.flatnonzero(fold[sample.lead] == 1)
        return
    dealt = np.lexsort((sample.margin[first_row], sample.label[first_row]))
    fold[dealt] = np.arange(n_leads) % N_FOLDS
    for number in range(min(N_FOLDS, n_leads)):
        yield np.flatnonzero(fold[sample.lead] != number), np.flatnonzero(fold[sample.lead] == number)


def _row_losses(calibration: Calibration, sample: _Sample) -> FloatArray:
    """Return the log loss of every row, (n,), natural logarithm."""
    log_odds = calibration.slope * sample.margin + calibration.intercept
    return np.logaddexp(0.0, log_odds) - sample.label * log_odds


def _simplest_good(losses: Sequence[FloatArray], judged: _Sample) -> int:
    """Return the first candidate whose mean loss is within one standard error of the best one's.

    The error is that of the weighted mean of the paired differences, leads being independent: leads are hard
    for all alike.
    """
    share = judged.weight / judged.weight.sum()
    means = [float(share @ loss) for loss in losses]
    best = int(np.argmin(means))
    for candidate, loss in enumerate(losses):
        difference = loss - losses[best]
        excess = means[candidate] - means[best]
        if excess <= np.sqrt(np.sum(np.bincount(judged.lead, share * (difference - excess)) ** 2)):
            return candidate
    return best


def _fit_shift(sample: _Sample) -> Calibration:
    """Move the log-odds so that the expected wins equal the smoothed ones."""
    intercept = _newton(np.ones((sample.margin.size, 1)), sample.margin, sample)[0]
    return Calibration(kind=CalibrationKind.SHIFT, intercept=float(intercept))


def _fit_sigmoid(sample: _Sample) -> Calibration:
    centre = float(np.average(sample.margin, weights=sample.weight))
    spread = float(np.sqrt(np.average((sample.margin - centre) ** 2, weights=sample.weight)))
    if spread <= NEWTON_TOLERANCE * max(1.0, abs(centre)):
        return _fit_shift(sample)
    standard = (sample.margin - centre) / spread
    slope, level = _newton(
        np.column_stack([standard, np.ones_like(standard)]), np.zeros_like(standard), sample
    )
    if slope <= 0.0:
        return _fit_shift(sample)
    return Calibration(
        kind=CalibrationKind.SIGMOID,
        slope=float(slope / spread),
        intercept=float(level - slope * centre / spread),
    )


_FITS = (_fit_shift, _fit_sigmoid)


def _smoothed_targets(sample: _Sample) -> FloatArray:
    """Platt's targets: the posterior means of the two classes under a uniform prior, by weight."""
    won = float(sample.weight @ sample.label)
    lost = float(sample.weight.sum()) - won
    return np.where(sample.label == 1.0, (won + 1.0) / (won + 2.0), 1.0 / (lost + 2.0))


def _newton(design: FloatArray, offset: FloatArray, sample: _Sample) -> FloatArray:
    """Minimise the weighted log loss of ``offset + design @ beta`` against smoothed targets; beta is (k,)."""
    target = _smoothed_targets(sample)

    def loss(beta: FloatArray) -> float:
        log_odds = offset + design @ beta
        return float(sample.weight @ (np.logaddexp(0.0, log_odds) - target * log_odds))

    beta = np.zeros(design.shape[1])
    current = loss(beta)
    for _ in range(MAX_NEWTON_STEPS):
        probability = log_odds_to_probability(offset + design @ beta)
        gradient = design.T @ (sample.weight * (probability - target))
        curvature = sample.weight * np.maximum(probability * (1.0 - probability), NEWTON_TOLERANCE)
        step = np.linalg.solve(
            (design.T * curvature) @ design + NEWTON_TOLERANCE * np.eye(beta.size), gradient
        )
        scale = 1.0
        while loss(beta - scale * step) > current and scale > NEWTON_TOLERANCE:
            scale /= 2.0
        beta = beta - scale * step
        previous, current = current, loss(beta)
        if previous - current <= NEWTON_TOLERANCE * abs(current):
            break
    return beta


def _with_interval(calibration: Calibration, sample: _Sample) -> Calibration:
    margin, low, high = venn_abers_table(sample.margin, sample.label, sample.weight)
    return replace(calibration, venn_abers_margin=margin, low=low, high=high)
