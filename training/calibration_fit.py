"""How calibration is learned: a line in log-odds with a slope shrunk towards 1, and the Venn-Abers interval.

Only the trainer imports this. What the numbers do when a lead is scored is calibration.py's.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from features.errors import InputError
from training.calibration import Calibration, CalibrationKind
from training.points import log_odds_to_probability, probability_to_log_odds
from training.venn_abers import venn_abers_table

FloatArray = npt.NDArray[np.float64]

SLOPE_PENALTY = 5.0
"""Half of what the squared change of slope costs, margins in standard deviations: as much as 20 leads at even
odds say about it, so that few leads leave the model's own spread and many find theirs."""
MAX_NEWTON_STEPS = 200
NEWTON_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sample:
    """Rows that count: margin, label (0.0 or 1.0) and weight above 0, each (n,)."""

    margin: FloatArray
    label: FloatArray
    weight: FloatArray

    @property
    def has_both_classes(self) -> bool:
        return bool(self.label.min() < self.label.max())


def fit_calibration(
    margin: npt.ArrayLike,
    label: npt.ArrayLike,
    weight: npt.ArrayLike,
    *,
    lead: npt.ArrayLike | None = None,
) -> Calibration:
    """Fit level and slope on margins of rows that the margin's model had not seen.

    The level is free, the slope is shrunk towards 1 by a ridge penalty, which needs no choice between a shift
    and a sigmoid. What is independent is a lead, never a row: all rows together weigh as much as there are
    leads, which is what smoothing, shrinking and the width of the interval depend on.

    Fitting uses Platt's smoothed targets (Platt 1999; Newton's method as in Lin, Lin and Weng 2007), so that
    separated classes give a finite answer. One class, one margin, or a slope not above 0 give a shift.

    Parameters
    ----------
    margin : (n,) raw margins of the model, log-odds.
    label : (n,) 0 or 1.
    weight : (n,) finite, at least 0; rows of weight 0 do not count.
    lead : (n,) which lead each row is a snapshot of; by default every row is a lead of its own.
    """
    sample = _read_sample(margin, label, weight, lead)
    calibration = _fit_line(sample) if sample.has_both_classes else _fit_shift(sample)
    return _with_interval(calibration, sample)


def _read_sample(
    margin: npt.ArrayLike, label: npt.ArrayLike, weight: npt.ArrayLike, lead: npt.ArrayLike | None
) -> _Sample:
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
    scaled = weights[kept] * (np.unique(leads[kept]).size / weights.sum())
    return _Sample(margin=margins[kept], label=labels[kept], weight=scaled)


def _fit_shift(sample: _Sample) -> Calibration:
    """Move the log-odds so that the expected wins equal the smoothed ones."""
    level = np.ones((sample.margin.size, 1))
    intercept = _newton(level, sample.margin, sample, penalty=np.zeros(1))[0]
    return Calibration(kind=CalibrationKind.SHIFT, intercept=float(intercept))


def _fit_line(sample: _Sample) -> Calibration:
    """Change the margins by a level and by a slope that costs; 0 is no change."""
    centre = float(np.average(sample.margin, weights=sample.weight))
    spread = float(np.sqrt(np.average((sample.margin - centre) ** 2, weights=sample.weight)))
    if spread <= NEWTON_TOLERANCE * max(1.0, abs(centre)):
        return _fit_shift(sample)
    standard = (sample.margin - centre) / spread
    design = np.column_stack([standard, np.ones_like(standard)])
    change, level = _newton(design, sample.margin, sample, penalty=np.array([SLOPE_PENALTY, 0.0]))
    slope = 1.0 + change / spread
    if slope <= 0.0:
        return _fit_shift(sample)
    return Calibration(
        kind=CalibrationKind.SIGMOID,
        slope=float(slope),
        intercept=float(level - change * centre / spread),
    )


def _smoothed_targets(sample: _Sample) -> FloatArray:
    """Platt's targets: the posterior means of the two classes under a uniform prior, by weight."""
    won = float(sample.weight @ sample.label)
    lost = float(sample.weight.sum()) - won
    return np.where(sample.label == 1.0, (won + 1.0) / (won + 2.0), 1.0 / (lost + 2.0))


def _newton(design: FloatArray, offset: FloatArray, sample: _Sample, *, penalty: FloatArray) -> FloatArray:
    """Minimise the penalised log loss of ``offset + design @ beta`` for smoothed targets; beta is (k,)."""
    target = _smoothed_targets(sample)

    def loss(beta: FloatArray) -> float:
        log_odds = offset + design @ beta
        losses = np.logaddexp(0.0, log_odds) - target * log_odds
        return float(sample.weight @ losses + penalty @ beta**2)

    beta = np.zeros(design.shape[1])
    current = loss(beta)
    for _ in range(MAX_NEWTON_STEPS):
        probability = log_odds_to_probability(offset + design @ beta)
        gradient = design.T @ (sample.weight * (probability - target)) + 2.0 * penalty * beta
        curvature = sample.weight * np.maximum(probability * (1.0 - probability), NEWTON_TOLERANCE)
        step = np.linalg.solve(
            (design.T * curvature) @ design + np.diag(2.0 * penalty + NEWTON_TOLERANCE), gradient
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
    """Add the Venn-Abers table, widened by one standard error of the level: few leads, wide intervals."""
    margin, low, high = venn_abers_table(sample.margin, sample.label, sample.weight)
    probability = calibration.apply(sample.margin)
    error = 1.0 / np.sqrt(max(float(sample.weight @ (probability * (1.0 - probability))), NEWTON_TOLERANCE))
    return replace(
        calibration,
        venn_abers_margin=margin,
        low=tuple(_moved(low, -error).tolist()),
        high=tuple(_moved(high, error).tolist()),
    )


def _moved(probability: tuple[float, ...], log_odds: float) -> FloatArray:
    """Return probabilities moved in log-odds; 0 and 1 stay what they are."""
    return log_odds_to_probability(probability_to_log_odds(np.array(probability)) + log_odds)
