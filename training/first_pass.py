"""A quick model that says which open leads are likelier than others of their age, to sharpen their labels.

It is fitted on the training part, never scored with and never kept: what a lead is worth is the chosen
candidate's affair, and how many open leads win is `training.closing`'s.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from training.labels import WeightedRows
from training.points import FloatArray

ROUNDS = 120
SETTINGS: tuple[tuple[str, str | int | float], ...] = (
    ("objective", "binary"),
    ("deterministic", True),
    ("force_row_wise", True),
    ("num_leaves", 8),
    ("min_data_in_leaf", 40),
    ("learning_rate", 0.08),
    ("feature_fraction", 0.6),
    ("bagging_freq", 1),
    ("bagging_fraction", 0.8),
    ("lambda_l2", 5.0),
    ("max_bin", 63),
    ("cat_smooth", 20.0),
    ("cat_l2", 20.0),
    ("min_data_per_group", 50),
    ("num_threads", 1),
    ("verbosity", -1),
)

Probability = Callable[[FloatArray], FloatArray]
"""From a matrix (n, n_features) to probabilities (n,)."""


def first_pass(
    matrix: FloatArray, rows: WeightedRows, *, categorical: Sequence[int], seed: int
) -> Probability:
    """Fit on the rows of a matrix (n_points, n_features), whose `categorical` columns hold level codes."""
    import lightgbm

    settings: dict[str, Any] = {**dict(SETTINGS), "seed": seed}
    data = lightgbm.Dataset(
        matrix[rows.position],
        label=rows.label,
        weight=rows.weight,
        categorical_feature=list(categorical),
    )
    booster = lightgbm.train(settings, data, num_boost_round=ROUNDS)
    return lambda rows: np.asarray(booster.predict(rows), dtype=np.float64)
