"""What competes: LeadPact, and what a data scientist would write instead. One function each.

Every function takes training rows oldest first (frame, 0 or 1), rows to score, and the seconds it may take,
and returns probabilities (n,). Text columns hold text or None, the others floats.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from training import LeadClassifier

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Peer = Callable[[pd.DataFrame, IntArray, pd.DataFrame, float], FloatArray]

TUNING_TRIALS = 60
INNER_FOLDS = 3
ODOO_SMOOTHING = 0.1
ODOO_BINS = 5


def prior(_: pd.DataFrame, label: IntArray, scored: pd.DataFrame, __: float) -> FloatArray:
    """Give everybody the base rate of the training rows."""
    return np.full(len(scored), label.mean())


def leadpact(frame: pd.DataFrame, label: IntArray, scored: pd.DataFrame, seconds: float) -> FloatArray:
    """Fit LeadPact's recipe with as much time as every peer has, rows being in order of time."""
    model = LeadClassifier(budget_seconds=seconds).fit(frame, label, order=np.arange(len(label)))
    return model.predict_proba(scored)[:, 1]


def logistic_regression(frame: pd.DataFrame, label: IntArray, scored: pd.DataFrame, _: float) -> FloatArray:
    """Fit scikit-learn's logistic regression on one-hot categories and standardised numbers."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    texts = [str(name) for name in frame if _is_text(frame[name])]
    numbers = [name for name in frame if name not in texts]
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5), texts),
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), numbers),
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=3000)).fit(_filled(frame, texts), label)
    return np.asarray(model.predict_proba(_filled(scored, texts))[:, 1], dtype=np.float64)


def tuned_lightgbm(frame: pd.DataFrame, label: IntArray, scored: pd.DataFrame, seconds: float) -> FloatArray:
    """Fit LightGBM with the best of 60 random settings by cross-validation, or as many as time allows."""
    import lightgbm

    started, random = time.monotonic(), np.random.default_rng(0)
    matrix, codes = _coded(frame, frame)
    best: tuple[float, dict[str, object], int] | None = None
    for _ in range(TUNING_TRIALS):
        settings = _random_settings(random)
        found = lightgbm.cv(
            settings, lightgbm.Dataset(matrix, label, categorical_feature=codes), num_boost_round=1000,
            nfold=INNER_FOLDS, seed=0, callbacks=[lightgbm.early_stopping(30, verbose=False)],
        )  # fmt: skip
        losses = np.asarray(found["valid binary_logloss-mean"], dtype=np.float64)
        if best is None or losses[-1] < best[0]:
            best = float(losses[-1]), settings, len(losses)
        if time.monotonic() - started > seconds:
            break
    _, settings, rounds = best if best is not None else (0.0, _random_settings(random), 1)
    data = lightgbm.Dataset(matrix, label, categorical_feature=codes)
    model = lightgbm.train(settings, data, num_boost_round=rounds)
    return np.asarray(model.predict(_coded(frame, scored)[0]), dtype=np.float64)


def odoo(frame: pd.DataFrame, label: IntArray, scored: pd.DataFrame, _: float) -> FloatArray:
    """Apply the formula of Odoo's predictive lead scoring: naive Bayes over frequencies, numbers in fifths.

    ``P(won | values) = won / (won + lost)`` with ``won = share of wins * product of the values' shares among
    wins``, the counts smoothed by 0.1, values never seen left out, and the answer kept within 1 and 99 %.
    """
    log_odds = np.full(len(scored), np.log(label.mean() / (1.0 - label.mean())))
    for name in frame:
        old, new = _as_levels(frame[name], scored[name])
        counts = pd.crosstab(old, label).reindex(columns=[0, 1], fill_value=0) + ODOO_SMOOTHING
        shares = np.log(counts[1] / counts[1].sum()) - np.log(counts[0] / counts[0].sum())
        log_odds += new.map(shares).fillna(0.0).to_numpy(np.float64)
    chance: FloatArray = np.clip(1.0 / (1.0 + np.exp(-log_odds)), 0.01, 0.99)
    return chance


PEERS: dict[str, Peer] = {
    "prior": prior,
    "leadpact": leadpact,
    "logreg": logistic_regression,
    "lgbm_tuned": tuned_lightgbm,
    "odoo": odoo,
}


def _is_text(column: "pd.Series[Any]") -> bool:
    return not pd.api.types.is_numeric_dtype(column.dtype)


def _filled(frame: pd.DataFrame, texts: list[str]) -> pd.DataFrame:
    return frame.assign(**{name: frame[name].fillna("(missing)") for name in texts})


def _coded(frame: pd.DataFrame, rows: pd.DataFrame) -> tuple[FloatArray, list[int]]:
    """Return rows as numbers with categories coded by the training frame, and which columns those are."""
    texts = [place for place, name in enumerate(frame) if _is_text(frame[name])]
    matrix = np.full(rows.shape, np.nan)
    for place, name in enumerate(frame):
        if place in texts:
            codes = pd.Categorical(rows[name], categories=sorted(frame[name].dropna().unique())).codes
            matrix[:, place] = np.where(codes < 0, np.nan, codes)
        else:
            matrix[:, place] = rows[name].to_numpy(np.float64)
    return matrix, texts


def _random_settings(random: np.random.Generator) -> dict[str, object]:
    return {
        "objective": "binary",
        "metric": "binary_logloss",
        "verbosity": -1,
        "num_threads": 1,
        "seed": 0,
        "feature_pre_filter": False,
        "num_leaves": int(2 ** random.uniform(2, 7)),
        "min_data_in_leaf": int(2 ** random.uniform(2, 8)),
        "learning_rate": float(10 ** random.uniform(-2, -0.8)),
        "feature_fraction": float(random.uniform(0.3, 1.0)),
        "bagging_fraction": float(random.uniform(0.5, 1.0)),
        "bagging_freq": 1,
        "lambda_l2": float(10 ** random.uniform(-2, 2)),
        "cat_smooth": float(10 ** random.uniform(0, 2)),
    }


def _as_levels(old: "pd.Series[Any]", new: "pd.Series[Any]") -> "tuple[pd.Series[Any], pd.Series[Any]]":
    """Return both columns as levels: numbers by fifths of the training rows."""
    if _is_text(old):
        return old, new
    edges = np.unique(np.nanquantile(old.to_numpy(np.float64), np.linspace(0, 1, ODOO_BINS + 1)[1:-1]))
    return _fifths(old, edges), _fifths(new, edges)


def _fifths(column: "pd.Series[Any]", edges: FloatArray) -> "pd.Series[Any]":
    values = column.to_numpy(np.float64)
    return pd.Series(np.searchsorted(edges, values)).where(~np.isnan(values))
