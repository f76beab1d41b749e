"""The kernel and the build against two independent oracles, over random logs."""

import math
from datetime import timedelta
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.build import Points, build_features
from features.definitions import ACTIVITY_KINDS, Feature, FeatureKind, FeatureSet
from features.kernel import BLOCK, HALVING_SHIFT, TABLE_SIZE, halved
from features.plan import halving_tables
from features.tables import ACTIVITIES, CHANGES, LEADS, CanonicalTables
from features.times import DAY_US, EPOCH
from tests.builders_features import (
    RandomCrm,
    activity,
    at,
    crm_tables,
    feature_set,
    points_at,
    random_crms,
)
from tests.oracles.features_compare import ENGAGEMENT_STEP, assert_equal_features
from tests.oracles.features_slow import slow_row
from tests.oracles.features_sql import is_known_to_sql, sql_matrix

EVERYTHING = feature_set()
START = at("2026-01-01")


def slow_matrix(chosen: FeatureSet, tables: CanonicalTables, points: Points) -> npt.NDArray[np.float64]:
    """Return the slow oracle's values: float64 (n_points, n_features)."""
    leads, activities, changes = (tables.table(name).to_pylist() for name in (LEADS, ACTIVITIES, CHANGES))
    rows = [
        slow_row(chosen, leads[lead], activities, changes, EPOCH + timedelta(microseconds=int(as_of_us)))
        for lead, as_of_us in zip(points.lead_index, points.as_of_us, strict=True)
    ]
    return np.array(rows)


@given(random_crms())
def test_build_equals_the_slow_definition(crm: RandomCrm) -> None:
    """Ties, duplicates, window edges, the future and daylight saving: as the readable loop says."""
    found = build_features(EVERYTHING, crm.tables, crm.points)
    expected = slow_matrix(EVERYTHING, crm.tables, crm.points)
    assert_equal_features(EVERYTHING.features, found, expected)


@given(random_crms(), st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "UTC"]))
def test_build_equals_sql(crm: RandomCrm, timezone: str) -> None:
    """The same values as one DuckDB query, in zones with whole and half hours."""
    features = tuple(each for each in EVERYTHING.features if is_known_to_sql(each))
    chosen = feature_set(*features, timezone=timezone)
    found = build_features(chosen, crm.tables, crm.points)
    by_name = sql_matrix(chosen, crm.tables, crm.points)
    expected = np.column_stack([by_name[name] for name in chosen.names])
    assert_equal_features(chosen.features, found, expected)


def shuffled(table: pa.Table, seed: int) -> pa.Table:
    """Return the rows in another order."""
    return table.take(pa.array(np.random.default_rng(seed).permutation(table.num_rows)))


@given(random_crms(), st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_no_bit(crm: RandomCrm, seed: int) -> None:
    """Activities and changes may come in any order."""
    tables = CanonicalTables(
        leads=crm.tables.leads,
        activities=shuffled(crm.tables.activities, seed),
        deals=crm.tables.deals,
        attribute_changes=shuffled(crm.tables.attribute_changes, seed),
        crm=crm.tables.crm,
    )
    found = build_features(EVERYTHING, tables, crm.points)
    assert found.tobytes() == build_features(EVERYTHING, crm.tables, crm.points).tobytes()


@given(random_crms(), st.data())
def test_what_comes_after_as_of_changes_no_bit(crm: RandomCrm, data: st.DataObject) -> None:
    """Deleting everything that happened after as_of leaves every feature as it was."""
    as_of_us = int(crm.points.as_of_us[0])
    points = Points(lead_index=crm.points.lead_index[:1], as_of_us=crm.points.as_of_us[:1])
    as_of = EPOCH + timedelta(microseconds=as_of_us)
    changes = crm.tables.attribute_changes.to_pylist()
    # an attribute that has changes only after as_of was empty then: its changes say so and must stay
    known = {(each["lead_id"], each["attribute"]) for each in changes if each["changed_at"] <= as_of}
    cut = crm_tables(
        crm.tables.leads.to_pylist(),
        [each for each in crm.tables.activities.to_pylist() if each["occurred_at"] <= as_of],
        [
            each
            for each in changes
            if each["changed_at"] <= as_of or (each["lead_id"], each["attribute"]) not in known
        ],
    )
    found = build_features(EVERYTHING, crm.tables, points)
    assert found.tobytes() == build_features(EVERYTHING, cut, points).tobytes()


WINDOW_EDGES = [
    pytest.param(timedelta(0), 1.0, id="the-same-instant-counts"),
    pytest.param(timedelta(microseconds=-1), 0.0, id="one-microsecond-later-is-unknown"),
    pytest.param(timedelta(days=7) - timedelta(microseconds=1), 1.0, id="just-inside-the-window"),
    pytest.param(timedelta(days=7), 0.0, id="exactly-the-window-ago-is-outside"),
]


@pytest.mark.parametrize(("age", "expected"), WINDOW_EDGES)
def test_window_edges(age: timedelta, expected: float) -> None:
    """A window of w days holds as_of - w < occurred_at <= as_of, to the microsecond."""
    as_of = at("2026-03-29T12:00:00")
    tables = crm_tables([{"lead_id": "L", "created_at": as_of}], [activity("L", as_of - age)])
    count = Feature(name="count", kind=FeatureKind.COUNT, family="engagement", window_days=7)
    assert build_features(feature_set(count), tables, points_at([0], [as_of])).item() == expected


def no_activity_value(feature: Feature) -> Any:
    """Return what DESIGN 5.1 says of a feature without activity."""
    counts = {
        FeatureKind.COUNT,
        FeatureKind.DISTINCT_ASSETS,
        FeatureKind.ACTIVE_DAYS,
        FeatureKind.ENGAGEMENT,
        FeatureKind.ATTRIBUTE_CHANGES,
    }
    return 0.0 if feature.kind in counts else math.nan


def test_without_activity_counts_are_zero_and_the_rest_is_missing() -> None:
    """Counts and sums are 0 for a lead nobody has seen; recency, ratios and intervals are NaN."""
    features = tuple(
        each
        for each in EVERYTHING.features
        if each.kind in ACTIVITY_KINDS or each.kind is FeatureKind.ATTRIBUTE_CHANGES
    )
    now = at("2026-01-01")
    tables = crm_tables([{"lead_id": "L", "created_at": now}])
    found = build_features(feature_set(*features), tables, points_at([0], [now]))[0]
    np.testing.assert_array_equal(found, [no_activity_value(feature) for feature in features])


def test_no_points_give_an_empty_matrix() -> None:
    """Nothing asked, nothing answered: (0, n_features)."""
    tables = crm_tables([])
    assert build_features(EVERYTHING, tables, points_at([], [])).shape == (0, len(EVERYTHING.names))


def test_a_point_outside_the_leads_is_refused() -> None:
    """A lead index that does not exist never reaches compiled code."""
    tables = crm_tables([{"lead_id": "L", "created_at": at("2026-01-01")}])
    with pytest.raises(ValueError, match=r"lead_index must lie in \[0, 0\]; got 1 to 1"):
        build_features(EVERYTHING, tables, points_at([1], [at("2026-01-01")]))


@given(st.integers(0, 4000 * DAY_US), st.integers(1, 100))
def test_halving_is_the_power_of_two(age_us: int, half_life_days: int) -> None:
    """Integer arithmetic stays within its resolution of 2^(-age / half-life)."""
    half_life_us = half_life_days * DAY_US
    weight = halved(age_us, half_life_us, halving_tables()) / 2**HALVING_SHIFT
    assert weight == pytest.approx(2.0 ** (-age_us / half_life_us), abs=ENGAGEMENT_STEP)


@given(st.integers(0, 3101 * DAY_US), st.integers(1, 100 * DAY_US))
def test_halving_is_the_same_bits_as_by_division(age_us: int, half_life_us: int) -> None:
    """The quotient that floats guess and a remainder corrects is the one of whole numbers."""
    tables = halving_tables()
    halvings, part = divmod((age_us << 20) // half_life_us, 1 << 20)
    coarse, fine = divmod(part, TABLE_SIZE)
    weight = (int(tables[0, coarse]) * int(tables[1, fine])) >> HALVING_SHIFT >> halvings
    assert halved(age_us, half_life_us, tables) == (weight if halvings <= HALVING_SHIFT else 0)


@pytest.mark.parametrize("n_points", [BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
def test_points_in_blocks_are_points_alone(n_points: int) -> None:
    """Where a block of points ends changes no bit."""
    days = [3 * number % 100 for number in range(60)]
    rows = [activity(f"L{day % 2}", START + timedelta(days=day), asset=f"a{day % 7}") for day in days]
    tables = crm_tables([{"lead_id": lead, "created_at": START} for lead in ("L0", "L1")], rows)
    leads = [number % 2 for number in range(n_points)]
    points = points_at(leads, [START + timedelta(days=number % 90) for number in range(n_points)])
    alone = [
        build_features(EVERYTHING, tables, Points(lead_index=lead, as_of_us=as_of))
        for lead, as_of in zip(points.lead_index.reshape(-1, 1), points.as_of_us.reshape(-1, 1), strict=True)
    ]
    assert build_features(EVERYTHING, tables, points).tobytes() == np.vstack(alone).tobytes()


def test_halving_tables_are_the_same_on_every_machine() -> None:
    """Every entry is the exact power rounded: no library's last bit is in it."""
    with localcontext() as context:
        context.prec = 40
        for table, divisor in zip(halving_tables(), (TABLE_SIZE, TABLE_SIZE**2), strict=True):
            exact = [2 ** (Decimal(-i) / divisor) * 2**HALVING_SHIFT for i in range(TABLE_SIZE)]
            assert table.tolist() == [int(value.to_integral_value()) for value in exact]
