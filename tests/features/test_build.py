"""Attributes and ages as of an instant, by example."""

import math
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from features.build import Points, build_features
from features.definitions import ATTRIBUTE_KINDS, Feature
from features.errors import InputError
from tests.builders_features import KINDS, Row, activity, at, crm_tables, feature_set, points_at

EVERYTHING = feature_set()
START = at("2026-01-01")
LEAD = {
    "lead_id": "L",
    "created_at": START,
    "industry": "Retail",
    "employees": 500.0,
    "newsletter": True,
    "trial_at": START + timedelta(days=2),
}


def feature(name: str) -> Feature:
    """Return one feature of the set that has everything."""
    return EVERYTHING.features[EVERYTHING.names.index(name)]


def history_of(name: str, changes: list[Row], days: list[float]) -> list[float]:
    """Return one feature of one lead so many days after its creation."""
    tables = crm_tables([LEAD], changes=changes)
    points = points_at([0] * len(days), [START + timedelta(days=each) for each in days])
    found: list[float] = build_features(feature_set(feature(name)), tables, points)[:, 0].tolist()
    return found


def change(attribute: str, day: int, value: str | None) -> Row:
    """Return a change of the lead so many days after its creation."""
    changed_at = START + timedelta(days=day)
    return {"lead_id": "L", "changed_at": changed_at, "attribute": attribute, "value": value}


def test_an_attribute_without_changes_is_what_the_lead_says() -> None:
    """Without a history an attribute counts as known from the start."""
    assert history_of("employees", [], [0, 10]) == [500.0, 500.0]


def test_an_attribute_with_changes_is_the_last_known_one() -> None:
    """Missing before the first change; a change at the very instant counts; an emptied one is missing."""
    changes = [change("employees", 5, "20"), change("employees", 1, "10"), change("employees", 9, None)]
    found = history_of("employees", changes, [0.5, 1, 4.9, 5, 9])
    assert found[1:4] == [10.0, 10.0, 20.0]
    assert math.isnan(found[0])
    assert math.isnan(found[4])


CHANGED = [
    pytest.param("industry", "Software", 1.0, id="category"),
    pytest.param("industry", "Mining", 0.0, id="rare-category"),
    pytest.param("newsletter", "false", 0.0, id="boolean"),
    pytest.param("newsletter", "1", 1.0, id="boolean-as-digit"),
    pytest.param("newsletter", "maybe", math.nan, id="unreadable-boolean"),
    pytest.param("employees", "1e3", 1000.0, id="number"),
    pytest.param("employees", "inf", math.nan, id="infinite-number"),
    pytest.param("employees", "many", math.nan, id="unreadable-number"),
    pytest.param("trial_at", "2026-01-02T00:00:00Z", 2.0, id="time"),
    pytest.param("trial_at", "2026-01-09T00:00:00Z", math.nan, id="time-to-come"),
    pytest.param("trial_at", "soon", math.nan, id="unreadable-time"),
]


@pytest.mark.parametrize(("attribute", "text", "expected"), CHANGED)
def test_the_text_of_a_change_is_read_by_the_type_of_the_attribute(
    attribute: str, text: str, expected: float
) -> None:
    """A change is recorded as text; what cannot be read counts as missing."""
    name = next(each.name for each in EVERYTHING.features if each.attribute == attribute)
    assert history_of(name, [change(attribute, 1, text)], [3]) == pytest.approx([expected], nan_ok=True)


def test_ages() -> None:
    """Days since creation and since an attribute's time; what lies ahead is not known yet."""
    np.testing.assert_array_equal(history_of("lead_age_days", [], [-1, 0, 2.5]), [np.nan, 0.0, 2.5])
    np.testing.assert_array_equal(history_of("trial_at_age_days", [], [1.9, 2, 3.5]), [np.nan, 0.0, 1.5])


SPRING, AUTUMN = at("2026-03-29T01:00:00"), at("2026-10-25T01:00:00")
TICK = timedelta(microseconds=1)
FIRST_TOUCHES = [
    pytest.param(SPRING - TICK, 1.0, 6.0, id="the-last-microsecond-of-winter-time"),
    pytest.param(SPRING, 3.0, 6.0, id="the-first-microsecond-of-summer-time"),
    pytest.param(AUTUMN - TICK, 2.0, 6.0, id="the-first-time-it-is-two"),
    pytest.param(AUTUMN, 2.0, 6.0, id="the-second-time-it-is-two"),
    pytest.param(at("2024-02-28T23:30:00"), 0.0, 3.0, id="a-leap-day-that-has-begun-in-berlin-only"),
]


@pytest.mark.parametrize(("occurred_at", "hour", "weekday"), FIRST_TOUCHES)
def test_first_touch_in_the_zone_of_the_crm(occurred_at: datetime, hour: float, weekday: float) -> None:
    """Hour and weekday (Monday is 0) are Berlin's, on the days when the clocks change too."""
    chosen = feature_set(feature("first_touch_hour"), feature("first_touch_weekday"))
    tables = crm_tables([LEAD], [activity("L", occurred_at)])
    found = build_features(chosen, tables, points_at([0], [occurred_at]))
    assert found.tolist() == [[hour, weekday]]


def test_the_first_touch_of_a_tie_is_the_smaller_id() -> None:
    """Two activities at one instant: the activity id decides, not the order of rows."""
    rows = [
        activity("L", START, "call") | {"activity_id": "b"},
        activity("L", START, "demo_request") | {"activity_id": "a"},
    ]
    chosen = feature_set(feature("first_touch_kind"))
    for order in (rows, rows[::-1]):
        found = build_features(chosen, crm_tables([LEAD], order), points_at([0], [START]))
        assert found.item() == 1 + KINDS.index("demo_request")


def test_a_set_without_times_ignores_as_of() -> None:
    """A flat table is asked with as_of 0 and answers with its attributes."""
    flat = feature_set(feature("industry"), feature("employees"), feature("newsletter"))
    tables = crm_tables([{**LEAD, "created_at": None}])
    zero = Points(lead_index=np.zeros(2, dtype=np.int64), as_of_us=np.zeros(2, dtype=np.int64))
    assert build_features(flat, tables, zero).tolist() == [[2.0, 500.0, 1.0]] * 2


def test_an_attribute_the_tables_do_not_have_is_missing() -> None:
    """A model can score an export that lacks one of its columns: the values are missing."""
    tables = crm_tables([{"lead_id": "L", "created_at": START}], attribute_types={})
    found = build_features(EVERYTHING, tables, points_at([0], [START]))
    columns = [index for index, each in enumerate(EVERYTHING.features) if each.kind in ATTRIBUTE_KINDS]
    assert np.isnan(found[:, columns]).all()


def test_a_column_of_another_type_is_refused() -> None:
    """Text in the place of a time or a number is wrong input, not a missing value."""
    as_text = {name: pa.string() for name in ("trial_at", "employees")}
    tables = crm_tables([{"lead_id": "L", "created_at": START}], attribute_types=as_text)
    with pytest.raises(InputError, match="column 'employees' must hold number values; got string"):
        build_features(feature_set(feature("employees")), tables, points_at([0], [START]))
    with pytest.raises(InputError, match="column 'trial_at' must hold times; got string"):
        build_features(feature_set(feature("trial_at_age_days")), tables, points_at([0], [START]))


def test_points_must_be_of_equal_length() -> None:
    """Every point has a lead and an instant."""
    with pytest.raises(ValueError, match=r"of equal length; got \(2,\) and \(1,\)"):
        Points(lead_index=np.zeros(2, dtype=np.int64), as_of_us=np.zeros(1, dtype=np.int64))
