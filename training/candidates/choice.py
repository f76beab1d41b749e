"""Which of the tried models is taken: the simplest within one standard error of the best.

What may be taken, simplest first: the base rate, the best scorecard, the best linear model, the mean of the
better of these two and the best trees, the best trees alone. The mean counts as simpler than the trees,
because it is trees drawn halfway towards a sum over columns.
"""

from dataclasses import dataclass

import numpy as np

from training.candidates.candidate import Blend
from training.candidates.search import Judged, Search, Trial
from training.metrics import weighted_mean


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """The candidates, simplest first, and the one that is taken."""

    candidates: tuple[Trial, ...]
    chosen: Trial


def choose(found: Search) -> Choice:
    """Return the simplest candidate within one standard error of the best (Breiman et al. 1984)."""
    candidates = _candidates(found)
    best = min(candidates, key=lambda trial: trial.validation_log_loss)
    within = (
        trial for trial in candidates if _excess(trial, best) <= standard_error(trial, best, found.judged)
    )
    return Choice(candidates=candidates, chosen=next(within))


def _excess(first: Trial, second: Trial) -> float:
    return first.validation_log_loss - second.validation_log_loss


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
    return tuple(each for each in (*additive, _blend(found), found.best("lightgbm")) if each is not None)


def _blend(found: Search) -> Trial | None:
    """Return the mean of the best additive model and the best trees in log-odds."""
    additive, trees = found.best("scorecard", "linear"), found.best("lightgbm")
    if additive is None or trees is None:
        return None
    margin = (additive.margin + trees.margin) / 2.0
    return found.judged.trial(Blend(members=(additive.candidate, trees.candidate)), margin)
