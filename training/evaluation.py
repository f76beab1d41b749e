"""How well probabilities met what happened, with intervals that keep the snapshots of a lead together.

One resampling unit is a lead, never a row. Which numbers are good enough is decided in `training.gates`; what
happened month by month and slice by slice is counted in `training.groups`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from training.blas import one_blas_thread
from training.groups import (
    Group,
    MonthRow,
    ScoredPoints,
    SliceRow,
    Slicing,
    TenthRow,
    months_of,
    slices_of,
    tenths_of,
    whole_of,
)
from training.labels import Labels
from training.metrics import (
    BrierParts,
    brier_losses,
    calibration_in_the_large,
    decompose_brier,
    equal_mass_bins,
    expected_calibration_error,
    expected_to_real_wins,
    gain_of,
    log_losses,
    precision_of,
    roc_of,
    tie_rows,
    weighted_mean,
)
from training.outcomes import IntArray
from training.points import FloatArray

__all__ = [
    "Evaluation",
    "Interval",
    "MonthRow",
    "ScoredPoints",
    "SliceRow",
    "Slicing",
    "TenthRow",
    "evaluate",
    "lead_draws",
    "paired_log_loss_difference",
    "scored_points",
]

REPLICATES = 500
REPLICATES_AT_ONCE = 50
"""Bounds the memory of a bootstrap: 50 replicates of 100,000 rows are 40 MB."""
CONFIDENCE = 0.95
CALIBRATION_BINS = 10
BEST_SHARE, BETTER_SHARE = 0.1, 0.2
"""The best-scored tenth and fifth: what a team that cannot call everybody looks at."""

RAISED_BY_NOISE = frozenset({"ece"})
"""Metrics that resampling can only push up: noise in a bin adds to its distance whichever way it goes."""

Measure = Callable[[FloatArray], Mapping[str, FloatArray]]
"""Weights (n,) or (replicates, n) to metrics by name, each a number or one per replicate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value and its 95 % bootstrap interval over leads."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Metrics with intervals and the tables behind them; ``not_applicable`` names metrics without meaning."""

    snapshots: int
    leads: int
    won_snapshots: int
    metrics: tuple[tuple[str, Interval], ...]
    not_applicable: tuple[str, ...]
    brier_parts: BrierParts
    whole: Group
    months: tuple[MonthRow, ...]
    tenths: tuple[TenthRow, ...]
    slices: tuple[SliceRow, ...] = ()

    def metric(self, name: str) -> Interval | None:
        """Return one metric by name; None where it has no meaning for these points."""
        return dict(self.metrics).get(name)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values, metrics by name."""
        return {**asdict(self), "metrics": {name: asdict(interval) for name, interval in self.metrics}}


def scored_points(
    lead_index: IntArray,
    as_of_us: IntArray,
    labels: Labels,
    probability: FloatArray,
    *,
    prior_probability: float,
) -> ScoredPoints:
    """Keep the rows whose label is known."""
    known = labels.known
    return ScoredPoints(
        lead_index=lead_index[known],
        as_of_us=as_of_us[known],
        label=labels.label[known],
        weight=labels.weight[known],
        probability=probability[known],
        prior_probability=prior_probability,
    )


@one_blas_thread()
def evaluate(scored: ScoredPoints, *, seed: int, slicings: tuple[Slicing, ...] = ()) -> Evaluation:
    """Judge probabilities on known outcomes; the same seed gives the same intervals.

    ``slicings`` say by which attributes the rows of ``scored`` are told apart.
    """
    measured = _intervals(_measures(scored), scored, seed=seed)
    defined = tuple((name, each) for name, each in measured if not np.isnan(each.value))
    return Evaluation(
        snapshots=len(scored.label),
        leads=len(np.unique(scored.lead_index)),
        won_snapshots=int(scored.label.sum()),
        metrics=defined,
        not_applicable=tuple(name for name, each in measured if np.isnan(each.value)),
        brier_parts=decompose_brier(scored.label, scored.probability, scored.weight),
        whole=whole_of(scored),
        months=months_of(scored),
        tenths=tenths_of(scored),
        slices=slices_of(scored, slicings),
    )


def paired_log_loss_difference(first: ScoredPoints, second: ScoredPoints, *, seed: int) -> Interval:
    """Return mean log loss of `first` minus `second` on the same points; below 0 the first is better.

    Both are judged in the same draws of leads, so what makes a lead hard for both cancels out (Efron and
    Tibshirani 1993, "An introduction to the bootstrap", chapter 8).
    """
    difference = log_losses(first.label, first.probability) - log_losses(second.label, second.probability)
    return _intervals((lambda weight: {"": weighted_mean(difference, weight)},), first, seed=seed)[0][1]


def _measures(scored: ScoredPoints) -> tuple[Measure, ...]:
    return (_losses(scored), _ranking(scored), _calibration(scored))


def _losses(scored: ScoredPoints) -> Measure:
    label, probability = scored.label, scored.probability
    loss, brier = log_losses(label, probability), brier_losses(label, probability)
    prior_loss = log_losses(label, np.full(len(label), scored.prior_probability))

    def measure(weight: FloatArray) -> Mapping[str, FloatArray]:
        mean, prior = weighted_mean(loss, weight), weighted_mean(prior_loss, weight)
        return {
            "log_loss": mean,
            "log_loss_prior": prior,
            "log_loss_gain": prior - mean,
            "skill": 1.0 - mean / prior,
            "brier": weighted_mean(brier, weight),
        }

    return measure


def _ranking(scored: ScoredPoints) -> Measure:
    def measure(weight: FloatArray) -> Mapping[str, FloatArray]:
        tied = tie_rows(scored.label, scored.probability, weight)
        return {
            "auc": roc_of(tied),
            "average_precision": precision_of(tied),
            "lift_best_tenth": gain_of(tied, BEST_SHARE) / BEST_SHARE,
            "gain_best_fifth": gain_of(tied, BETTER_SHARE),
        }

    return measure


def _calibration(scored: ScoredPoints) -> Measure:
    label, probability = scored.label, scored.probability
    bins = equal_mass_bins(probability, scored.weight, n_bins=CALIBRATION_BINS)

    def measure(weight: FloatArray) -> Mapping[str, FloatArray]:
        return {
            "ece": expected_calibration_error(label, probability, weight, bins=bins),
            "calibration_in_the_large": calibration_in_the_large(label, probability, weight),
            "expected_to_real_wins": expected_to_real_wins(label, probability, weight),
            "win_rate": weighted_mean(label.astype(np.float64), weight),
        }

    return measure


def _intervals(
    measures: tuple[Measure, ...], scored: ScoredPoints, *, seed: int
) -> tuple[tuple[str, Interval], ...]:
    values = _measure_all(measures, scored.weight)
    chunks = [
        _measure_all(measures, scored.weight * drawn) for drawn in lead_draws(scored.lead_index, seed=seed)
    ]
    drawn = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in values}
    return tuple(
        (name, _interval(float(value), drawn[name], centred=name in RAISED_BY_NOISE))
        for name, value in values.items()
    )


def _measure_all(measures: tuple[Measure, ...], weight: FloatArray) -> dict[str, FloatArray]:
    return {name: value for measure in measures for name, value in measure(weight).items()}


def lead_draws(lead_index: IntArray, *, seed: int) -> Iterator[FloatArray]:
    """Yield how often each row is drawn, in chunks (REPLICATES_AT_ONCE, n): leads with replacement.

    The counts of a draw are multinomial: as many leads as there are, each equally likely (Efron 1979,
    doi 10.1214/aos/1176344552); all rows of a lead come with it.
    """
    leads, row_lead = np.unique(lead_index, return_inverse=True)
    random, n_leads = np.random.default_rng(seed), len(leads)
    starts = np.arange(REPLICATES_AT_ONCE)[:, None] * n_leads
    for _ in range(REPLICATES // REPLICATES_AT_ONCE):
        taken = starts + random.integers(0, n_leads, size=(REPLICATES_AT_ONCE, n_leads))
        counts = np.bincount(taken.ravel(), minlength=REPLICATES_AT_ONCE * n_leads)
        yield counts.reshape(REPLICATES_AT_ONCE, n_leads).astype(np.float64)[:, row_lead]


def _interval(value: float, drawn: FloatArray, *, centred: bool = False) -> Interval:
    """Return the percentile interval; replicates in which the metric has no meaning do not count.

    ``centred`` takes the bootstrap's own bias away first (Efron and Tibshirani 1993, section 10.3).
    """
    meaningful = drawn[~np.isnan(drawn)]
    if np.isnan(value) or len(meaningful) == 0:
        return Interval(value=np.nan, low=np.nan, high=np.nan)
    if centred:
        meaningful = np.maximum(meaningful - meaningful.mean() + value, 0.0)
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(meaningful, (tail, 1.0 - tail))
    return Interval(value=value, low=float(low), high=float(high))
