"""Evaluations: values, intervals over leads, tables."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.builders_training import day_us
from training.evaluation import ScoredPoints, evaluate, lead_draws, paired_log_loss_difference


def scored(n_leads: int = 400, *, per_lead: int = 2, seed: int = 0, shift: float = 0.0) -> ScoredPoints:
    """Return calibrated probabilities (promised `shift` too high) of leads with several snapshots each."""
    random = np.random.default_rng(seed)
    chance = np.repeat(random.uniform(0.05, 0.6, n_leads), per_lead)
    label = np.repeat(random.random(n_leads), per_lead) < chance
    created = np.repeat(random.uniform(0, 90, n_leads), per_lead)
    return ScoredPoints(
        lead_index=np.repeat(np.arange(n_leads, dtype=np.int64), per_lead),
        as_of_us=np.array([day_us(each) for each in created], dtype=np.int64),
        label=label.astype(np.int8),
        weight=np.ones(len(label)),
        probability=chance + shift,
        prior_probability=0.3,
    )


def test_a_calibrated_model_looks_calibrated() -> None:
    """Expected wins cover real wins, the gain over the prior is real, months and tenths add up."""
    found = evaluate(scored(2000), seed=0)
    ratio = found.metric("expected_to_real_wins")
    gain = found.metric("log_loss_gain")
    assert ratio is not None
    assert ratio.low < 1.0 < ratio.high
    assert gain is not None
    assert gain.low > 0.0
    assert sum(month.snapshots for month in found.months) == found.snapshots == 4000
    assert [month.month for month in found.months] == ["2025-01", "2025-02", "2025-03"]
    assert sum(row.snapshots for row in found.tenths) == 4000
    assert found.tenths[-1].gain == pytest.approx(1.0)


def test_a_promise_too_high_is_seen() -> None:
    """Ten points too much: expected wins exceed real wins beyond noise."""
    ratio = evaluate(scored(2000, shift=0.1), seed=0).metric("expected_to_real_wins")
    assert ratio is not None
    assert ratio.low > 1.1


def test_snapshots_of_one_lead_are_one_observation() -> None:
    """Showing every lead ten times narrows no interval."""
    once, ten_times = (evaluate(scored(300, per_lead=n), seed=0).metric("log_loss") for n in (1, 10))
    assert once is not None
    assert ten_times is not None
    assert ten_times.high - ten_times.low == pytest.approx(once.high - once.low, rel=0.35)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """Of 60 samples, the 95 % interval of the win rate misses the true rate a few times at most."""
    truth = 0.325
    missed = 0
    for seed in range(60):
        interval = evaluate(scored(200, seed=seed), seed=seed).metric("win_rate")
        assert interval is not None
        missed += not interval.low <= truth <= interval.high
    assert missed <= 9


def test_the_same_seed_gives_the_same_intervals() -> None:
    """Evaluations can be repeated to the last bit."""
    assert evaluate(scored(), seed=5) == evaluate(scored(), seed=5)


def test_one_class_has_no_auc_and_says_so() -> None:
    """Where every lead ended alike, metrics without meaning are named, not invented."""
    points = scored()
    found = evaluate(replace(points, label=np.zeros_like(points.label)), seed=0)
    assert found.metric("auc") is None
    ranking = {"auc", "average_precision", "lift_best_tenth", "gain_best_fifth"}
    assert set(found.not_applicable) == {*ranking, "expected_to_real_wins"}
    assert found.metric("log_loss") is not None
    assert {(row.gain, row.lift) for row in found.tenths} == {(None, None)}
    assert "NaN" not in json.dumps(found.to_dict())


def test_paired_differences_are_sharper_than_two_intervals() -> None:
    """A model that is worse on every lead is seen as worse although its own interval overlaps."""
    better, worse = scored(), replace(scored(), probability=scored().probability * 0.85)
    difference = paired_log_loss_difference(worse, better, seed=0)
    assert paired_log_loss_difference(better, better, seed=0).value == 0.0
    assert difference.value > 0.0
    separate = evaluate(better, seed=0).metric("log_loss")
    assert separate is not None
    assert difference.high - difference.low < separate.high - separate.low


@pytest.mark.parametrize("seed", range(5))
def test_every_interval_holds_its_value(seed: int) -> None:
    """Resampling alone raises the calibration error; its interval is freed of that and never below 0."""
    for name, found in evaluate(scored(300, seed=seed), seed=seed).metrics:
        assert found.low <= found.value <= found.high, name
    ece = evaluate(scored(300, seed=seed), seed=seed).metric("ece")
    assert ece is not None
    assert ece.low >= 0.0


def test_every_draw_takes_as_many_leads_as_there_are() -> None:
    """A draw is a sample of leads with replacement: counts add up, and all rows of a lead come with it."""
    lead_index = np.array([5, 5, 9, 2, 2, 2], dtype=np.int64)
    drawn = np.concatenate(list(lead_draws(lead_index, seed=1)))
    assert drawn.shape == (500, 6)
    first_rows = drawn[:, [0, 2, 3]]
    assert (first_rows.sum(axis=1) == 3).all()
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 1])
    np.testing.assert_array_equal(drawn[:, 3], drawn[:, 5])
    assert first_rows.mean(axis=0) == pytest.approx([1.0, 1.0, 1.0], abs=0.15)
