"""The whole recipe on numbers: folds, search, choice, calibration, one model text.

The same for `leadpact train` and for `LeadClassifier`; what rows and columns mean is decided there.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.calibration import Calibration
from training.calibration_fit import fit_calibration
from training.candidates.candidate import Prior
from training.candidates.choice import Choice, choose
from training.candidates.folds import make_folds
from training.candidates.rows import Columns, TrainingRows
from training.candidates.search import Judged, Search, Trial, search

SCORECARD_FAMILIES = ("prior", "scorecard")


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


def learn(rows: TrainingRows, columns: Columns, *, seed: int, seconds_left: Callable[[], float]) -> Learned:
    """Find, fit and calibrate a model; rows hold both classes.

    Calibration and interval are learnt from margins of rows that the margin's model had not seen: those of
    the folds. The final fit knows the newest rows too, which the folds' fits did not.
    """
    folds = make_folds(rows, seed=seed)
    found = search(rows, columns, folds, seed=seed, seconds_left=seconds_left) if folds else _nothing(rows)
    choice = choose(found)
    return Learned(
        model_text=choice.chosen.candidate.fit(rows, columns, seed=seed),
        calibration=_calibrate(choice, found.judged),
        candidates=choice.candidates,
        chosen=choice.chosen,
        n_trials=len(found.trials),
        cut_short=found.cut_short,
    )


def _nothing(rows: TrainingRows) -> Search:
    """Return the search that tries nothing but the base rate, when rows are too few to judge anything."""
    judged = Judged(rows=rows, importance=rows.weight)
    rate = np.average(rows.label, weights=rows.weight)
    margin = np.full(len(rows.label), np.log(rate / (1.0 - rate)))
    return Search(judged=judged, trials=(judged.trial(Prior(), margin),), cut_short=False)


def _calibrate(choice: Choice, judged: Judged) -> Calibration:
    rows = judged.rows
    return fit_calibration(choice.chosen.margin, rows.label, judged.importance, lead=rows.lead_index)
