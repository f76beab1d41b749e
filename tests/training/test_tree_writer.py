"""What is written as LightGBM text says the same in LightGBM, in our kernel and in what it was made of."""

import lightgbm
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders_candidates import COLUMNS, rows
from training.candidates.additive import AdditiveModel, fit_additive, spread_out
from training.candidates.binning import CategoryCut, NumberCut, cut_line, cut_steps
from training.candidates.boosting import SHAPES, fit_for_good
from training.candidates.tree_writer import ScaledText, join_texts, write_additive, write_constant
from training.trees import parse_model_text, predict_margin, tree_shap

FloatArray = npt.NDArray[np.float64]


def additive(most_bins: int | None) -> AdditiveModel:
    """Return a fitted additive model."""
    data = rows()
    design = spread_out(data.matrix, COLUMNS, most_bins=most_bins)
    return fit_additive(design, data.label.astype(np.float64), data.weight, penalties=(10.0, 1.0))[-1]


def assert_same_everywhere(text: str, matrix: FloatArray, expected: FloatArray) -> None:
    """Compare LightGBM's reading of a text and ours with the margins it was written from."""
    ensemble = parse_model_text(text)
    theirs = lightgbm.Booster(model_str=text).predict(matrix, raw_score=True)
    np.testing.assert_allclose(predict_margin(ensemble, matrix), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(theirs, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(tree_shap(ensemble, matrix).sum(axis=1), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("most_bins", [pytest.param(8, id="bins"), pytest.param(None, id="lines")])
def test_an_additive_model_is_a_tree_per_column(most_bins: int | None) -> None:
    """Text and table agree on seen rows, on gaps, on unseen codes and far outside of what was seen."""
    model = additive(most_bins)
    odd = np.array([[np.nan] * 3, [-1e9, 5.0, 2.0], [1e9, 0.0, -3.0], [10.0, 4.0, 1.0]])
    matrix = np.vstack([rows(seed=1).matrix, odd])
    assert_same_everywhere(write_additive(model, n_columns=3), matrix, model.margin(matrix))


numbers = st.floats(-5.0, 5.0, allow_nan=False).map(lambda value: round(value, 2))


@st.composite
def additive_models(draw: st.DrawFn) -> AdditiveModel:
    """Draw a model of a number and a category with any edges, levels, worth and counts."""
    edges = np.array(sorted(draw(st.sets(numbers, max_size=6))))
    levels = np.array(sorted(draw(st.sets(st.integers(0, 70), max_size=6))), dtype=np.int64)
    cuts = (NumberCut(edges=edges), CategoryCut(levels=levels, n_codes=72))
    few = st.sampled_from([0.0, 0.5, -1.25])
    values = [
        np.array(draw(st.lists(few | numbers, min_size=cut.n_bins, max_size=cut.n_bins))) for cut in cuts
    ]
    counts = [
        np.array(draw(st.lists(st.integers(0, 9), min_size=len(own), max_size=len(own)))) for own in values
    ]
    return AdditiveModel(intercept=draw(numbers), cuts=cuts, values=tuple(values), counts=tuple(counts))


@settings(max_examples=60, deadline=None)
@given(model=additive_models(), data=st.data())
def test_any_bins_are_written_as_they_are(model: AdditiveModel, data: st.DataObject) -> None:
    """Whatever the edges, levels and values: empty columns, equal neighbours, the edges themselves."""
    edges = model.cuts[0].edges.tolist() if isinstance(model.cuts[0], NumberCut) else []
    points = st.sampled_from([*edges, 0.0]) | numbers | st.just(float("nan"))
    codes = st.integers(0, 71).map(float) | st.just(float("nan"))
    matrix = np.array(data.draw(st.lists(st.tuples(points, codes), min_size=1, max_size=20)))
    assert_same_everywhere(write_additive(model, n_columns=2), matrix, model.margin(matrix))


def test_a_blend_is_the_scaled_sum_of_its_parts() -> None:
    """Scorecard, boosted trees and a constant joined: margins add up with their scales."""
    data, model = rows(), additive(8)
    boosted = fit_for_good(data, data.weight, SHAPES[1], COLUMNS, rounds=12, seed=0)
    parts = [
        ScaledText(text=write_additive(model, n_columns=3), scale=0.25),
        ScaledText(text=boosted, scale=0.75),
        ScaledText(text=write_constant(-0.4, n_rows=10, n_columns=3), scale=0.5),
    ]
    theirs = lightgbm.Booster(model_str=boosted).predict(data.matrix, raw_score=True)
    expected = 0.25 * model.margin(data.matrix) + 0.75 * np.asarray(theirs) - 0.2
    assert_same_everywhere(join_texts(parts, n_columns=3), data.matrix, expected)


def test_a_line_goes_on_and_bins_stop() -> None:
    """Beyond what was seen a line keeps its slope for a while; bins stay where they ended."""
    values = np.linspace(0.0, 10.0, 200)
    line, steps = cut_line(values), cut_steps(values, most_bins=8)
    assert line.line is not None
    assert line.line[line.bins(np.array([15.0]))[0]] > line.line[line.bins(np.array([10.0]))[0]] + 1.0
    assert steps.bins(np.array([15.0]))[0] == steps.bins(np.array([10.0]))[0] == 7
    assert np.bincount(steps.bins(values)).min() >= 24
