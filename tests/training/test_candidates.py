"""What competes, on which folds, what is chosen, and that a fit means what it says."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders_candidates import COLUMNS, rows
from training.candidates.additive import directed, fit_additive, level_shift, spread_out
from training.candidates.boosting import SHAPES
from training.candidates.candidate import Additive, Blend, BoostedTrees, Candidate, Prior
from training.candidates.choice import choose
from training.candidates.folds import make_folds
from training.candidates.learn import _Levels, _levels, learn
from training.candidates.rows import Columns, TrainingRows, recency_weights
from training.candidates.search import Judged, Search, Trial, search
from training.points import log_odds_to_probability
from training.trees import parse_model_text, predict_margin

SCORECARD = Additive(most_bins=8, penalty=3.0, half_life=None)
LINE = Additive(most_bins=None, penalty=3.0, half_life=0.5)
TREES = BoostedTrees(shape=SHAPES[0], rounds=8, half_life=None, n_seeds=2)
CANDIDATES = (Prior(), SCORECARD, LINE, TREES, Blend(members=(SCORECARD, TREES)))


def endless() -> float:
    """Return a budget that never ends."""
    return 1.0


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda each: str(each.name))
def test_a_fit_repeats_itself_and_keeps_the_level(candidate: Candidate) -> None:
    """The same seed gives the same text, and the expected wins are about the real ones."""
    data = rows()
    text = candidate.fit(data, COLUMNS, seed=3)
    assert text == candidate.fit(data, COLUMNS, seed=3)
    probability = log_odds_to_probability(predict_margin(parse_model_text(text), data.matrix))
    assert probability.mean() == pytest.approx(data.label.mean(), abs=0.05)
    assert all(isinstance(value, int | float | str | bool) for _, value in candidate.parameters)


def test_the_prior_is_the_weighted_base_rate() -> None:
    """The prior's one leaf is the share of wins, weights counted."""
    data = rows()
    margin = predict_margin(parse_model_text(Prior().fit(data, COLUMNS, seed=0)), data.matrix)
    base_rate = data.weight @ data.label / data.weight.sum()
    np.testing.assert_allclose(log_odds_to_probability(margin), base_rate, rtol=1e-9)


def test_a_scorecard_without_a_penalty_is_logistic_regression() -> None:
    """scikit-learn's logistic regression on the same terms and penalty gives the same margins."""
    from sklearn.linear_model import LogisticRegression

    data = rows()
    plain = Columns(n_codes=COLUMNS.n_codes, monotone=(0, 0, 0))
    design = spread_out(data.matrix, plain, most_bins=8)
    label = data.label.astype(np.float64)
    ours = fit_additive(design, label, data.weight, penalties=(2.0,))[0]
    terms = design.spread[:, :-1].toarray()
    theirs = LogisticRegression(C=0.5, tol=1e-10, max_iter=2000).fit(terms, data.label, data.weight)
    np.testing.assert_allclose(ours.margin(data.matrix), theirs.decision_function(terms), atol=2e-3)


@given(
    values=st.lists(st.floats(-3, 3, allow_nan=False), min_size=2, max_size=12),
    direction=st.sampled_from([-1, 1]),
)
def test_an_agreed_direction_holds(values: list[float], direction: int) -> None:
    """Bins ascend or descend as agreed, their mean stays, and what already does is left alone."""
    given_values, counts = np.array([*values, 0.7]), np.ones(len(values) + 1, dtype=np.int64)
    found = directed(given_values, counts, direction)
    assert (np.diff(found[:-1]) * direction >= -1e-12).all()
    assert found[-1] == 0.7
    assert found[:-1].mean() == pytest.approx(np.mean(values), abs=1e-9)
    np.testing.assert_allclose(directed(found, counts, direction), found, atol=1e-12)


@pytest.mark.parametrize("candidate", [SCORECARD, LINE, TREES], ids=lambda each: str(each.name))
def test_no_candidate_goes_against_an_agreed_direction(candidate: Candidate) -> None:
    """With labels turned round, the column that may only help helps nobody: it never harms."""
    turned = replace(rows(), label=(1 - rows().label).astype(np.int8))
    ensemble = parse_model_text(candidate.fit(turned, COLUMNS, seed=0))
    grid = np.column_stack([np.linspace(-5, 20, 60), np.full(60, 1.0), np.zeros(60)])
    assert (np.diff(predict_margin(ensemble, grid)) >= -1e-12).all()


@settings(max_examples=40, deadline=None)
@given(n_leads=st.integers(12, 80), per_lead=st.integers(1, 4), ordered=st.booleans(), seed=st.integers(0, 9))
def test_a_lead_is_on_one_side_of_a_fold(n_leads: int, per_lead: int, ordered: bool, seed: int) -> None:
    """Leads are dealt out whole; forward folds fit on older leads only; no row is judged twice."""
    n, random = n_leads * per_lead, np.random.default_rng(seed)
    lead = np.repeat(np.arange(n_leads), per_lead)
    data = TrainingRows(
        matrix=np.zeros((n, 1)),
        label=random.integers(0, 2, n).astype(np.int8),
        weight=np.ones(n),
        lead_index=lead,
        position=(lead * 10 + random.integers(0, 10, n)) if ordered else None,
    ).where(random.permutation(n))
    judged = []
    for fold in make_folds(data, seed=seed):
        sides = data.where(fold.fitted), data.where(fold.judged)
        assert not set(sides[0].lead_index) & set(sides[1].lead_index)
        assert sides[0].has_both_classes
        if ordered:
            assert sides[0].lead_index.max() < sides[1].lead_index.min()
        judged.extend(fold.judged.tolist())
    assert len(judged) == len(set(judged))


def test_newer_rows_count_more_and_the_newest_in_full() -> None:
    """A half-life of a half of the rows gives the middle row half the weight, whatever the order of rows."""
    data = replace(rows(101), weight=np.ones(101))
    weight = recency_weights(data, 0.5)
    assert weight[-1] == 1.0
    assert weight[50] == pytest.approx(0.5, abs=0.01)
    backwards = np.arange(101)[::-1]
    np.testing.assert_allclose(recency_weights(data.where(backwards), 0.5), weight[backwards])
    np.testing.assert_array_equal(recency_weights(data, None), data.weight)


def test_what_there_is_to_learn_is_learnt_and_noise_is_not() -> None:
    """With a signal a model is chosen; without one the base rate."""
    learnt = learn(rows(900), COLUMNS, seed=0, seconds_left=endless)
    assert learnt.chosen.candidate.name != "prior"
    noise = learn(rows(900, signal=False), COLUMNS, seed=0, seconds_left=endless)
    assert noise.chosen.candidate.name == "prior"
    assert noise.evidence == "scorecard"
    assert not learnt.cut_short


def test_a_budget_cuts_the_search_and_says_so() -> None:
    """Without time the base rate and the first scorecard are tried, nothing else."""
    folds = make_folds(rows(), seed=0)
    found = search(rows(), COLUMNS, folds, seed=0, seconds_left=lambda: -1.0)
    assert found.cut_short
    assert {trial.candidate.name for trial in found.trials} == {"prior", "scorecard"}
    assert learn(rows(), COLUMNS, seed=0, seconds_left=lambda: -1.0).cut_short


def tried(name: str, margins: list[float], judged: Judged) -> Trial:
    """Return a trial with given margins of four rows."""
    return judged.trial(Prior(name=name), np.array(margins))


@pytest.mark.parametrize(
    ("simple", "expected"),
    [
        pytest.param([-1.2, 0.9, -1.3, 1.4], "scorecard", id="a-little-worse-within-noise"),
        pytest.param([-0.1, 0.1, -0.1, 0.1], "linear", id="clearly-worse"),
    ],
)
def test_the_simplest_within_one_standard_error_is_chosen(simple: list[float], expected: str) -> None:
    """Simpler first, as long as the best is not better beyond noise."""
    four = replace(rows(4), label=np.array([0, 1, 0, 1], dtype=np.int8), lead_index=np.arange(4))
    judged = Judged(rows=four, importance=np.ones(4), fold=np.zeros(4, dtype=np.int64))
    trials = (
        tried("prior", [0.0] * 4, judged),
        tried("scorecard", simple, judged),
        tried("linear", [-1.3, 1.2, -1.1, 1.2], judged),
    )
    assert choose(Search(judged=judged, trials=trials, cut_short=False)).chosen.candidate.name == expected


def test_the_level_is_moved_to_the_real_wins() -> None:
    """After the shift expected and real wins agree."""
    data = rows()
    margin, label = np.linspace(-4.0, 1.0, 600), data.label.astype(np.float64)
    moved = log_odds_to_probability(margin + level_shift(margin, label, data.weight))
    assert data.weight @ moved == pytest.approx(data.weight @ label, rel=1e-6)


def test_a_level_that_keeps_moving_is_followed_and_a_single_jump_only_in_part() -> None:
    """Four folds that need the same are believed; one that needs it alone, less; none, not at all."""
    share = np.array([0.1, 0.2, 0.3, 0.4])
    same, jump, around = (
        _Levels(together=0.5, own=np.array(own), share=share, chance=0.0).reliability
        for own in ([0.5, 0.5, 0.5, 0.5], [0.0, 0.0, 0.0, 1.2], [0.4, -0.3, 0.3, -0.175])
    )
    assert same == 1.0
    assert 0.3 < jump < 0.8
    assert around < 0.01


@pytest.mark.parametrize(("leads", "least", "most"), [(40, 0.0, 0.4), (40_000, 0.98, 1.0)])
def test_few_leads_say_little_of_a_level(leads: int, least: float, most: float) -> None:
    """All folds need the same half a unit: of forty leads it is hardly believed, of many it is."""
    fold = np.repeat(np.arange(4), leads // 4)
    label = (np.arange(leads) % 2).astype(np.int8)
    alone = TrainingRows(
        matrix=np.zeros((leads, 1)),
        label=label,
        weight=np.ones(leads),
        lead_index=np.arange(leads),
        position=np.arange(leads),
    )
    found = _levels(np.full(leads, -0.5), Judged(rows=alone, importance=np.ones(leads), fold=fold))
    assert found.together == pytest.approx(0.5, abs=1e-6)
    assert least < found.reliability < most
    # A mean of n answers at even odds has the variance 1 / (n/4) in log-odds.
    assert found.chance == pytest.approx(4.0 / leads)
