"""What a verified model does: score, explain in points, name the loudest families. Files are artifact.py's.

Everything that does not depend on a row is built once, in :func:`assemble`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.definitions import FeatureSet
from training.calibration import Calibration, CompiledCalibration
from training.manifest import Manifest
from training.points import POINTS_PER_LOG_ODDS, log_odds_to_points, log_odds_to_probability
from training.trees import TreeEnsemble, predict_margin, tree_shap

FloatArray = npt.NDArray[np.float64]

SILENT_POINTS = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """Scores of n rows, each array of shape (n,): probabilities 0-1, points neither rounded nor cut."""

    probability: FloatArray
    low: FloatArray
    high: FloatArray
    points: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyReason:
    """The share of a family of features in the points of one row; ``feature_index`` speaks for the family."""

    family: str
    feature_index: int
    points: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedModel:
    """A model that scores. ``families`` pairs each family's name with the columns of its members."""

    manifest: Manifest
    feature_set: FeatureSet
    ensemble: TreeEnsemble
    calibration: Calibration
    base_points: float
    compiled: CompiledCalibration
    families: tuple[tuple[str, tuple[int, ...]], ...]

    def predict(self, matrix: FloatArray) -> Prediction:
        """Score feature rows (n, n_features) in the order of the feature set; each answer has shape (n,)."""
        margin = predict_margin(self.ensemble, matrix)
        log_odds = self.compiled.log_odds(margin)
        probability = log_odds_to_probability(log_odds)
        low, high = self.compiled.interval(margin, probability)
        return Prediction(probability=probability, low=low, high=high, points=log_odds_to_points(log_odds))

    def explain(self, matrix: FloatArray) -> FloatArray:
        """Return exact contributions in points, (n, n_features); base_points + row sum == points to 1e-9.

        Calibration is linear in log-odds, so it only scales the SHAP values of the margin.
        """
        shap = tree_shap(self.ensemble, matrix)[:, :-1]
        return shap * (self.calibration.slope * POINTS_PER_LOG_ODDS)

    def reasons(self, row: FloatArray) -> tuple[FamilyReason, ...]:
        """Return the families' shares of one row (n_features,), loudest first.

        They sum to points - base_points. Families below 1e-12 points are left out; equal loudness keeps the
        order of the feature set. Who speaks for a family is decided in :func:`speaker`.
        """
        shares = self.explain(row[np.newaxis])[0].tolist()
        reasons = [_family_reason(family, members, shares) for family, members in self.families]
        spoken = [reason for reason in reasons if abs(reason.points) >= SILENT_POINTS]
        return tuple(sorted(spoken, key=lambda reason: -abs(reason.points)))


def speaker(members: Sequence[int], shares: Sequence[float], total: float) -> int:
    """Return the member with the largest share of the total's sign; the first of equals.

    A member that pulled the other way would give a reason whose words and points contradict each other.
    """
    sign = math.copysign(1.0, total)
    return max(members, key=lambda index: sign * shares[index])


def _family_reason(family: str, members: tuple[int, ...], shares: Sequence[float]) -> FamilyReason:
    if len(members) == 1:
        return FamilyReason(family=family, feature_index=members[0], points=shares[members[0]])
    total = sum(shares[index] for index in members)
    return FamilyReason(family=family, feature_index=speaker(members, shares, total), points=total)


def assemble(
    manifest: Manifest, feature_set: FeatureSet, ensemble: TreeEnsemble, calibration: Calibration
) -> LoadedModel:
    """Join checked parts to a model that scores."""
    compiled = calibration.compiled()
    members: dict[str, list[int]] = {}
    for index, feature in enumerate(feature_set.features):
        members.setdefault(feature.family, []).append(index)
    base_log_odds = compiled.log_odds(np.array(ensemble.expected_margin))
    return LoadedModel(
        manifest=manifest,
        feature_set=feature_set,
        ensemble=ensemble,
        calibration=calibration,
        base_points=float(log_odds_to_points(base_log_odds)),
        compiled=compiled,
        families=tuple((family, tuple(indices)) for family, indices in members.items()),
    )
