"""Which models are tried, in which order, and how good each is on the folds. What is chosen is `choice.py`'s.

The plan is fixed: same rows and seed, same trials. A budget only cuts it short, which is said.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from training.candidates.additive import Design, fit_additive, spread_out
from training.candidates.boosting import SHAPES, OutOfTimeError, TreeShape, WatchedFit, binned, fit_watched
from training.candidates.candidate import PENALTIES, Additive, BoostedTrees, Candidate, Prior
from training.candidates.folds import Fold
from training.candidates.rows import Columns, TrainingRows, recency_weights
from training.metrics import weighted_mean
from training.outcomes import IntArray
from training.points import FloatArray, probability_to_log_odds

if TYPE_CHECKING:
    import lightgbm

HALF_LIVES = (0.5, 0.2, 0.08)
"""Shares of all rows after which a row counts half; tried from the longest on, as long as it helps."""
SCORECARD_BINS = (8, 16)
LEAST_MINORITY_FOR_TREES = 40
"""Wins or others, whichever are fewer: below, trees have nothing to split and are not tried."""
MOST_BOOSTED_TREES = 600
SEEDS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """A model and its margins of all judged rows, (n_judged,), each by a fit that had not seen the row."""

    candidate: Candidate
    margin: FloatArray
    validation_log_loss: float

    @property
    def rounds(self) -> int:
        """Boosted trees per seed; 0 for a model without any."""
        return self.candidate.rounds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """The judged rows of all folds, one after the other.

    ``importance`` (n_judged,) weighs losses, ``fold`` (n_judged,) is which fold judged a row.
    """

    rows: TrainingRows
    importance: FloatArray
    fold: IntArray

    def losses(self, margin: FloatArray) -> FloatArray:
        """Return the log loss of each row, (n_judged,)."""
        losses: FloatArray = np.logaddexp(0.0, margin) - self.rows.label * margin
        return losses

    def trial(self, candidate: Candidate, margin: FloatArray) -> Trial:
        """Return a trial with its mean loss."""
        loss = float(weighted_mean(self.losses(margin), self.importance))
        return Trial(candidate=candidate, margin=margin, validation_log_loss=loss)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Search:
    """Everything that was tried, and whether the budget ended before the plan."""

    judged: Judged
    trials: tuple[Trial, ...]
    cut_short: bool

    def best(self, *families: str) -> Trial | None:
        """Return the best trial of some families, the earliest of equals; None when there is none."""
        ours = [trial for trial in self.trials if trial.candidate.name in families]
        return min(ours, key=lambda trial: trial.validation_log_loss, default=None)


def search(
    rows: TrainingRows,
    columns: Columns,
    folds: Sequence[Fold],
    *,
    seed: int,
    seconds_left: Callable[[], float],
    only_scorecards: bool = False,
) -> Search:
    """Try the plan on the folds; base rate and first scorecard are tried however little time is left.

    With `only_scorecards` neither lines nor trees are tried.
    """
    bench = _Bench(rows, columns, folds, seed, seconds_left)
    bench.try_prior()
    bench.try_additive(SCORECARD_BINS[0], None, PENALTIES)
    try:
        bench.check_time()
        if not only_scorecards:
            _try_one_of_each(bench)
        _try_scorecards(bench)
        if not only_scorecards:
            _shorten_lines(bench)
            _try_trees(bench)
    except OutOfTimeError:
        return Search(judged=bench.judged, trials=tuple(bench.trials), cut_short=True)
    return Search(judged=bench.judged, trials=tuple(bench.trials), cut_short=False)


def _try_one_of_each(bench: "_Bench") -> None:
    """Try lines and the simplest trees first, so that a short budget has seen every kind."""
    bench.try_additive(None, None, PENALTIES)
    if _has_enough_for_trees(bench.rows):
        bench.try_trees(SHAPES[0], None)


def _try_scorecards(bench: "_Bench") -> None:
    """Try more bins, and the better number of them with ever shorter half-lives."""
    for most_bins in SCORECARD_BINS[1:]:
        bench.try_additive(most_bins, None, PENALTIES)
    best = min(map(bench.best_additive, SCORECARD_BINS), key=lambda trial: trial.validation_log_loss)
    _shorten(bench, best, partial(bench.retry_additive, best.candidate))


def _shorten_lines(bench: "_Bench") -> None:
    """Try the best lines with ever shorter half-lives."""
    best = bench.best_additive(None)
    _shorten(bench, best, partial(bench.retry_additive, best.candidate))


def _try_trees(bench: "_Bench") -> None:
    """Try the other shapes, the best with shorter half-lives, and its neighbours with the best of these."""
    if not _has_enough_for_trees(bench.rows):
        return
    tried = [bench.best_trees(), *(bench.try_trees(shape, None) for shape in SHAPES[1:])]
    best = min(tried, key=lambda trial: trial.validation_log_loss)
    shape = SHAPES[tried.index(best)]
    best = _shorten(bench, best, partial(bench.try_trees, shape))
    if isinstance(best.candidate, BoostedTrees) and best.candidate.half_life is not None:
        for other in SHAPES:
            if other != shape:
                bench.try_trees(other, best.candidate.half_life)


def _has_enough_for_trees(rows: TrainingRows) -> bool:
    wins = int(rows.label.sum())
    return min(wins, len(rows.label) - wins) >= LEAST_MINORITY_FOR_TREES


def _shorten(bench: "_Bench", best: Trial, attempt: Callable[[float], Trial]) -> Trial:
    """Try shorter half-lives as long as each is better than the last; return the best."""
    for half_life in HALF_LIVES if bench.rows.position is not None else ():
        shorter = attempt(half_life)
        if shorter.validation_log_loss >= best.validation_log_loss:
            break
        best = shorter
    return best


class _FoldBench:
    """What is computed once per fold and used by many trials."""

    def __init__(self, rows: TrainingRows, columns: Columns, fold: Fold) -> None:
        self.columns = columns
        self.fitted = rows.where(fold.fitted)
        self.judged = rows.where(fold.judged)
        self.label = self.fitted.label.astype(np.float64)
        self.designs: dict[int | None, Design] = {}

    def design(self, most_bins: int | None) -> Design:
        if most_bins not in self.designs:
            self.designs[most_bins] = spread_out(self.fitted.matrix, self.columns, most_bins=most_bins)
        return self.designs[most_bins]

    @cached_property
    def datasets(self) -> "tuple[lightgbm.Dataset, lightgbm.Dataset]":
        fitted = binned(self.fitted, self.columns)
        return fitted, binned(self.judged, self.columns, reference=fitted)

    def additive_margins(
        self, most_bins: int | None, half_life: float | None, penalties: Sequence[float]
    ) -> list[FloatArray]:
        weight = recency_weights(self.fitted, half_life)
        models = fit_additive(self.design(most_bins), self.label, weight, penalties=penalties)
        return [model.margin(self.judged.matrix) for model in models]


class _Bench:
    """The folds, and the trials so far."""

    def __init__(
        self,
        rows: TrainingRows,
        columns: Columns,
        folds: Sequence[Fold],
        seed: int,
        seconds_left: Callable[[], float],
    ) -> None:
        self.rows, self.columns, self.seed, self.seconds_left = rows, columns, seed, seconds_left
        self.folds = [_FoldBench(rows, columns, fold) for fold in folds]
        self.importance = np.array([fold.importance for fold in folds])
        judged = rows.where(np.concatenate([fold.judged for fold in folds]))
        number = np.repeat(np.arange(len(folds)), [len(fold.judged) for fold in folds])
        importance = judged.weight * self.importance[number]
        self.judged = Judged(rows=judged, importance=importance, fold=number)
        self.trials: list[Trial] = []

    def check_time(self) -> None:
        if self.seconds_left() <= 0.0:
            raise OutOfTimeError

    def add(self, candidate: Candidate, margins: Sequence[FloatArray]) -> Trial:
        trial = self.judged.trial(candidate, np.concatenate(margins))
        self.trials.append(trial)
        return trial

    def try_prior(self) -> Trial:
        rates = [np.average(fold.label, weights=fold.fitted.weight) for fold in self.folds]
        levels = probability_to_log_odds(np.array(rates))
        margins = [
            np.full(len(fold.judged.label), level) for fold, level in zip(self.folds, levels, strict=True)
        ]
        return self.add(Prior(), margins)

    def try_additive(
        self, most_bins: int | None, half_life: float | None, penalties: Sequence[float]
    ) -> list[Trial]:
        """Try a path of penalties, which costs little more than one."""
        per_fold = []
        for fold in self.folds:
            per_fold.append(fold.additive_margins(most_bins, half_life, penalties))
            if self.trials[1:]:
                self.check_time()
        return [
            self.add(Additive(most_bins=most_bins, penalty=penalty, half_life=half_life), margins)
            for penalty, margins in zip(penalties, zip(*per_fold, strict=True), strict=True)
        ]

    def best_additive(self, most_bins: int | None) -> Trial:
        ours = [
            trial
            for trial in self.trials
            if isinstance(trial.candidate, Additive) and trial.candidate.most_bins == most_bins
        ]
        return min(ours, key=lambda trial: trial.validation_log_loss)

    def best_trees(self) -> Trial:
        ours = [trial for trial in self.trials if isinstance(trial.candidate, BoostedTrees)]
        return min(ours, key=lambda trial: trial.validation_log_loss)

    def retry_additive(self, candidate: Candidate, half_life: float) -> Trial:
        """Try another half-life at the penalty that was best, and those beside it."""
        settings = dict(candidate.parameters)
        place = PENALTIES.index(float(settings["penalty"]))
        most_bins = int(settings["most_bins"]) if "most_bins" in settings else None
        beside = PENALTIES[max(place - 1, 0) : place + 2]
        return min(
            self.try_additive(most_bins, half_life, beside), key=lambda trial: trial.validation_log_loss
        )

    def try_trees(self, shape: TreeShape, half_life: float | None) -> Trial:
        """Try one shape with as many rounds as are best on all folds together."""
        watched = [self._watch(fold, shape, half_life) for fold in self.folds]
        rounds = self._best_rounds(watched)
        n_seeds = max(1, min(SEEDS, MOST_BOOSTED_TREES // rounds))
        return self.add(
            BoostedTrees(shape=shape, rounds=rounds, half_life=half_life, n_seeds=n_seeds),
            [_margin(own, fold.judged.matrix, rounds) for own, fold in zip(watched, self.folds, strict=True)],
        )

    def _watch(self, fold: _FoldBench, shape: TreeShape, half_life: float | None) -> WatchedFit:
        fitted, judged = fold.datasets
        weight = recency_weights(fold.fitted, half_life)
        return fit_watched(
            fitted, judged, weight, shape, self.columns, seed=self.seed, check_time=self.check_time
        )

    def _best_rounds(self, watched: Sequence[WatchedFit]) -> int:
        """Return the rounds with the least mean loss; a fold that stopped early stays where it was."""
        longest = max(len(each.losses) for each in watched)
        padded = [np.pad(each.losses, (0, longest - len(each.losses)), mode="edge") for each in watched]
        weight = self.importance * np.array([fold.judged.weight.sum() for fold in self.folds])
        return int(np.argmin(weight @ np.array(padded))) + 1


def _margin(watched: WatchedFit, matrix: FloatArray, rounds: int) -> FloatArray:
    kept = min(rounds, len(watched.losses))
    return np.asarray(watched.booster.predict(matrix, raw_score=True, num_iteration=kept), dtype=np.float64)
