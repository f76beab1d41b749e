"""What became of a lead within the horizon, as known at one instant."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.build import Points
from tests.builders_training import crm_tables, day_us, finished_cases
from tests.oracles.labels_slow import slow_labels
from training.labels import MIN_FOLLOWED_SHARE, Labels, label_points
from training.snapshots import LANDMARK_AGES_DAYS, snapshot_points

N_LEADS = 6
half_days = st.integers(0, 240).map(lambda number: number / 2)
points_strategy = st.lists(st.tuples(st.integers(0, N_LEADS - 1), half_days), min_size=1, max_size=40)
deals_strategy = st.lists(
    st.tuples(
        st.integers(0, N_LEADS - 1), half_days.filter(lambda at: at > 0), st.sampled_from(["won", "lost"])
    ),
    max_size=12,
)


def labels_of(
    points: list[tuple[int, float]],
    deals: list[tuple[int, float, str]],
    *,
    known_until: float,
    horizon_days: int = 30,
) -> Labels:
    """Label points of leads that were all created on day 0."""
    return label_points(
        crm_tables([0.0] * N_LEADS, deals),
        Points(
            lead_index=np.array([lead for lead, _ in points], dtype=np.int64),
            as_of_us=np.array([day_us(as_of) for _, as_of in points], dtype=np.int64),
        ),
        horizon_days=horizon_days,
        known_until_us=day_us(known_until),
    )


@given(points=points_strategy, deals=deals_strategy, horizon=st.integers(1, 90), known_until=half_days)
def test_labels_equal_the_slow_definition(
    points: list[tuple[int, float]], deals: list[tuple[int, float, str]], horizon: int, known_until: float
) -> None:
    """Label, known and weight are what a person would say point by point, ties and all."""
    found = labels_of(points, deals, known_until=known_until, horizon_days=horizon)
    slow = slow_labels(
        points,
        deals,
        horizon_days=horizon,
        known_until=known_until,
        landmarks=LANDMARK_AGES_DAYS,
        least_share=MIN_FOLLOWED_SHARE,
    )
    assert found.known.tolist() == [each.label is not None for each in slow]
    assert found.label[found.known].tolist() == [each.label for each in slow if each.label is not None]
    np.testing.assert_allclose(found.weight, [each.weight for each in slow], rtol=1e-12)


@given(points=points_strategy, deals=deals_strategy, known_until=half_days)
def test_what_happens_after_the_cut_off_is_invisible(
    points: list[tuple[int, float]], deals: list[tuple[int, float, str]], known_until: float
) -> None:
    """Deleting every deal after the cut-off changes no label and no weight."""
    past = [deal for deal in deals if deal[1] <= known_until]
    with_future = labels_of(points, deals, known_until=known_until)
    without = labels_of(points, past, known_until=known_until)
    np.testing.assert_array_equal(with_future.label, without.label)
    np.testing.assert_array_equal(with_future.weight, without.weight)


def test_an_open_lead_is_censored_not_lost() -> None:
    """Still open with its horizon running: no label and no weight; lost and overdue ones are a no."""
    found = labels_of([(0, 20), (1, 20), (2, 14)], [(1, 25, "lost")], known_until=45)
    assert found.known.tolist() == [False, True, True]
    assert found.label.tolist() == [0, 0, 0]


def test_weights_undo_censoring_on_average() -> None:
    """Half of the leads are followed too briefly; the weighted share of wins is still the true one."""
    random = np.random.default_rng(1)
    n_leads, horizon = 4000, 30
    created = random.uniform(0, 60, n_leads)
    wins = random.random(n_leads) < 0.4
    closes = created + random.uniform(0.5, 29.5, n_leads)
    tables = crm_tables(
        created.tolist(), [(int(lead), float(closes[lead]), "won") for lead in np.flatnonzero(wins)]
    )
    points = Points(
        lead_index=np.arange(n_leads, dtype=np.int64),
        as_of_us=np.array([day_us(each) for each in created], dtype=np.int64),
    )
    found = label_points(tables, points, horizon_days=horizon, known_until_us=day_us(60))
    assert 0.4 < found.known.mean() < 0.8
    still_open_is_lost = (wins & (closes <= 60)).mean()
    weighted = (found.weight @ found.label) / found.weight.sum()
    assert abs(still_open_is_lost - wins.mean()) > 0.07
    assert abs(weighted - wins.mean()) < 0.02


def test_weights_undo_censoring_at_every_age() -> None:
    """Older snapshots are followed for less time and win more often; each age gets its true share back."""
    random = np.random.default_rng(2)
    n_leads, horizon = 20_000, 30
    created = random.uniform(0, 80, n_leads)
    quick, slow = random.random((2, n_leads)) < [[0.2], [0.5]]
    waited = np.where(quick, random.uniform(0, 5, n_leads), random.uniform(20, 40, n_leads))
    closes = created + waited
    won = np.where(quick, random.random(n_leads) < 0.2, slow)
    deals = [(lead, float(closes[lead]), "won" if won[lead] else "lost") for lead in range(n_leads)]
    tables = crm_tables(created.tolist(), deals)
    points = snapshot_points(tables, until_us=day_us(80))
    truth = label_points(tables, points, horizon_days=horizon, known_until_us=day_us(200)).label
    found = label_points(tables, points, horizon_days=horizon, known_until_us=day_us(80))
    age = (points.as_of_us - day_us(0)) / 86_400e6 - created[points.lead_index]
    for landmark in (0, 1, 3, 7, 14, 30):
        own = np.abs(age - landmark) < 0.01
        weighted = (found.weight[own] @ found.label[own]) / found.weight[own].sum()
        assert abs(weighted - truth[own].mean()) < 0.03, landmark


def test_an_age_that_knows_only_quick_answers_is_not_used() -> None:
    """One point in twenty followed for the horizon cannot speak for the slow answers; one in ten can."""
    early, late = (0, 2.0), (1, 2.5)
    deals = [(1, 3.0, "won")]
    used = labels_of([early] + [late] * 9, deals, known_until=32)
    assert used.weight.tolist() == [10.0] + [1.0] * 9
    unused = labels_of([early] + [late] * 19, deals, known_until=32)
    assert not unused.known.any()
    assert not unused.weight.any()


def test_a_flat_table_keeps_its_outcome() -> None:
    """Without times every outcome weighs one, and a lead without a deal is unknown."""
    tables = finished_cases(n_leads=20)
    open_lead = crm_tables([None, None], [(0, None, "won")])
    points = Points(lead_index=np.arange(20), as_of_us=np.zeros(20, dtype=np.int64))
    assert label_points(tables, points, horizon_days=30, known_until_us=None).weight.tolist() == [1.0] * 20
    two = Points(lead_index=np.arange(2), as_of_us=np.zeros(2, dtype=np.int64))
    assert label_points(open_lead, two, horizon_days=30, known_until_us=None).known.tolist() == [True, False]
