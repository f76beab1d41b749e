"""How well probabilities met what happened, with intervals that keep the snapshots of a lead together.

One resampling unit is a lead, never a row. Which numbers are good enough is decided in `training.gates`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.labels import Labels
from training.metrics import (
    BrierParts,
    area_under_roc,
    average_precision,
    brier_losses,
    calibration_in_the_large,
    decompose_brier,
    equal_mass_bins,
    expected_calibration_error,
    expected_to_real_wins,
    gain_at,
    log_losses,
    weighted_mean,
)
from training.outcomes import IntArray
from training.points import FloatArray

REPLICATES = 500
REPLICATES_AT_ONCE = 50
"""Bounds the memory of a bootstrap: 50 replicates of 100,000 rows are 40 MB."""
CONFIDENCE = 0.95
CALIBRATION_BINS = 10
TENTHS = 10

RAISED_BY_NOISE = frozenset({"ece"})
"""Metrics that resampling can only push up: noise in a bin adds to its distance whichever way it goes."""

Metric = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value and its 95 % bootstrap interval over leads."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoredPoints:
    """What is judged, one row per snapshot with a known label, each array (n,).

    ``lead_index`` says which rows belong to one lead; ``as_of_us`` is 0 without times; ``prior_probability``
    is the base rate that somebody without a model would have given.
    """

    lead_index: IntArray
    as_of_us: IntArray
    label: npt.NDArray[np.int8]
    weight: FloatArray
    probability: FloatArray
    prior_probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthRow:
    """Expected against real wins of the snapshots of one calendar month (UTC), both weighted."""

    month: str
    snapshots: int
    expected_wins: float
    real_wins: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TenthRow:
    """One tenth of the snapshots, 1 = best scores: what was promised, what came, and the gain up to here."""

    tenth: int
    snapshots: int
    mean_probability: float
    win_rate: float
    gain: float
    lift: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Metrics with intervals and the tables behind them; ``not_applicable`` names metrics without meaning."""

    snapshots: int
    leads: int
    won_snapshots: int
    metrics: tuple[tuple[str, Interval], ...]
    not_applicable: tuple[str, ...]
    brier_parts: BrierParts
    months: tuple[MonthRow, ...]
    tenths: tuple[TenthRow, ...]

    def metric(self, name: str) -> Interval | None:
        """Return one metric by name; None where it has no meaning for these points."""
        return dict(self.metrics).get(name)


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


def evaluate(scored: ScoredPoints, *, seed: int) -> Evaluation:
    """Judge probabilities on known outcomes; the same seed gives the same intervals."""
    measured = _intervals(_metrics(scored), scored, seed=seed)
    defined = tuple((name, each) for name, each in measured if not np.isnan(each.value))
    return Evaluation(
        snapshots=len(scored.label),
        leads=len(np.unique(scored.lead_index)),
        won_snapshots=int(scored.label.sum()),
        metrics=defined,
        not_applicable=tuple(name for name, each in measured if np.isnan(each.value)),
        brier_parts=decompose_brier(scored.label, scored.probability, scored.weight),
        months=_months(scored),
        tenths=_tenths(scored),
    )


def paired_log_loss_difference(first: ScoredPoints, second: ScoredPoints, *, seed: int) -> Interval:
    """Return mean log loss of `first` minus `second` on the same points; below 0 the first is better."""
    difference = log_losses(first.label, first.probability) - log_losses(second.label, second.probability)
    metrics = {"difference": lambda weight: weighted_mean(difference, weight)}
    return _intervals(metrics, first, seed=seed)[0][1]


def _metrics(scored: ScoredPoints) -> dict[str, Metric]:
    label, probability = scored.label, scored.probability
    loss = log_losses(label, probability)
    prior_loss = log_losses(label, np.full(len(label), scored.prior_probability))
    brier = brier_losses(label, probability)
    bins = equal_mass_bins(probability, scored.weight, n_bins=CALIBRATION_BINS)
    return {
        "log_loss": lambda weight: weighted_mean(loss, weight),
        "log_loss_prior": lambda weight: weighted_mean(prior_loss, weight),
        "log_loss_gain": lambda weight: weighted_mean(prior_loss - loss, weight),
        "skill": lambda weight: 1.0 - weighted_mean(loss, weight) / weighted_mean(prior_loss, weight),
        "brier": lambda weight: weighted_mean(brier, weight),
        "auc": lambda weight: area_under_roc(label, probability, weight),
        "average_precision": lambda weight: average_precision(label, probability, weight),
        "ece": lambda weight: expected_calibration_error(label, probability, weight, bins=bins),
        "calibration_in_the_large": lambda weight: calibration_in_the_large(label, probability, weight),
        "expected_to_real_wins": lambda weight: expected_to_real_wins(label, probability, weight),
        "win_rate": lambda weight: weighted_mean(label.astype(np.float64), weight),
    }


def _intervals(
    metrics: dict[str, Metric], scored: ScoredPoints, *, seed: int
) -> tuple[tuple[str, Interval], ...]:
    replicates = [
        [metric(scored.weight * drawn) for metric in metrics.values()]
        for drawn in _lead_draws(scored.lead_index, seed=seed)
    ]
    drawn_values = [np.concatenate(chunks) for chunks in zip(*replicates, strict=True)]
    return tuple(
        (name, _interval(float(metric(scored.weight)), drawn, centred=name in RAISED_BY_NOISE))
        for (name, metric), drawn in zip(metrics.items(), drawn_values, strict=True)
    )


def _lead_draws(lead_index: IntArray, *, seed: int) -> Iterator[FloatArray]:
    """Yield how often each row is drawn, in chunks (REPLICATES_AT_ONCE, n): leads with replacement.

    Poisson(1) counts per lead stand in for drawing exactly n leads, which is the same for more than a hundred
    leads (Hanley and MacGibbon 2006) and needs no draw per row.
    """
    leads, row_lead = np.unique(lead_index, return_inverse=True)
    random = np.random.default_rng(seed)
    for _ in range(REPLICATES // REPLICATES_AT_ONCE):
        yield random.poisson(1.0, size=(REPLICATES_AT_ONCE, len(leads))).astype(np.float64)[:, row_lead]


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


def _months(scored: ScoredPoints) -> tuple[MonthRow, ...]:
    if not scored.as_of_us.any():
        return ()
    month = scored.as_of_us.astype("datetime64[us]").astype("datetime64[M]")
    return tuple(_month_row(str(each), scored, month == each) for each in np.unique(month))


def _month_row(month: str, scored: ScoredPoints, chosen: npt.NDArray[np.bool_]) -> MonthRow:
    weight = scored.weight[chosen]
    return MonthRow(
        month=month,
        snapshots=int(chosen.sum()),
        expected_wins=float(weight @ scored.probability[chosen]),
        real_wins=float(weight @ scored.label[chosen]),
    )


def _tenths(scored: ScoredPoints) -> tuple[TenthRow, ...]:
    """Return up to ten rows, best scores first; tied scores share a tenth, so there may be fewer."""
    tenth = TENTHS - equal_mass_bins(scored.probability, scored.weight, n_bins=TENTHS)
    return tuple(_tenth_row(int(each), scored, tenth) for each in np.unique(tenth))


def _tenth_row(tenth: int, scored: ScoredPoints, tenths: IntArray) -> TenthRow:
    chosen = tenths == tenth
    share = float(scored.weight[tenths <= tenth].sum() / scored.weight.sum())
    gain = float(gain_at(scored.label, scored.probability, scored.weight, share))
    return TenthRow(
        tenth=tenth,
        snapshots=int(chosen.sum()),
        mean_probability=float(weighted_mean(scored.probability[chosen], scored.weight[chosen])),
        win_rate=float(weighted_mean(scored.label[chosen].astype(np.float64), scored.weight[chosen])),
        gain=gain,
        lift=gain / share,
    )
