"""Boosted trees with native categories and agreed directions. A few fixed settings, no search.

Attribute names may hold characters that LightGBM refuses, so its columns are f0, f1, …; features.json keeps
the names.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from features.definitions import FeatureSet
from training.candidates.candidate import Parameter, TrainingRows, Trial, shifted_log_losses
from training.metrics import weighted_mean
from training.points import FloatArray

if TYPE_CHECKING:
    import lightgbm

MOST_ROUNDS = 1000
THREADS = 2
ROWS_FOR_THREADS = 20_000
"""Below this, a second thread costs more in waiting than it computes; the model is the same either way."""
PATIENCE_ROUNDS = 50

FIXED_PARAMETERS: tuple[Parameter, ...] = (
    ("objective", "binary"),
    ("metric", "none"),
    ("deterministic", True),
    ("force_row_wise", True),
    ("bagging_freq", 1),
    ("bagging_fraction", 0.8),
    ("max_bin", 127),
    ("cat_smooth", 20.0),
    ("cat_l2", 20.0),
    ("min_data_per_group", 50),
    ("verbosity", -1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoostedTrees:
    """One setting of LightGBM; more leaves and fewer leads per leaf are less simple."""

    name: str
    num_leaves: int
    min_data_in_leaf: int
    learning_rate: float
    feature_fraction: float
    lambda_l2: float

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """All LightGBM parameters but seed, directions and rounds."""
        own: tuple[Parameter, ...] = (
            ("num_leaves", self.num_leaves),
            ("min_data_in_leaf", self.min_data_in_leaf),
            ("learning_rate", self.learning_rate),
            ("feature_fraction", self.feature_fraction),
            ("lambda_l2", self.lambda_l2),
        )
        return FIXED_PARAMETERS + own

    def try_on(
        self, rows: TrainingRows, validation: TrainingRows, *, feature_set: FeatureSet, seed: int
    ) -> Trial:
        """Fit with early stopping on the validation rows."""
        import lightgbm

        train = dataset(rows, feature_set)
        stop = lightgbm.early_stopping(PATIENCE_ROUNDS, verbose=False)
        booster = lightgbm.train(
            self._settings(rows, feature_set, seed),
            train,
            num_boost_round=MOST_ROUNDS,
            valid_sets=[dataset(validation, feature_set, reference=train)],
            feval=_shifted_log_loss(validation),
            callbacks=[stop],
        )
        rounds = max(booster.best_iteration, 1)
        probability = np.asarray(booster.predict(validation.matrix, num_iteration=rounds), dtype=np.float64)
        return Trial(rounds=rounds, probability=probability)

    def fit(self, rows: TrainingRows, *, rounds: int, feature_set: FeatureSet, seed: int) -> str:
        """Fit the given number of trees on all rows."""
        import lightgbm

        settings = self._settings(rows, feature_set, seed)
        booster = lightgbm.train(settings, dataset(rows, feature_set), num_boost_round=rounds)
        return str(booster.model_to_string(num_iteration=rounds))

    def _settings(self, rows: TrainingRows, feature_set: FeatureSet, seed: int) -> dict[str, Any]:
        directions = [feature.monotone for feature in feature_set.features]
        constraints = {"monotone_constraints": directions} if any(directions) else {}
        threads = THREADS if len(rows.label) >= ROWS_FOR_THREADS else 1
        return {**dict(self.parameters), **constraints, "num_threads": threads, "seed": seed}


def _shifted_log_loss(validation: TrainingRows) -> Callable[[FloatArray, Any], tuple[str, float, bool]]:
    """Return the metric that stops the boosting: mean log loss with the base rate given for free."""

    def measure(probability: FloatArray, _: Any) -> tuple[str, float, bool]:
        losses = shifted_log_losses(validation, probability)
        return "shifted_log_loss", float(weighted_mean(losses, validation.weight)), False

    return measure


TREE_CANDIDATES = (
    BoostedTrees(
        name="lightgbm_4_leaves",
        num_leaves=4,
        min_data_in_leaf=40,
        learning_rate=0.08,
        feature_fraction=0.6,
        lambda_l2=5.0,
    ),
    BoostedTrees(
        name="lightgbm_8_leaves",
        num_leaves=8,
        min_data_in_leaf=40,
        learning_rate=0.05,
        feature_fraction=0.6,
        lambda_l2=5.0,
    ),
    BoostedTrees(
        name="lightgbm_16_leaves",
        num_leaves=16,
        min_data_in_leaf=60,
        learning_rate=0.04,
        feature_fraction=0.5,
        lambda_l2=10.0,
    ),
    BoostedTrees(
        name="lightgbm_31_leaves",
        num_leaves=31,
        min_data_in_leaf=100,
        learning_rate=0.03,
        feature_fraction=0.4,
        lambda_l2=20.0,
    ),
)
"""Simplest first: the order in which one of equals is preferred."""


def dataset(
    rows: TrainingRows, feature_set: FeatureSet, *, reference: "lightgbm.Dataset | None" = None
) -> "lightgbm.Dataset":
    """Return rows in LightGBM's form; a validation set is binned like its reference."""
    import lightgbm

    return lightgbm.Dataset(
        rows.matrix,
        label=rows.label,
        weight=rows.weight,
        reference=reference,
        feature_name=[f"f{index}" for index in range(len(feature_set.features))],
        categorical_feature=list(feature_set.categorical_indices),
    )
