"""The recipe: no future enters, a seed gives one model, and too little data is refused in words."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.build import build_features
from features.errors import InputError
from features.tables import DEALS, DEALS_SCHEMA, CanonicalTables, sort_canonically
from tests.builders_training import crm_tables, day, day_us, finished_cases, learnable_crm, silent
from training.data_hash import hash_tables
from training.evaluation import evaluate
from training.recipe import FittedModel, PreparedData, fit_model, prepare

HORIZON = 30
DATASETS = Path(__file__).resolve().parents[2] / "experiments" / "datasets"


@pytest.fixture(scope="module")
def crm() -> CanonicalTables:
    """Return a year of leads with something to learn."""
    return learnable_crm(n_leads=1200)


@pytest.fixture(scope="module")
def data(crm: CanonicalTables) -> PreparedData:
    """Return its parts, labels and features."""
    return prepare(crm, horizon_days=HORIZON)


@pytest.fixture(scope="module")
def fitted(crm: CanonicalTables, data: PreparedData) -> FittedModel:
    """Return its model."""
    return fit_model(crm, data, horizon_days=HORIZON, seed=0, progress=silent)


def flip_outcomes_after(crm: CanonicalTables, instant_us: int) -> CanonicalTables:
    """Turn every deal that closed after an instant into its opposite."""
    rows = crm.deals.to_pylist()
    for row in rows:
        if row["closed_at"].timestamp() * 1_000_000 > instant_us:
            row["outcome"] = "lost" if row["outcome"] == "won" else "won"
    return replace(crm, deals=sort_canonically(DEALS, pa.Table.from_pylist(rows, schema=DEALS_SCHEMA)))


def add_activities(crm: CanonicalTables, rows: list[dict[str, object]]) -> CanonicalTables:
    """Add activities to a CRM."""
    added = pa.Table.from_pylist(rows, schema=crm.activities.schema)
    return replace(crm, activities=sort_canonically("activities", pa.concat_tables([crm.activities, added])))


def test_a_future_planted_after_the_cut_off_cannot_enter(
    crm: CanonicalTables, data: PreparedData, fitted: FittedModel
) -> None:
    """Flip every later outcome and add a later activity that names the winner: the same trees are learnt."""
    cut_off_us = data.split.calibration.known_until_us
    assert cut_off_us is not None
    telling = [
        {
            "activity_id": f"leak-{row['lead_id']}",
            "lead_id": row["lead_id"],
            "occurred_at": max(row["closed_at"], day((cut_off_us - day_us(0)) / 86_400_000_000 + 0.01)),
            "kind": f"we_know_it_was_{row['outcome']}",
        }
        for row in crm.deals.to_pylist()
    ]
    leaky = add_activities(flip_outcomes_after(crm, cut_off_us), telling)
    leaky_data = prepare(leaky, horizon_days=HORIZON)
    leaky_fit = fit_model(leaky, leaky_data, horizon_days=HORIZON, seed=0, progress=silent)
    assert leaky_data.split.calibration.known_until_us == cut_off_us
    assert leaky_data.feature_set == data.feature_set
    np.testing.assert_array_equal(leaky_data.train.labels.label, data.train.labels.label)
    np.testing.assert_array_equal(leaky_data.train.labels.weight, data.train.labels.weight)
    assert leaky_fit.model_text == fitted.model_text
    assert not np.array_equal(leaky_data.test.labels.label, data.test.labels.label)


def test_what_follows_the_closing_is_never_seen_by_a_snapshot(crm: CanonicalTables) -> None:
    """A contract mail right after each win is a perfect predictor; no training row ever shows one."""
    contracts = [
        {
            "activity_id": f"contract-{row['lead_id']}",
            "lead_id": row["lead_id"],
            "occurred_at": row["closed_at"],
            "kind": "contract_mail",
        }
        for row in crm.deals.to_pylist()
        if row["outcome"] == "won"
    ]
    leaky = add_activities(crm, contracts)
    data = prepare(leaky, horizon_days=HORIZON)
    columns = [
        index
        for index, feature in enumerate(data.feature_set.features)
        if feature.activity_kind == "contract_mail" and feature.kind == "count"
    ]
    assert columns
    for part in (data.train, data.calibration, data.test):
        assert not build_features(data.feature_set, leaky, part.points)[:, columns].any()


def test_the_model_learns_what_there_is(fitted: FittedModel) -> None:
    """On a CRM with a signal, more than the base rate is chosen and orders the test leads well."""
    evaluation = evaluate(fitted.scored, seed=0)
    auc, gain = evaluation.metric("auc"), evaluation.metric("log_loss_gain")
    assert fitted.chosen.candidate.name != "prior"
    assert auc is not None
    assert auc.low > 0.6
    assert gain is not None
    assert gain.value > 0.0


def test_the_same_seed_gives_the_same_model(
    crm: CanonicalTables, data: PreparedData, fitted: FittedModel
) -> None:
    """Repeating a fit repeats every byte of the trees and every number of the calibration."""
    again = fit_model(crm, data, horizon_days=HORIZON, seed=0, progress=silent)
    assert again.model_text == fitted.model_text
    assert again.calibration == fitted.calibration
    np.testing.assert_array_equal(again.test_probability, fitted.test_probability)


@pytest.mark.parametrize("ordered", [pytest.param(True, id="order"), pytest.param(False, id="hash")])
def test_finished_cases_without_times_train_too(ordered: bool) -> None:
    """A flat table gives a model, split by order or by hash."""
    crm = finished_cases(n_leads=800, ordered=ordered)
    data = prepare(crm, horizon_days=90)
    fitted = fit_model(crm, data, horizon_days=90, seed=0, progress=silent)
    assert data.split.kind == ("order" if ordered else "stratified")
    assert 0.0 < fitted.test_probability.min() < fitted.test_probability.max() < 1.0


def only_wins() -> CanonicalTables:
    """Return a flat table in which everybody won."""
    return crm_tables([None] * 60, [(lead, None, "won") for lead in range(60)], orders=list(range(60)))


def nineteen_wins() -> CanonicalTables:
    """Return a flat table with one win too few."""
    outcomes = ["won" if lead % 5 == 0 and lead < 95 else "lost" for lead in range(200)]
    return crm_tables(
        [None] * 200,
        [(lead, None, outcome) for lead, outcome in enumerate(outcomes)],
        orders=list(range(200)),
    )


def nothing_matured() -> CanonicalTables:
    """Return leads of which all are open and none is older than the horizon."""
    return crm_tables([float(lead) / 10 for lead in range(200)], [], exported_day=21)


def newest_not_followed() -> CanonicalTables:
    """Return 110 days of leads for a horizon of 90: of the test part only quick answers are known."""
    created = [lead / 2 for lead in range(220)]
    deals = [(lead, at + 3, "won" if lead % 3 else "lost") for lead, at in enumerate(created) if at < 107]
    return crm_tables(created, deals, exported_day=110)


def one_rank_for_all() -> CanonicalTables:
    """Return a flat table whose order says nothing."""
    crm = finished_cases(n_leads=200)
    place = crm.leads.schema.get_field_index("created_order")
    return replace(crm, leads=crm.leads.set_column(place, "created_order", pa.array([7] * 200, pa.int64())))


def no_feature() -> CanonicalTables:
    """Return outcomes without a single attribute that may be used."""
    crm = finished_cases(n_leads=200)
    return replace(crm, leads=crm.leads.drop_columns(["source"]))


@pytest.mark.parametrize(
    ("build", "said"),
    [
        pytest.param(only_wins, "of its 60 leads the history has 60 and 0", id="one-class"),
        pytest.param(nineteen_wins, "of its 200 leads the history has 19 and 181", id="one-win-too-few"),
        pytest.param(nothing_matured, "of its 200 leads the history has 0 and 0", id="nobody-knows-yet"),
        pytest.param(newest_not_followed, "the calibration leads must hold known outcomes", id="too-young"),
        pytest.param(one_rank_for_all, "of its 0 snapshots with a known outcome 0 are won", id="one-rank"),
        pytest.param(no_feature, "no usable feature", id="no-feature"),
    ],
)
def test_too_little_is_refused_with_what_is_there(build: Callable[[], CanonicalTables], said: str) -> None:
    """The message names what there is and what is needed."""
    with pytest.raises(InputError, match=said):
        prepare(build(), horizon_days=90)


def test_twenty_of_each_are_enough() -> None:
    """The least that is promised to work works."""
    outcomes = ["won" if lead % 2 else "lost" for lead in range(40)]
    crm = crm_tables(
        [None] * 40,
        [(lead, None, outcome) for lead, outcome in enumerate(outcomes)],
        attributes={"source": ["fair" if lead % 3 else "web" for lead in range(40)]},
        orders=list(range(40)),
    )
    fitted = fit_model(crm, prepare(crm, horizon_days=90), horizon_days=90, seed=0, progress=silent)
    assert 0.0 < fitted.test_probability.min() <= fitted.test_probability.max() < 1.0


def test_the_data_hash_sees_values_and_not_chunks(crm: CanonicalTables) -> None:
    """Rechunked tables are the same data; one changed value is not."""
    chunked = replace(crm, leads=pa.concat_tables([crm.leads.slice(0, 100), crm.leads.slice(100)]))
    changed = replace(crm, crm=replace(crm.crm, horizon_days=31))
    assert hash_tables(chunked) == hash_tables(crm)
    assert hash_tables(changed) != hash_tables(crm)
