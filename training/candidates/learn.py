"""The whole recipe on numbers: folds, search, choice, calibration, one model text.

The same for `leadpact train` and for `LeadClassifier`; what rows and columns mean is decided there.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from training.blas import one_blas_thread
from training.calibration import Calibration
from training.calibration_fit import fit_calibration
from training.candidates.additive import level_shift
from training.candidates.candidate import Prior
from training.candidates.choice import Choice, choose
from training.candidates.folds import make_folds
from training.candidates.rows import Columns, TrainingRows
from training.candidates.search import Judged, Search, Trial, search
from training.points import FloatArray, log_odds_to_probability
from training.trees import parse_model_text, predict_margin

SCORECARD_FAMILIES = ("prior", "scorecard")
OUTCOMES_FOR_A_LEVEL = 20.0
"""Outcomes of the rarer kind with which a fold's own level counts half."""
LEVEL_VARIANCE = 1.0 / OUTCOMES_FOR_A_LEVEL
"""The same as a variance of log-odds: what so many rare outcomes leave open."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learned:
    """A model, its calibration, and how they were found.

    ``candidates`` are what could be chosen, simplest first; ``n_trials`` how many models were tried for them;
    ``cut_short`` tells that the budget ended before the plan did.
    """

    model_text: str
    calibration: Calibration
    candidates: tuple[Trial, ...]
    chosen: Trial
    n_trials: int
    cut_short: bool

    @property
    def evidence(self) -> str:
        """What scores rest on: a scorecard (the base rate is an empty one) or a model."""
        return "scorecard" if self.chosen.candidate.name in SCORECARD_FAMILIES else "model"


@one_blas_thread()
def learn(
    rows: TrainingRows,
    columns: Columns,
    *,
    seed: int,
    seconds_left: Callable[[], float],
    evidence: str = "model",
) -> Learned:
    """Find, fit and calibrate a model; rows hold both classes.

    Calibration and interval are learnt from margins of rows that the margin's model had not seen: those of
    the folds. The final fit knows the newest rows too, which the folds' fits did not. `evidence` is the most
    that scores may rest on: with "scorecard" the base rate and scorecards compete alone.
    """
    folds = make_folds(rows, seed=seed)
    if folds:
        found = search(
            rows,
            columns,
            folds,
            seed=seed,
            seconds_left=seconds_left,
            only_scorecards=evidence == "scorecard",
        )
    else:
        found = _nothing(rows)
    choice = choose(found)
    model_text = choice.chosen.candidate.fit(rows, columns, seed=seed)
    return Learned(
        model_text=model_text,
        calibration=_calibrate(choice, found.judged, model_text),
        candidates=choice.candidates,
        chosen=choice.chosen,
        n_trials=len(found.trials),
        cut_short=found.cut_short,
    )


def _nothing(rows: TrainingRows) -> Search:
    """Return the search that tries nothing but the base rate, when rows are too few to judge anything."""
    judged = Judged(rows=rows, importance=rows.weight, fold=np.zeros(len(rows.label), dtype=np.int64))
    rate = np.average(rows.label, weights=rows.weight)
    margin = np.full(len(rows.label), np.log(rate / (1.0 - rate)))
    return Search(judged=judged, trials=(judged.trial(Prior(), margin),), cut_short=False)


def _calibrate(choice: Choice, judged: Judged, model_text: str) -> Calibration:
    """Learn level and slope from the folds' margins, and turn the slope about the final fit's newest margins.

    Where the level moves from fold to fold, pooled margins would take that for a slope; so the folds are put
    on one level first. The final fit stands elsewhere than the folds' fits did: a slope about their mean
    would move its level once more. And a level that was needed in some folds only is not believed in full.
    """
    rows, levels = judged.rows, _levels(choice.chosen.margin, judged)
    levelled = choice.chosen.margin + (levels.own - levels.together)[judged.fold]
    found = fit_calibration(levelled, rows.label, judged.importance, lead=rows.lead_index)
    newest = judged.fold == judged.fold.max()
    final = predict_margin(parse_model_text(model_text), rows.matrix[newest])
    old = float(np.average(levelled, weights=judged.importance))
    new = float(np.average(final, weights=rows.weight[newest]))
    needed = found.slope * old + found.intercept - old
    return replace(found, intercept=new + levels.reliability * needed - found.slope * new)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Levels:
    """What must be added to the log-odds of all folds, and of each, ``own`` (n_folds,).

    ``chance`` is the variance of ``together`` that the leads drawn account for.
    """

    together: float
    own: FloatArray
    share: FloatArray
    chance: float

    @property
    def reliability(self) -> float:
        """How far the next rows can be expected to need what the folds needed, 0 to 1.

        Signal over signal and error, twice: folds differ (a random effect), and a level drawn from few leads
        says little against how far markets usually move (`LEVEL_VARIANCE`).
        """
        mean = float(self.share @ self.own)
        concentration = float(self.share @ self.share)
        between = 0.0
        if concentration < 1.0:
            between = float(self.share @ (self.own - mean) ** 2) / (1.0 - concentration) * concentration
        agreed = 1.0 if between == 0.0 else mean**2 / (mean**2 + between)
        return agreed * LEVEL_VARIANCE / (LEVEL_VARIANCE + self.chance)


def _levels(margin: FloatArray, judged: Judged) -> _Levels:
    """Return the folds' levels; few outcomes say little of how a fold differs."""
    label, n_folds = judged.rows.label.astype(np.float64), int(judged.fold.max()) + 1
    together = level_shift(margin, label, judged.importance)
    own = np.full(n_folds, together)
    for number in range(n_folds):
        rows = judged.fold == number
        shift = level_shift(margin[rows], label[rows], judged.importance[rows])
        rarer = min(label[rows].sum(), (1.0 - label[rows]).sum())
        own[number] += (shift - together) * rarer / (rarer + OUTCOMES_FOR_A_LEVEL)
    share = np.bincount(judged.fold, weights=judged.importance, minlength=n_folds)
    chance = _level_variance(margin + together, judged)
    return _Levels(together=together, own=own, share=share / share.sum(), chance=chance)


def _level_variance(margin: FloatArray, judged: Judged) -> float:
    """Return the variance of a level fitted to margins (n,), leads being independent (Huber 1967)."""
    probability = log_odds_to_probability(margin)
    lead = np.unique(judged.rows.lead_index, return_inverse=True)[1]
    pull = np.bincount(lead, weights=judged.importance * (judged.rows.label - probability))
    information = float(judged.importance @ (probability * (1.0 - probability)))
    return float(pull @ pull) / information**2
