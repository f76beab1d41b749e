"""Promised against real wins group by group: sums, the spread of chance, which slices are judged."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.definitions import Feature, FeatureKind
from tests.builders_features import CRM, LEVELS, PERSONAS, crm_tables, feature_set, points_at
from tests.builders_training import day, day_us
from training.groups import (
    FEW_LEADS,
    FEW_OUTCOMES,
    MOST_LEVELS,
    SLICED_KINDS,
    ScoredPoints,
    SliceRow,
    Slicing,
    is_off,
    months_of,
    persona_slicing,
    slices_of,
    slicings_of,
    tenths_of,
    whole_of,
    wins_range,
)
from training.metrics import spread_of_wins

SOURCE = Feature(
    name="source",
    kind=FeatureKind.ATTRIBUTE_CATEGORY,
    family="attribute:source",
    attribute="source",
    levels=("web", "fair"),
    subject_en="Source",
    subject_de="Quelle",
)


def scored(n_leads: int = 400, *, per_lead: int = 2, seed: int = 0) -> ScoredPoints:
    """Return right probabilities; all snapshots of a lead end alike."""
    random = np.random.default_rng(seed)
    chance = np.repeat(random.uniform(0.05, 0.6, n_leads), per_lead)
    won = np.repeat(random.random(n_leads), per_lead) < chance
    created = np.repeat(random.uniform(0, 90, n_leads), per_lead)
    return ScoredPoints(
        lead_index=np.repeat(np.arange(n_leads, dtype=np.int64), per_lead),
        as_of_us=np.array([day_us(each) for each in created], dtype=np.int64),
        label=won.astype(np.int8),
        weight=random.uniform(1.0, 2.0, len(won)),
        probability=chance,
        prior_probability=0.3,
    )


@given(n_leads=st.integers(1, 120), per_lead=st.integers(1, 4), seed=st.integers(0, 1000))
def test_months_tenths_and_slices_are_partitions(n_leads: int, per_lead: int, seed: int) -> None:
    """Whichever way rows are grouped, snapshots, weights and wins add up to those of all rows."""
    rows = scored(n_leads, per_lead=per_lead, seed=seed)
    value = np.random.default_rng(seed).choice([0.0, 1.0, 2.0, np.nan], len(rows.label))
    whole = whole_of(rows)
    sliced = slices_of(rows, (Slicing(feature=SOURCE, value=value),))
    for groups in (months_of(rows), tenths_of(rows), *([sliced] if sliced else [])):
        assert sum(group.snapshots for group in groups) == whole.snapshots == n_leads * per_lead
        for field in ("weight", "expected_wins", "real_wins"):
            total = sum(getattr(group, field) for group in groups)
            assert total == pytest.approx(getattr(whole, field)), field
    assert whole.expected_wins == pytest.approx(float(rows.weight @ rows.probability))


def test_chance_leaves_its_range_as_often_as_it_says() -> None:
    """Of 400 right models about one in twenty leaves the range, however often each lead was looked at."""
    for per_lead in (1, 5):
        off = sum(is_off(whole_of(scored(60, per_lead=per_lead, seed=seed))) for seed in range(400))
        assert 5 <= off <= 40


def test_one_row_per_lead_has_the_spread_of_coins() -> None:
    """The sum of p (1 - p); two rows of one lead add before they are squared, two leads after."""
    probability, weight = np.array([0.5, 0.2]), np.array([1.0, 2.0])
    apart = spread_of_wins(probability, weight, np.array([0, 1]))
    together = spread_of_wins(probability, weight, np.array([7, 7]))
    assert apart == pytest.approx(np.sqrt(0.25 + 4 * 0.16))
    assert together == pytest.approx(0.5 + 2 * 0.4)


def test_a_slice_too_small_is_neither_good_nor_bad() -> None:
    """Few leads, or hardly any win expected: not applicable, with the reason; the numbers stay."""
    rows = scored(400, per_lead=1)
    hopeless = replace(rows, probability=np.where(np.arange(400) < 100, 0.01, rows.probability))
    value = np.where(np.arange(400) < 100, 1.0, np.where(np.arange(400) < 140, 2.0, np.nan))
    found = {row.level_en: row for row in slices_of(hopeless, (Slicing(feature=SOURCE, value=value),))}
    assert {level: row.not_applicable for level, row in found.items()} == {
        "web": FEW_OUTCOMES,
        "fair": FEW_LEADS,
        "no value": "",
    }
    assert list(found) == ["no value", "web", "fair"]
    assert found["no value"].level_de == "kein Wert"
    assert (found["fair"].attribute_en, found["fair"].attribute_de) == ("Source", "Quelle")
    assert found["fair"].leads == 40


def test_one_value_alone_is_no_slice() -> None:
    """Where all leads agree there is nothing to tell apart."""
    rows = scored(60)
    assert slices_of(rows, (Slicing(feature=SOURCE, value=np.full(120, 1.0)),)) == ()
    assert slices_of(rows, (Slicing(feature=SOURCE, value=np.full(120, np.nan)),)) == ()


def test_a_slice_that_ended_alike_has_no_auc() -> None:
    """Metrics without meaning are absent, not invented."""
    rows = scored(200, per_lead=1)
    value = (np.arange(200) < 100).astype(np.float64)
    won = replace(rows, label=np.where(value == 1.0, 1, rows.label).astype(np.int8))
    by_level: dict[str, SliceRow] = {
        row.level_en: row for row in slices_of(won, (Slicing(feature=SOURCE, value=value),))
    }
    assert by_level["web"].auc is None
    assert by_level["a rare or new value"].auc is not None
    low, high = wins_range(by_level["web"])
    assert is_off(by_level["web"])
    assert low < by_level["web"].expected_wins < high < by_level["web"].real_wins


def test_attributes_with_few_values_are_sliced() -> None:
    """Categories, yes or no, e-mail classes and personas; not numbers, days or long lists of levels."""
    chosen = feature_set()
    matrix = np.zeros((3, len(chosen.features)))
    names = {each.feature.name for each in slicings_of(chosen, matrix)}
    assert names == {each.name for each in chosen.features if each.kind in SLICED_KINDS}
    assert {"industry", "newsletter", "persona"} <= names
    many = replace(SOURCE, levels=tuple(str(level) for level in range(MOST_LEVELS + 1)))
    assert slicings_of(replace(chosen, features=(many,)), np.zeros((3, 1))) == ()


def test_agreed_personas_are_a_slice_even_when_the_model_does_not_know_them() -> None:
    """The persona of each point as of then; none when no persona is agreed or an attribute is not there."""
    lead = {"lead_id": "L0", "created_at": day(0), "industry": LEVELS[0], "employees": 5.0}
    other = {"lead_id": "L1", "created_at": day(0), "industry": "Other", "employees": 5_000.0}
    tables = crm_tables([lead, other], ())
    points = points_at([0, 1], [day(1), day(1)])
    (slicing,) = persona_slicing(PERSONAS, tables, points)
    assert slicing.feature.kind is FeatureKind.PERSONA
    assert slicing.value[0] == 1.0
    assert slicing.value[1] != 1.0
    assert persona_slicing((), tables, points) == ()
    without = replace(tables, leads=tables.leads.drop_columns(["email"]), crm=CRM)
    assert persona_slicing(PERSONAS, without, points) == ()
