"""Labels for learning: answers where there are any, and else the chance that leads of an age have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.build import Points
from tests.builders_training import crm_tables, day_us, finished_cases
from tests.oracles.closing_slow import slow_win_chance
from training.closing import LEAST_OPEN
from training.labels import TeachingLabels, label_points, teaching_labels
from training.outcomes import DAY_US, lead_created_us
from training.snapshots import snapshot_points, stay_weights

HORIZON = 20
Case = tuple[list[float], list[tuple[int, float | None, str]]]


@st.composite
def crms(draw: st.DrawFn) -> Case:
    """Draw leads created on whole days and at most one deal for each."""
    created = draw(st.lists(st.integers(0, 40), min_size=25, max_size=40))
    waits = draw(st.lists(st.integers(1, 60), min_size=len(created), max_size=len(created)))
    ends = draw(st.lists(st.sampled_from(["won", "lost", ""]), min_size=len(created), max_size=len(created)))
    deals: list[tuple[int, float | None, str]] = [
        (lead, float(created[lead] + waits[lead]), end) for lead, end in enumerate(ends) if end
    ]
    return [float(day) for day in created], deals


def taught(case: Case, known_until: float, *, cut: float | None = None) -> tuple[Points, TeachingLabels]:
    """Label the snapshots until `cut` as known at `known_until`."""
    tables = crm_tables(*case)
    points = snapshot_points(tables, until_us=day_us(known_until if cut is None else cut))
    labels = teaching_labels(tables, points, horizon_days=HORIZON, known_until_us=day_us(known_until))
    return points, labels


def slow_chance(case: Case, lead: int, as_of: float, known_until: float) -> float | None:
    """Say as a person would what a snapshot teaches; None where too few leads are that old."""
    created, deals = case
    closed = {who: (day, end) for who, day, end in deals}
    day, end = closed.get(lead, (float("inf"), ""))
    if day is not None and day <= min(as_of + HORIZON, known_until):
        return float(end == "won")
    if known_until - as_of >= HORIZON:
        return 0.0
    seen = []
    for who, start in enumerate(created):
        day, end = closed.get(who, (float("inf"), ""))
        if start <= known_until:
            is_closed = day is not None and day <= known_until
            seen.append(
                (int((day if is_closed and day else known_until) - start), end if is_closed else "open")
            )
    until = as_of + HORIZON - created[lead]
    if sum(1 for age, _ in seen if age >= until) < LEAST_OPEN:
        return None
    return float(slow_win_chance(seen, int(known_until - created[lead]), int(until)))


@given(case=crms(), known_until=st.integers(5, 90))
@settings(max_examples=60)
def test_what_is_taught_equals_the_slow_definition(case: Case, known_until: int) -> None:
    """Answers as a person gives them; open leads by redistribution to the right over all leads known."""
    points, labels = taught(case, known_until)
    for row, (lead, as_of_us) in enumerate(zip(points.lead_index, points.as_of_us, strict=True)):
        expected = slow_chance(case, int(lead), (as_of_us - day_us(0)) / DAY_US, known_until)
        if expected is not None:
            assert labels.chance[row] == pytest.approx(expected, abs=1e-9)


@given(case=crms(), known_until=st.integers(0, 90))
def test_what_happens_after_the_cut_off_is_invisible(case: Case, known_until: int) -> None:
    """Neither later deals nor later leads change what a snapshot teaches."""
    created, deals = case
    past = [deal for deal in deals if deal[1] is not None and deal[1] <= known_until]
    flipped = [
        (lead, day, end if (lead, day, end) in past else {"won": "lost", "lost": "won"}[end])
        for lead, day, end in deals
    ]
    labels = [taught((created, each), known_until)[1] for each in (deals, past, flipped)]
    for other in labels[1:]:
        np.testing.assert_array_equal(labels[0].chance, other.chance)
        np.testing.assert_array_equal(labels[0].answered, other.answered)


@given(case=crms(), days=st.tuples(st.integers(0, 90), st.integers(0, 90)))
def test_following_longer_never_changes_an_answer(case: Case, days: tuple[int, int]) -> None:
    """What was answered stays answered, and the same way."""
    early, late = sorted(days)
    before, after = (taught(case, known, cut=early)[1] for known in (early, late))
    assert after.answered[before.answered].all()
    np.testing.assert_array_equal(after.chance[before.answered], before.chance[before.answered])


@given(case=crms(), known_until=st.integers(0, 90), seed=st.integers(0, 99))
def test_rows_say_the_same_as_the_labels(case: Case, known_until: int, seed: int) -> None:
    """For every point the weights of its rows add up to its own, and those of its wins to its chance."""
    _, labels = taught(case, known_until)
    probability = np.random.default_rng(seed).random(len(labels.chance))
    for each in (labels, labels.sharpened(probability)):
        rows = each.rows()
        assert (rows.weight >= 0.0).all()
        total, won = (
            np.bincount(rows.position, weights, len(each.chance))
            for weights in (rows.weight, rows.weight * rows.label)
        )
        np.testing.assert_allclose(total, stay_weights(each.landmark))
        np.testing.assert_allclose(won, each.weight * each.chance, atol=1e-12)


@given(case=crms(), known_until=st.integers(0, 90), seed=st.integers(0, 99))
def test_sharpening_tells_leads_apart_and_keeps_the_level(case: Case, known_until: int, seed: int) -> None:
    """Answers and the mean of each landmark stay; what a model thinks alike of all changes nothing."""
    _, labels = taught(case, known_until)
    probability = np.random.default_rng(seed).random(len(labels.chance))
    sharper = labels.sharpened(probability)
    np.testing.assert_array_equal(sharper.chance[labels.answered], labels.chance[labels.answered])
    for each in np.unique(labels.landmark):
        own = (labels.landmark == each) & ~labels.answered
        assert sharper.chance[own].sum() == pytest.approx(labels.chance[own].sum(), abs=1e-4)
    same = labels.sharpened(np.full(len(labels.chance), 0.3))
    np.testing.assert_allclose(same.chance, labels.chance, atol=2e-6)


def test_a_likelier_lead_teaches_more_of_a_win() -> None:
    """Of open leads of one age the one that the model prefers counts more as a win, the others less."""
    _, labels = taught(([0.0] * 40, [(lead, 4.0, "won") for lead in range(10)]), 5, cut=0)
    unsure = np.flatnonzero(~labels.answered)
    probability = np.where(np.arange(len(labels.chance)) == unsure[0], 0.6, 0.2)
    sharper = labels.sharpened(probability).chance[unsure]
    assert len(unsure) == 30
    assert sharper[0] > labels.chance[unsure][0] > sharper[1]


def test_ages_that_nobody_was_followed_at_for_a_horizon_teach_their_rate() -> None:
    """A history of 60 days, a horizon of 30: at age 30 weights know nothing, the curve does."""
    random = np.random.default_rng(5)
    n_leads = 20_000
    created = random.uniform(0, 60, n_leads)
    closes = created + random.exponential(40, n_leads)
    won = random.random(n_leads) < np.where(closes - created > 20, 0.5, 0.1)
    deals = [(lead, float(closes[lead]), "won" if won[lead] else "lost") for lead in range(n_leads)]
    tables = crm_tables(created.tolist(), deals)
    points = snapshot_points(tables, until_us=day_us(60))
    truth = label_points(tables, points, horizon_days=30, known_until_us=day_us(200)).label
    known = label_points(tables, points, horizon_days=30, known_until_us=day_us(60)).known
    found = teaching_labels(tables, points, horizon_days=30, known_until_us=day_us(60))
    age_days = np.round((points.as_of_us - lead_created_us(tables)[points.lead_index]) / DAY_US)
    assert not known[age_days == 30].any()
    for age in (0, 3, 7, 14, 30):
        own = age_days == age
        assert found.chance[own].mean() == pytest.approx(truth[own].mean(), abs=0.025), age


def test_a_flat_table_keeps_its_outcome() -> None:
    """Without times every outcome is an answer, and a lead without a deal teaches nothing."""
    points = Points(lead_index=np.arange(20), as_of_us=np.zeros(20, dtype=np.int64))
    cases = teaching_labels(finished_cases(n_leads=20), points, horizon_days=30, known_until_us=None)
    assert cases.answered.all()
    assert cases.rows().weight.tolist() == [1.0] * 20
    two = Points(lead_index=np.arange(2), as_of_us=np.zeros(2, dtype=np.int64))
    half = teaching_labels(
        crm_tables([None, None], [(0, None, "won")]), two, horizon_days=30, known_until_us=None
    )
    assert half.rows().position.tolist() == [0]
    assert half.sharpened(np.array([0.5, 0.5])).rows().label.tolist() == [1]
