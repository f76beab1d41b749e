"""The face every competing model has, and how one is chosen. What it is inside is its own file's affair.

Candidates are tried on an older part of the training leads and judged on the newest; the chosen one is fitted
again on all of them. Every candidate ends as LightGBM text, so one parser and one kernel score them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from features.definitions import FeatureSet
from training.metrics import SMALLEST_PROBABILITY, log_losses, weighted_mean
from training.outcomes import IntArray
from training.points import FloatArray, log_odds_to_probability, probability_to_log_odds

NEWTON_STEPS, SMALLEST_STEP = 25, 1e-6

Parameter = tuple[str, str | int | float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingRows:
    """Rows with known labels: ``matrix`` (n, n_features); the rest (n,), ``lead_index`` a row's lead."""

    matrix: FloatArray
    label: npt.NDArray[np.int8]
    weight: FloatArray
    lead_index: IntArray

    def where(self, chosen: npt.NDArray[np.bool_]) -> "TrainingRows":
        """Return the chosen rows, bool (n,)."""
        return TrainingRows(
            matrix=self.matrix[chosen],
            label=self.label[chosen],
            weight=self.weight[chosen],
            lead_index=self.lead_index[chosen],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """What an early-stopped fit came to: its trees and its probabilities of the validation rows (n,)."""

    rounds: int
    probability: FloatArray


class Candidate(Protocol):
    """A recipe that can be tried and then fitted for good."""

    @property
    def name(self) -> str:
        """The word reports use for it."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Everything needed to repeat the fit but the seed."""

    def try_on(
        self, rows: TrainingRows, validation: TrainingRows, *, feature_set: FeatureSet, seed: int
    ) -> Trial:
        """Fit on rows, stop where the validation rows say so."""

    def fit(self, rows: TrainingRows, *, rounds: int, feature_set: FeatureSet, seed: int) -> str:
        """Fit for good and return the LightGBM model text."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tried:
    """A candidate and how it did: mean log loss on the validation rows, and the losses per row (n,)."""

    candidate: Candidate
    rounds: int
    validation_log_loss: float
    losses: FloatArray


def try_candidate(
    candidate: Candidate, rows: TrainingRows, validation: TrainingRows, *, feature_set: FeatureSet, seed: int
) -> Tried:
    """Try one candidate and measure it."""
    trial = candidate.try_on(rows, validation, feature_set=feature_set, seed=seed)
    losses = shifted_log_losses(validation, trial.probability)
    return Tried(
        candidate=candidate,
        rounds=trial.rounds,
        validation_log_loss=float(weighted_mean(losses, validation.weight)),
        losses=losses,
    )


def shifted_log_losses(validation: TrainingRows, probability: FloatArray) -> FloatArray:
    """Return log losses (n,) after moving all log-odds so that expected equals real wins on these rows.

    A candidate is calibrated afterwards on newer leads anyway; without this, a base rate that drifts between
    the older and the newest leads would drown what the candidate knows about one lead against another.
    """
    log_odds = probability_to_log_odds(np.clip(probability, SMALLEST_PROBABILITY, 1.0 - SMALLEST_PROBABILITY))
    wins = float(validation.weight @ validation.label)
    shift = 0.0
    for _ in range(NEWTON_STEPS):
        shifted = log_odds_to_probability(log_odds + shift)
        slope = float(validation.weight @ (shifted * (1.0 - shifted)))
        step = (wins - float(validation.weight @ shifted)) / max(slope, SMALLEST_PROBABILITY)
        shift += float(np.clip(step, -1.0, 1.0))
        if abs(step) < SMALLEST_STEP:
            break
    return log_losses(validation.label, log_odds_to_probability(log_odds + shift))


def choose(tried: Sequence[Tried], validation: TrainingRows) -> Tried:
    """Return the first (simplest) candidate within one standard error of the best.

    The error is that of the mean difference to the best, with the rows of one lead taken together: candidates
    see the same leads, so most of what is hard for one is hard for the other (Breiman et al. 1984).
    """
    best = min(tried, key=lambda each: each.validation_log_loss)
    within = (
        each
        for each in tried[: tried.index(best)]
        if each.validation_log_loss - best.validation_log_loss <= _standard_error(each, best, validation)
    )
    return next(within, best)


def _standard_error(first: Tried, second: Tried, validation: TrainingRows) -> float:
    """Return the standard error of the mean difference in loss, leads being independent."""
    difference = first.losses - second.losses
    centred = validation.weight * (difference - weighted_mean(difference, validation.weight))
    per_lead = np.bincount(np.unique(validation.lead_index, return_inverse=True)[1], weights=centred)
    return float(np.sqrt(np.square(per_lead).sum()) / validation.weight.sum())
