"""A quick model that says which open leads are likelier than others of their age, to sharpen their labels.

It is fitted on the leads that teach, never scored with and never kept: what a lead is worth is the chosen
candidate's affair, and how many open leads win is `training.closing`'s.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from training.labels import TeachingLabels, WeightedRows
from training.points import FloatArray

ROUNDS = 120
PASSES = 2
"""The second quick model learns from labels that the first has sharpened, and tells leads apart better."""
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


def told_apart(
    matrix: FloatArray, labels: TeachingLabels, *, categorical: Sequence[int], seed: int
) -> TeachingLabels:
    """Return labels of the points of a matrix (n, n_features) whose open ones quick models have told apart.

    Labels without open points, or of one class, come back as they are.
    """
    sharper = labels
    for _ in range(PASSES):
        rows = sharper.rows()
        if labels.answered.all() or len(np.unique(rows.label)) < 2:
            return labels
        model = first_pass(matrix, rows, categorical=categorical, seed=seed)
        sharper = labels.sharpened(model(matrix))
    return sharper
