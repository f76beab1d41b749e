"""Metrics against scikit-learn, and what they mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from tests.oracles.metrics_slow import calibration_error_slow, gain_slow, roc_slow, spread_slow
from training.metrics import (
    area_under_roc,
    average_precision,
    brier_losses,
    calibration_in_the_large,
    decompose_brier,
    equal_mass_bins,
    expected_calibration_error,
    expected_to_real_wins,
    gain_at,
    isotonic_fit,
    log_losses,
    spread_of_wins,
    weighted_mean,
)
from training.points import FloatArray

Rows = tuple[FloatArray, FloatArray, FloatArray]


@st.composite
def rows_with_both_classes(draw: st.DrawFn) -> Rows:
    """Draw labels, tied probabilities and weights with both classes present."""
    n = draw(st.integers(4, 60))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, n).astype(np.float64)
    label[:2] = (0.0, 1.0)
    probability = np.round(random.uniform(0.01, 0.99, n), draw(st.integers(1, 3)))
    probability = np.clip(probability, 0.01, 0.99)
    return label, probability, random.uniform(0.1, 5.0, n)


@given(rows=rows_with_both_classes())
def test_metrics_equal_scikit_learn(rows: Rows) -> None:
    """Log loss, Brier, AUC and average precision agree with scikit-learn under weights and ties."""
    label, probability, weight = rows
    expected = {
        "log_loss": log_loss(label, probability, sample_weight=weight),
        "brier": brier_score_loss(label, probability, sample_weight=weight),
        "auc": roc_auc_score(label, probability, sample_weight=weight),
        "average_precision": average_precision_score(label, probability, sample_weight=weight),
    }
    found = {
        "log_loss": weighted_mean(log_losses(label, probability), weight),
        "brier": weighted_mean(brier_losses(label, probability), weight),
        "auc": area_under_roc(label, probability, weight),
        "average_precision": average_precision(label, probability, weight),
    }
    for name, value in expected.items():
        assert float(found[name]) == pytest.approx(value, abs=1e-10), name


@given(rows=rows_with_both_classes(), share=st.floats(0.01, 1.0), n_bins=st.integers(1, 6))
def test_metrics_equal_plain_loops(rows: Rows, share: float, n_bins: int) -> None:
    """Pairs, gain, calibration error and spread agree with loops over rows, under weights and ties."""
    label, probability, weight = rows
    bins = equal_mass_bins(probability, weight, n_bins=n_bins)
    lead = np.arange(len(label)) // 3
    plain = (label.tolist(), probability.tolist(), weight.tolist())
    assert float(area_under_roc(*rows)) == pytest.approx(roc_slow(*plain), rel=1e-9, abs=1e-12)
    assert float(gain_at(*rows, share)) == pytest.approx(gain_slow(*plain, share), rel=1e-9, abs=1e-12)
    error = expected_calibration_error(label, probability, weight, bins=bins)
    assert float(error) == pytest.approx(calibration_error_slow(*plain, bins.tolist()), rel=1e-9, abs=1e-12)
    spread = spread_of_wins(probability, weight, lead)
    assert spread == pytest.approx(spread_slow(*plain[1:], lead.tolist()), rel=1e-9, abs=1e-12)


@given(rows=rows_with_both_classes())
def test_pooling_equals_isotonic_regression(rows: Rows) -> None:
    """Our pooling is scikit-learn's isotonic regression."""
    label, probability, weight = rows
    expected = IsotonicRegression().fit(probability, label, sample_weight=weight).predict(probability)
    np.testing.assert_allclose(isotonic_fit(label, probability, weight), expected, atol=1e-9)


@given(rows=rows_with_both_classes())
def test_brier_parts_add_up(rows: Rows) -> None:
    """Miscalibration minus discrimination plus uncertainty is the Brier loss; no part is negative."""
    label, probability, weight = rows
    parts = decompose_brier(label, probability, weight)
    total = parts.miscalibration - parts.discrimination + parts.uncertainty
    assert total == pytest.approx(float(weighted_mean(brier_losses(label, probability), weight)))
    assert min(parts.miscalibration, parts.discrimination, parts.uncertainty) >= -1e-12


@given(rows=rows_with_both_classes(), seed=st.integers(0, 1000))
def test_replicates_are_computed_as_if_one_by_one(rows: Rows, seed: int) -> None:
    """A matrix of weights gives what each of its rows gives alone, and order of rows does not matter."""
    label, probability, weight = rows
    random = np.random.default_rng(seed)
    draws = random.poisson(1.0, size=(5, len(label))) * weight
    order = random.permutation(len(label))
    bins = equal_mass_bins(probability, weight, n_bins=4)
    for metric in (area_under_roc, average_precision, calibration_in_the_large, expected_to_real_wins):
        one_by_one = [float(metric(label[order], probability[order], draw[order])) for draw in draws]
        np.testing.assert_allclose(metric(label, probability, draws), one_by_one, atol=1e-12)
    one_by_one = [float(expected_calibration_error(label, probability, draw, bins=bins)) for draw in draws]
    together = expected_calibration_error(label, probability, draws, bins=bins)
    np.testing.assert_allclose(together, one_by_one, atol=1e-12)


@given(rows=rows_with_both_classes())
def test_weight_two_is_the_row_twice_and_weight_zero_is_no_row(rows: Rows) -> None:
    """Weights mean repetition."""
    label, probability, _ = rows
    times = np.arange(len(label)) % 3
    label_, probability_ = (np.repeat(each, times) for each in (label, probability))
    weight = times.astype(np.float64)
    for metric in (area_under_roc, average_precision, calibration_in_the_large):
        repeated = metric(label_, probability_, np.ones(len(label_)))
        np.testing.assert_allclose(metric(label, probability, weight), repeated, atol=1e-12)


def test_equal_mass_bins_weigh_the_same() -> None:
    """Without ties ten bins of a thousand rows hold a hundred each; tied rows share a bin."""
    probability = np.random.default_rng(0).random(1000)
    counts = np.bincount(equal_mass_bins(probability, np.ones(1000), n_bins=10))
    assert counts.tolist() == [100] * 10
    assert set(equal_mass_bins(np.full(8, 0.3), np.ones(8), n_bins=10).tolist()) == {5}


def test_calibration_error_sees_a_shift_and_not_a_calibrated_model() -> None:
    """Perfect bins have no error; a constant promise 0.2 too high has an error of 0.2."""
    label = np.tile([0.0, 0.0, 0.0, 1.0], 25)
    promised = np.full(100, 0.25)
    bins = equal_mass_bins(promised, np.ones(100), n_bins=10)
    assert expected_calibration_error(label, promised, np.ones(100), bins=bins) == pytest.approx(0.0)
    assert expected_calibration_error(label, promised + 0.2, np.ones(100), bins=bins) == pytest.approx(0.2)


def test_gain_shares_ties_pro_rata() -> None:
    """The best half of tied rows holds half of the wins, and the best tenth of a perfect order all it can."""
    label = np.array([1.0, 0.0] * 5)
    assert gain_at(label, np.full(10, 0.5), np.ones(10), 0.5) == pytest.approx(0.5)
    for share, gain in ((0.1, 0.2), (0.5, 1.0), (1.0, 1.0)):
        assert gain_at(label, label, np.ones(10), share) == pytest.approx(gain)
    with pytest.raises(ValueError, match=r"share must lie in \(0, 1\]; got 0.0"):
        gain_at(label, label, np.ones(10), 0.0)


def test_one_class_has_no_auc() -> None:
    """Where a metric has no meaning the answer is NaN, not a number."""
    label, probability, weight = np.zeros(4), np.array([0.1, 0.2, 0.3, 0.4]), np.ones(4)
    for metric in (area_under_roc, average_precision, expected_to_real_wins):
        assert np.isnan(metric(label, probability, weight))
    assert np.isnan(gain_at(label, probability, weight, 0.5))
