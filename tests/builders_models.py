"""Tiny real models for tests: random tables, LightGBM boosters trained on them, whole model directories."""

import warnings
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt

from features.definitions import Feature, FeatureKind, FeatureSet
from training.artifact import GoldenRows, Manifest, ModelCardFacts, write_model_directory
from training.calibration import Calibration, CalibrationKind
from training.points import log_odds_to_probability

FloatArray = npt.NDArray[np.float64]

N_LEVELS = 6
ANY_CALIBRATION = Calibration(
    kind=CalibrationKind.SIGMOID,
    slope=0.8,
    intercept=-0.3,
    venn_abers_margin=(-1.0, 0.0, 1.0),
    low=(0.1, 0.2, 0.4),
    high=(0.3, 0.5, 0.8),
)


def small_feature_set() -> FeatureSet:
    """Four attributes, two of them in one family, one a category."""
    return FeatureSet(
        features=(
            _attribute("employees", FeatureKind.ATTRIBUTE_NUMBER),
            _attribute("revenue", FeatureKind.ATTRIBUTE_NUMBER, family="attribute:employees"),
            _attribute("newsletter", FeatureKind.ATTRIBUTE_BOOLEAN),
            _attribute(
                "industry",
                FeatureKind.ATTRIBUTE_CATEGORY,
                levels=tuple(f"industry {number}" for number in range(N_LEVELS)),
            ),
        ),
        timezone="Europe/Berlin",
        activity_kinds=(),
    )


def _attribute(name: str, kind: FeatureKind, *, family: str = "", levels: tuple[str, ...] = ()) -> Feature:
    return Feature(
        name=name,
        kind=kind,
        family=family or f"attribute:{name}",
        attribute=name,
        levels=levels,
        null_means="?",
    )


def random_matrix(n_rows: int = 300, *, seed: int = 0) -> FloatArray:
    """Rows for :func:`small_feature_set`: numbers, zeros, booleans, category codes, some missing."""
    random = np.random.default_rng(seed)
    matrix = np.column_stack(
        [
            random.normal(size=n_rows),
            np.where(random.random(n_rows) < 0.4, 0.0, random.normal(size=n_rows)),
            random.integers(0, 2, n_rows),
            random.integers(0, N_LEVELS + 1, n_rows),
        ]
    )
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    return matrix


def labels_for(matrix: FloatArray, *, seed: int = 0) -> FloatArray:
    """0 or 1 per row, (n,), depending on every column and on chance."""
    known = np.nan_to_num(matrix)
    signal = known[:, 0] + known[:, 1] * known[:, 2 % known.shape[1]] + np.sin(known).sum(axis=1)
    noise = np.random.default_rng(seed).logistic(size=len(matrix))
    signal += 2.0 * (known[:, -1] % 3 == 1)
    won: npt.NDArray[np.bool_] = signal + noise > np.median(signal)
    return won.astype(np.float64)


def train_booster(
    matrix: FloatArray,
    label: FloatArray,
    *,
    categorical: tuple[int, ...] = (),
    n_trees: int = 5,
    weight: FloatArray | None = None,
    **parameters: Any,
) -> lightgbm.Booster:
    """Train a small deterministic booster; ``parameters`` are LightGBM's own and win over the defaults."""
    chosen = {
        "objective": "binary",
        "num_leaves": 7,
        "min_data_in_leaf": 3,
        "min_data_per_group": 3,
        "cat_smooth": 1.0,
        "num_threads": 1,
        "deterministic": True,
        "verbosity": -1,
        "seed": 0,
        **parameters,
    }
    data = lightgbm.Dataset(matrix, label, weight=weight, categorical_feature=list(categorical))
    with warnings.catch_warnings():
        # LightGBM warns that it overrides what it was just given; nothing here depends on it.
        warnings.filterwarnings("ignore", category=UserWarning, module="lightgbm")
        return lightgbm.train(chosen, data, n_trees)


def small_model_text(*, n_trees: int = 5, seed: int = 0, **parameters: Any) -> str:
    """Return LightGBM text of a booster that fits :func:`small_feature_set`."""
    matrix = random_matrix(seed=seed)
    booster = train_booster(
        matrix, labels_for(matrix, seed=seed), categorical=(3,), n_trees=n_trees, **parameters
    )
    text: str = booster.model_to_string()
    return text


def small_facts() -> ModelCardFacts:
    """Return facts of a model that nobody trained on real data."""
    return ModelCardFacts(
        horizon_days=90,
        created_at="2026-01-02T03:04:05+00:00",
        crm_name="test",
        data_hash="0" * 64,
        split="forward",
        metrics=(("auc", 0.8), ("log_loss", 0.4)),
        trained_from="2025-01-01T00:00:00+00:00",
        trained_until="2025-12-31T00:00:00+00:00",
    )


def golden_rows(model_text: str, calibration: Calibration, matrix: FloatArray) -> GoldenRows:
    """Return rows with the probabilities LightGBM itself and the calibration's formula give."""
    margin = lightgbm.Booster(model_str=model_text).predict(matrix, raw_score=True)
    log_odds = calibration.slope * np.asarray(margin) + calibration.intercept
    return GoldenRows(matrix=matrix, probability=log_odds_to_probability(log_odds))


def write_small_model(
    folder: Path, *, seed: int = 0, calibration: Calibration = ANY_CALIBRATION, model_text: str | None = None
) -> Manifest:
    """Write a complete directory of a small model with a category, missing values and an interval."""
    text = small_model_text(seed=seed) if model_text is None else model_text
    return write_model_directory(
        folder,
        facts=small_facts(),
        feature_set=small_feature_set(),
        model_text=text,
        calibration=calibration,
        card_markdown="# A model for tests\n",
        golden=golden_rows(text, calibration, random_matrix(8, seed=seed + 1)),
    )
