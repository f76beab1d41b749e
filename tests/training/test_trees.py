"""Our trees against LightGBM itself and against TreeSHAP by definition."""

from collections.abc import Callable, Mapping
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from tests.builders_models import labels_for, train_booster
from tests.oracles.tree_shap_slow import shapley_by_coalitions, shapley_in_fractions
from training.tree_kernel import ZERO_BAND
from training.trees import parse_model_text, predict_margin, tree_shap

FloatArray = npt.NDArray[np.float64]

ODD_VALUES = (
    0.0, -0.0, 1e-36, -1e-36, ZERO_BAND, -ZERO_BAND, 2e-35, -2e-35, np.nan, np.inf, -np.inf,
    -1.0, -0.5, 0.5, 2.9, 31.0, 32.0, 63.5, 1e5, 2.0**31, 2.0**31 - 1, 2.0**32 + 3, -(2.0**31), 1e300, -1e300,
)  # fmt: skip

trainings = st.fixed_dictionaries(
    {
        "num_leaves": st.integers(2, 31),
        "use_missing": st.booleans(),
        "zero_as_missing": st.booleans(),
        "min_data_in_leaf": st.sampled_from([1, 5, 40]),
        "max_cat_to_onehot": st.sampled_from([1, 4]),
        "boosting": st.sampled_from(["gbdt", "dart"]),
        "data_sample_strategy": st.sampled_from(["bagging", "goss"]),
        "monotone_constraints": st.sampled_from([None, [1, -1, 0, 0, 0]]),
        "seed": st.integers(0, 1000),
    }
)


def _table(seed: int, n_rows: int = 150) -> FloatArray:
    """Three numeric columns (one mostly zero, one with missing values) and two of codes."""
    random = np.random.default_rng(seed)
    matrix = np.column_stack(
        [
            random.normal(size=n_rows),
            np.where(random.random(n_rows) < 0.5, 0.0, random.normal(size=n_rows)),
            np.where(random.random(n_rows) < 0.3, np.nan, random.normal(size=n_rows)),
            random.integers(0, 70, n_rows),
            np.where(random.random(n_rows) < 0.2, np.nan, random.integers(0, 4, n_rows)),
        ]
    )
    matrix[random.random(n_rows) < 0.1, 0] = np.nan
    return matrix


def _odd_rows(matrix: FloatArray, booster: lightgbm.Booster, seed: int) -> FloatArray:
    """Rows mixed from seen values, odd values and the thresholds themselves with their neighbours."""
    random = np.random.default_rng(seed)
    frame = booster.trees_to_dataframe()
    numeric = frame.loc[frame["decision_type"] == "<=", "threshold"].astype(float).to_numpy()
    pool = np.concatenate(
        [ODD_VALUES, numeric, np.nextafter(numeric, -np.inf), np.nextafter(numeric, np.inf)]
    )
    rows = matrix[random.integers(0, len(matrix), 80)].copy()
    chosen = random.random(rows.shape) < 0.4
    rows[chosen] = random.choice(pool, chosen.sum())
    return rows


def _assert_equal_to_lightgbm(booster: lightgbm.Booster, rows: FloatArray) -> None:
    ensemble = parse_model_text(booster.model_to_string())
    np.testing.assert_array_equal(predict_margin(ensemble, rows), booster.predict(rows, raw_score=True))
    np.testing.assert_allclose(
        tree_shap(ensemble, rows), booster.predict(rows, pred_contrib=True), rtol=0.0, atol=1e-9
    )


@settings(max_examples=60)
@given(parameters=trainings, weighted=st.booleans())
def test_random_models_equal_lightgbm(parameters: dict[str, Any], weighted: bool) -> None:
    """Margins to the last bit and contributions to 1e-9, for every missing type, category and odd value."""
    if parameters["monotone_constraints"] is None:
        del parameters["monotone_constraints"]
    matrix = _table(parameters["seed"])
    weight = np.random.default_rng(1).uniform(0.5, 3.0, len(matrix)) if weighted else None
    booster = train_booster(matrix, labels_for(matrix), categorical=(3, 4), weight=weight, **parameters)
    _assert_equal_to_lightgbm(booster, _odd_rows(matrix, booster, parameters["seed"]))


def test_one_leaf_model_equals_lightgbm() -> None:
    """A model that found nothing to split scores its constant and explains nothing."""
    matrix = _table(0)
    booster = train_booster(matrix, labels_for(matrix), min_data_in_leaf=140)
    assert "num_leaves=1\n" in booster.model_to_string()
    _assert_equal_to_lightgbm(booster, matrix)


def test_split_on_missing_alone_equals_lightgbm() -> None:
    """LightGBM writes the threshold of a split between NaN and everything else as inf."""
    random = np.random.default_rng(0)
    matrix = np.where(random.random((400, 1)) < 0.5, np.nan, random.normal(size=(400, 1)))
    booster = train_booster(matrix, np.isnan(matrix[:, 0]).astype(float), num_leaves=2)
    assert "threshold=inf\n" in booster.model_to_string()
    _assert_equal_to_lightgbm(booster, np.array([[np.nan], [np.inf], [-np.inf], [0.0]]))


def test_text_saved_at_the_best_iteration_is_what_scores() -> None:
    """Truncated text gives LightGBM's truncated prediction."""
    matrix = _table(1)
    booster = train_booster(matrix, labels_for(matrix), n_trees=8)
    ensemble = parse_model_text(booster.model_to_string(num_iteration=3))
    assert ensemble.n_trees == 3
    expected = booster.predict(matrix, raw_score=True, num_iteration=3)
    np.testing.assert_array_equal(predict_margin(ensemble, matrix), expected)


def _dumped(booster: lightgbm.Booster, row: FloatArray) -> tuple[Mapping[str, Any], Callable[..., bool]]:
    """Return the only tree as LightGBM dumps it, and where a row without missing values goes."""
    root = booster.dump_model()["tree_info"][0]["tree_structure"]
    return root, lambda node: bool(row[node["split_feature"]] <= node["threshold"])


@pytest.mark.parametrize("seed", range(3))
def test_contributions_are_shapley_values(seed: int) -> None:
    """Equal to the sum over all coalitions, which is what the word means."""
    matrix = np.random.default_rng(seed).normal(size=(200, 5))
    booster = train_booster(
        matrix, labels_for(matrix, seed=seed), n_trees=1, num_leaves=16, use_missing=False
    )
    contributions = tree_shap(parse_model_text(booster.model_to_string()), matrix[:5])
    for row, found in zip(matrix[:5], contributions, strict=True):
        expected = shapley_by_coalitions(*_dumped(booster, row), 5)
        np.testing.assert_allclose(found[:-1], expected, rtol=0.0, atol=1e-12)


def _staircase(n_features: int, n_rows: int = 4000) -> tuple[FloatArray, FloatArray]:
    """Rows whose best tree is a chain: each step splits a few rows off by another feature."""
    random = np.random.default_rng(0)
    matrix = random.normal(size=(n_rows, n_features))
    step = np.full(n_rows, 45)
    for place in range(45):
        leaving = (step == 45) & (matrix[:, place % n_features] > 1.6 - place // n_features * 0.4)
        step[leaving] = place
    return matrix, (random.random(n_rows) < 1 / (1 + np.exp(step / 4 - 5))).astype(float)


@pytest.mark.parametrize("n_features", [7, 45])
def test_deep_trees_keep_their_accuracy(n_features: int) -> None:
    """Paths of up to 40 edges, repeated or all different features: equal to exact fractions and LightGBM."""
    matrix, label = _staircase(n_features)
    booster = train_booster(
        matrix, label, n_trees=1, num_leaves=63, min_data_in_leaf=1, min_sum_hessian_in_leaf=0, max_depth=40,
        use_missing=False,
    )  # fmt: skip
    assert booster.trees_to_dataframe()["node_depth"].max() >= 15
    ensemble = parse_model_text(booster.model_to_string())
    found = tree_shap(ensemble, matrix[:40])
    np.testing.assert_allclose(found, booster.predict(matrix[:40], pred_contrib=True), rtol=0.0, atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=1), predict_margin(ensemble, matrix[:40]), rtol=0.0, atol=1e-12)
    for row, contributions in zip(matrix[:2], found, strict=False):
        expected = shapley_in_fractions(*_dumped(booster, row), n_features)
        np.testing.assert_allclose(contributions[:-1], expected, rtol=0.0, atol=1e-12)


def test_rows_do_not_touch_each_other() -> None:
    """A row scores the same alone, in a large block and from a read-only or transposed array."""
    matrix = _table(2, n_rows=200)
    ensemble = parse_model_text(
        train_booster(matrix, labels_for(matrix), categorical=(3, 4)).model_to_string()
    )
    frozen = np.asfortranarray(matrix)
    frozen.flags.writeable = False
    alone = np.concatenate([tree_shap(ensemble, matrix[index : index + 1]) for index in range(len(matrix))])
    np.testing.assert_array_equal(tree_shap(ensemble, frozen), alone)
    assert predict_margin(ensemble, frozen[150:151])[0] == predict_margin(ensemble, frozen)[150]


def test_matrix_of_another_width_is_refused() -> None:
    """A row with a column too few never reaches the compiled loop."""
    matrix = _table(3)
    ensemble = parse_model_text(train_booster(matrix, labels_for(matrix)).model_to_string())
    with pytest.raises(InputError, match=r"matrix: must be \(n, 5\); got \(150, 4\)"):
        predict_margin(ensemble, matrix[:, :4])
    assert predict_margin(ensemble, matrix[:0]).shape == (0,)
