"""Which of the tried models is taken: the simplest within one standard error of the best.

What may be taken, simplest first: the base rate, the best scorecard, the best linear model, the mean of the
better of these two and the best trees. Trees alone are reported and not taken: on folds they are the best of
many and look better than they are, and where only they know something, calibration stretches the mean again.
"""

from dataclasses import dataclass

import numpy as np

from training.candidates.candidate import Blend, BoostedTrees
from training.candidates.search import Judged, Search, Trial
from training.metrics import weighted_mean

TREES = "lightgbm"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """The best of each kind, simplest first, and the one that is taken."""

    candidates: tuple[Trial, ...]
    chosen: Trial


def choose(found: Search) -> Choice:
    """Return the simplest candidate within one standard error of the best (Breiman et al. 1984)."""
    candidates = _candidates(found)
    allowed = [trial for trial in candidates if trial.candidate.name != TREES]
    best = min(allowed, key=lambda trial: trial.validation_log_loss)
    within = (trial for trial in allowed if _is_as_good(trial, best, found.judged))
    return Choice(candidates=candidates, chosen=next(within))


def _is_as_good(trial: Trial, best: Trial, judged: Judged) -> bool:
    excess = trial.validation_log_loss - best.validation_log_loss
    return excess <= standard_error(trial, best, judged)


def standard_error(first: Trial, second: Trial, judged: Judged) -> float:
    """Return the standard error of the mean difference in loss, leads being independent.

    Candidates see the same leads, so most of what is hard for one is hard for the other.
    """
    difference = judged.losses(first.margin) - judged.losses(second.margin)
    centred = judged.importance * (difference - weighted_mean(difference, judged.importance))
    per_lead = np.bincount(np.unique(judged.rows.lead_index, return_inverse=True)[1], weights=centred)
    return float(np.sqrt(np.square(per_lead).sum()) / judged.importance.sum())


def _candidates(found: Search) -> tuple[Trial, ...]:
    additive = (found.best("prior"), found.best("scorecard"), found.best("linear"))
    trees = _trees(found)
    return tuple(each for each in (*additive, trees, _blend(found, trees)) if each is not None)


def _trees(found: Search) -> Trial | None:
    """Return the best trees with the fewest leaves that are within one standard error of the best."""
    best = found.best(TREES)
    ours = [trial for trial in found.trials if isinstance(trial.candidate, BoostedTrees)]
    within = [trial for trial in ours if best is not None and _is_as_good(trial, best, found.judged)]
    return min(within, key=_leaves_and_loss, default=None)


def _leaves_and_loss(trial: Trial) -> tuple[float, float]:
    return float(dict(trial.candidate.parameters)["num_leaves"]), trial.validation_log_loss


def _blend(found: Search, trees: Trial | None) -> Trial | None:
    """Return the mean of the best additive model and the trees in log-odds."""
    additive = found.best("scorecard", "linear")
    if additive is None or trees is None:
        return None
    margin = (additive.margin + trees.margin) / 2.0
    return found.judged.trial(Blend(members=(additive.candidate, trees.candidate)), margin)
