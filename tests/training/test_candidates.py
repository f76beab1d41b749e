"""What competes, what is chosen, and that every candidate ends as a text our own parser reads."""

from dataclasses import replace

import numpy as np
import pytest

from features.definitions import Feature, FeatureKind, FeatureSet
from training.candidates.candidate import (
    Candidate,
    TrainingRows,
    Tried,
    choose,
    shifted_log_losses,
    try_candidate,
)
from training.candidates.lightgbm_model import TREE_CANDIDATES
from training.candidates.prior import Prior
from training.metrics import log_losses
from training.points import log_odds_to_probability
from training.trees import parse_model_text, predict_margin

FEATURES = FeatureSet(
    features=(
        Feature(
            name='size "of" {company}',
            kind=FeatureKind.ATTRIBUTE_NUMBER,
            family="attribute:size",
            attribute="size",
            monotone=1,
        ),
        Feature(
            name="industry",
            kind=FeatureKind.ATTRIBUTE_CATEGORY,
            family="attribute:industry",
            attribute="industry",
            levels=("a", "b", "c"),
        ),
    ),
    timezone="UTC",
    activity_kinds=(),
)


def rows(n: int = 800, seed: int = 0) -> TrainingRows:
    """Return rows whose label depends on a number and a category."""
    random = np.random.default_rng(seed)
    size, industry = random.uniform(0, 10, n), random.integers(0, 4, n).astype(np.float64)
    size[::17] = np.nan
    chance = 0.1 + 0.05 * np.nan_to_num(size) + 0.3 * (industry == 2)
    return TrainingRows(
        matrix=np.column_stack([size, industry]),
        label=(random.random(n) < chance).astype(np.int8),
        weight=random.uniform(0.5, 2.0, n),
        lead_index=np.arange(n, dtype=np.int64) // 3,
    )


@pytest.mark.parametrize("candidate", [Prior(), *TREE_CANDIDATES], ids=lambda each: str(each.name))
def test_a_fitted_candidate_is_read_back_and_reproducible(candidate: Candidate) -> None:
    """The text of a fit is the same for the same seed, and our trees give LightGBM's margins."""
    import lightgbm

    data = rows()
    texts = [candidate.fit(data, rounds=20, feature_set=FEATURES, seed=3) for _ in range(2)]
    assert texts[0] == texts[1]
    expected = lightgbm.Booster(model_str=texts[0]).predict(data.matrix, raw_score=True)
    np.testing.assert_allclose(predict_margin(parse_model_text(texts[0]), data.matrix), expected, atol=1e-9)


def test_the_prior_is_the_weighted_base_rate() -> None:
    """The prior's one leaf is the share of wins, weights counted."""
    data = rows()
    margin = predict_margin(
        parse_model_text(Prior().fit(data, rounds=1, feature_set=FEATURES, seed=0)), data.matrix
    )
    base_rate = data.weight @ data.label / data.weight.sum()
    np.testing.assert_allclose(log_odds_to_probability(margin), base_rate, rtol=1e-6)


def test_trees_beat_the_prior_where_there_is_something_to_learn() -> None:
    """On data with a signal a tree candidate is chosen; without one the prior is."""
    validation = rows(seed=1)
    candidates = (Prior(), *TREE_CANDIDATES)
    learnt = [try_candidate(each, rows(), validation, feature_set=FEATURES, seed=0) for each in candidates]
    assert choose(learnt, validation).candidate.name.startswith("lightgbm")
    noise, judged = (
        replace(data, label=np.random.default_rng(seed).integers(0, 2, 800).astype(np.int8))
        for seed, data in enumerate((rows(), validation))
    )
    nothing = [try_candidate(each, noise, judged, feature_set=FEATURES, seed=0) for each in candidates]
    assert choose(nothing, judged).candidate.name == "prior"


def tried(name: str, losses: list[float]) -> Tried:
    """Return a candidate with given losses."""
    return Tried(
        candidate=Prior(name=name),
        rounds=1,
        validation_log_loss=float(np.mean(losses)),
        losses=np.array(losses),
    )


@pytest.mark.parametrize(
    ("simple", "expected"),
    [
        pytest.param([0.30, 0.51, 0.30, 0.51], "simple", id="a-little-worse-within-noise"),
        pytest.param([0.60, 0.61, 0.59, 0.60], "best", id="clearly-worse"),
    ],
)
def test_the_simplest_within_one_standard_error_is_chosen(simple: list[float], expected: str) -> None:
    """Simpler first, as long as the best is not better beyond noise."""
    validation = TrainingRows(
        matrix=np.zeros((4, 1)),
        label=np.array([0, 1, 0, 1], dtype=np.int8),
        weight=np.ones(4),
        lead_index=np.arange(4, dtype=np.int64),
    )
    both = [tried("simple", simple), tried("best", [0.40, 0.40, 0.40, 0.40])]
    assert choose(both, validation).candidate.name == expected


def test_a_drifted_base_rate_does_not_count_against_a_candidate() -> None:
    """Moving all log-odds by a constant changes the plain log loss and leaves the shifted one as it was."""
    data = rows()
    probability = np.clip(np.linspace(0.05, 0.6, 800), 0.01, 0.99)
    halved = log_odds_to_probability(np.log(probability / (1 - probability)) - 1.5)
    assert log_losses(data.label, halved).mean() > log_losses(data.label, probability).mean() + 0.05
    np.testing.assert_allclose(
        shifted_log_losses(data, halved), shifted_log_losses(data, probability), atol=1e-6
    )
