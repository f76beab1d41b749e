"""Boosted trees with native categories and agreed directions, fitted by LightGBM with a watched clock.

Attribute names may hold characters that LightGBM refuses, so its columns are f0, f1, …; features.json keeps
the names.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from training.candidates.rows import Columns, TrainingRows
from training.points import FloatArray

if TYPE_CHECKING:
    import lightgbm

MOST_ROUNDS = 400
PATIENCE_ROUNDS = 40
THREADS = 2
ROWS_FOR_THREADS = 200_000
"""Below this, a second thread costs more in waiting than it computes; the model is the same either way."""

Parameter = tuple[str, str | int | float]

FIXED_PARAMETERS: tuple[Parameter, ...] = (
    ("objective", "binary"),
    ("metric", "binary_logloss"),
    ("deterministic", True),
    ("force_row_wise", True),
    ("feature_pre_filter", False),
    ("bagging_freq", 1),
    ("bagging_fraction", 0.8),
    ("feature_fraction", 0.6),
    ("max_bin", 127),
    ("cat_smooth", 20.0),
    ("cat_l2", 20.0),
    ("min_data_per_group", 50),
    ("verbosity", -1),
)


class OutOfTimeError(Exception):
    """The budget ended while trees were being fitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeShape:
    """How trees may look; more leaves are less simple."""

    num_leaves: int
    min_data_in_leaf: int
    lambda_l2: float
    learning_rate: float = 0.06

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """All LightGBM parameters but seed, directions, threads and rounds."""
        own: tuple[Parameter, ...] = (
            ("num_leaves", self.num_leaves),
            ("min_data_in_leaf", self.min_data_in_leaf),
            ("lambda_l2", self.lambda_l2),
            ("learning_rate", self.learning_rate),
        )
        return FIXED_PARAMETERS + own


SHAPES = (
    TreeShape(num_leaves=4, min_data_in_leaf=30, lambda_l2=5.0),
    TreeShape(num_leaves=8, min_data_in_leaf=30, lambda_l2=5.0),
    TreeShape(num_leaves=16, min_data_in_leaf=40, lambda_l2=10.0),
)
"""Simplest first."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WatchedFit:
    """A fit whose mean log loss on the judged rows was watched after every round, (rounds,)."""

    booster: "lightgbm.Booster"
    losses: FloatArray


def binned(
    rows: TrainingRows, columns: Columns, *, reference: "lightgbm.Dataset | None" = None
) -> "lightgbm.Dataset":
    """Return rows in LightGBM's form, cut once and used for many fits."""
    import lightgbm

    return lightgbm.Dataset(
        rows.matrix,
        label=rows.label,
        weight=rows.weight,
        reference=reference,
        feature_name=[f"f{index}" for index in range(len(columns.n_codes))],
        categorical_feature=list(columns.categorical_indices),
        params=dict(FIXED_PARAMETERS),
        free_raw_data=False,
    ).construct()


def fit_watched(
    fitted: "lightgbm.Dataset",
    judged: "lightgbm.Dataset",
    weight: FloatArray,
    shape: TreeShape,
    columns: Columns,
    *,
    seed: int,
    check_time: Callable[[], None],
) -> WatchedFit:
    """Fit until the judged rows have not got better for a while; `check_time` may raise OutOfTimeError."""
    import lightgbm

    losses: dict[str, dict[str, list[float]]] = {}
    booster = lightgbm.train(
        settings(shape, columns, n_rows=len(weight), seed=seed),
        fitted.set_weight(weight),
        num_boost_round=MOST_ROUNDS,
        valid_sets=[judged],
        valid_names=["judged"],
        callbacks=[
            lightgbm.early_stopping(PATIENCE_ROUNDS, verbose=False),
            lightgbm.record_evaluation(losses),
            lambda _: check_time(),
        ],
    )
    return WatchedFit(booster=booster, losses=np.array(losses["judged"]["binary_logloss"]))


def fit_for_good(
    rows: TrainingRows, weight: FloatArray, shape: TreeShape, columns: Columns, *, rounds: int, seed: int
) -> str:
    """Return the text of a fit with a given number of trees on all rows."""
    import lightgbm

    booster = lightgbm.train(
        settings(shape, columns, n_rows=len(weight), seed=seed),
        binned(rows, columns).set_weight(weight),
        num_boost_round=rounds,
    )
    return str(booster.model_to_string(num_iteration=rounds))


def settings(shape: TreeShape, columns: Columns, *, n_rows: int, seed: int) -> dict[str, Any]:
    """Return everything LightGBM is told."""
    directions = {"monotone_constraints": list(columns.monotone)} if any(columns.monotone) else {}
    threads = THREADS if n_rows >= ROWS_FOR_THREADS else 1
    return {**dict(shape.parameters), **directions, "num_threads": threads, "seed": seed}
