"""One lead of a request gives the same bits as a training set, and every oddity is named in a warning."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.build import build_features
from features.encode import decode_table
from features.errors import InputError
from features.history.stored_lead import StoredLead, typed_changes
from features.online import OnlineFeatures
from features.tables import ACTIVITIES, CHANGES, LEADS
from features.times import EPOCH
from tests.builders_features import (
    KINDS,
    RandomCrm,
    Row,
    activity,
    at,
    crm_tables,
    feature_set,
    points_at,
    random_crms,
    us,
)

EVERYTHING = feature_set()
ONLINE = OnlineFeatures(EVERYTHING)
NOW = at("2026-11-23T09:00:00")
COMPLETE = {
    "lead_id": "L1",
    "created_at": "2026-11-20T09:00:00Z",
    "industry": "Software",
    "employees": 250,
    "newsletter": True,
    "trial_at": "2026-11-21T09:00:00+01:00",
    "email": "ann@firma.de",
}


def as_json(row: Row) -> Row:
    """Return a row as a request carries it: times as ISO-8601 text."""
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}


@given(random_crms(), st.randoms(use_true_random=False), st.booleans())
def test_online_equals_build_bit_for_bit(crm: RandomCrm, chance: Any, as_text: bool) -> None:
    """A request in any order, with text or datetimes, gives the row of the training set."""
    tables = crm.tables
    matrix = build_features(EVERYTHING, tables, crm.points)
    for point, lead in enumerate(tables.leads.to_pylist()):
        as_of_us = int(crm.points.as_of_us[point])
        activities, changes = (
            [each for each in tables.table(name).to_pylist() if each["lead_id"] == lead["lead_id"]]
            for name in (ACTIVITIES, CHANGES)
        )
        known = known_lead(lead, changes, tables.leads.schema, as_of_us)
        chance.shuffle(activities)
        chance.shuffle(changes)
        if as_text:
            known = as_json(known)
            activities, changes = ([as_json(each) for each in rows] for rows in (activities, changes))
        row = ONLINE.row(known, activities, as_of_us, changes)
        assert row.values.tobytes() == matrix[point].tobytes()


def known_lead(lead: Row, changes: list[Row], schema: pa.Schema, as_of_us: int) -> Row:
    """Return the lead as the history gives it to the service: with its attributes as of then."""
    typed = tuple(typed_changes(changes, schema))
    stored = StoredLead(lead=lead, activities=(), attribute_changes=typed)
    return stored.lead_as_of(EPOCH + timedelta(microseconds=as_of_us))


def value_of(name: str, lead: Row, activities: tuple[Row, ...] = ()) -> float:
    """Return one feature of a lead now."""
    return float(ONLINE.row(lead, activities, us(NOW), ()).values[EVERYTHING.names.index(name)])


def test_a_complete_lead_gives_no_warning() -> None:
    """What the model knows and gets is taken without a word."""
    activities = [{"occurred_at": "2026-11-22T09:00:00Z", "kind": kind} for kind in KINDS]
    assert ONLINE.row(COMPLETE, activities, us(NOW), ()).warnings == ()


WRONG_TYPES = [
    pytest.param({"employees": "250 people"}, "'employees' must be a finite number; '250 people'", id="text"),
    pytest.param({"employees": True}, "'employees' must be a finite number", id="flag-for-a-number"),
    pytest.param({"employees": 10**400}, "'employees' must be a finite number", id="huge-number"),
    pytest.param({"employees": float("inf")}, "'employees' must be a finite number", id="infinite"),
    pytest.param({"industry": 7}, "'industry' must be text", id="number-for-text"),
    pytest.param({"industry": ["Software"]}, "'industry' must be text", id="list-for-text"),
    pytest.param({"newsletter": "yes"}, "'newsletter' must be true or false", id="text-for-a-flag"),
    pytest.param({"trial_at": "soon"}, "'trial_at' must be a time with a zone", id="no-time"),
    pytest.param({"trial_at": "2026-11-21"}, "'trial_at' must be a time with a zone", id="naive-time"),
    pytest.param({"trial_at": "2026-11-24T09:00:00Z"}, "at or before as_of", id="a-time-to-come"),
]


@pytest.mark.parametrize(("change", "rule"), WRONG_TYPES)
def test_a_value_of_the_wrong_type_is_missing_and_named(change: Row, rule: str) -> None:
    """The answer says attribute, rule and value; the model sees a missing value."""
    row = ONLINE.row({**COMPLETE, **change}, [], us(NOW), ())
    (attribute,) = change
    column = next(i for i, each in enumerate(EVERYTHING.features) if each.attribute == attribute)
    assert np.isnan(row.values[column])
    (warning,) = row.warnings
    assert rule in warning
    assert "counts as missing" in warning


ODDITIES = [
    pytest.param(
        {"industry": "Mining"}, ["attribute 'industry': 'Mining' is rare or new to the model"], id="level"
    ),
    pytest.param({"shoe_size": 44}, ["attributes not used by the model: shoe_size"], id="unknown-attribute"),
    pytest.param(
        {"created_at": None},
        ["created_at must be a time with a zone, at or before as_of; got None"],
        id="no-age",
    ),
    pytest.param({"industry": None, "employees": ""}, [], id="null-and-empty-are-answers"),
]


@pytest.mark.parametrize(("change", "warnings"), ODDITIES)
def test_oddities_of_a_lead_are_named(change: Row, warnings: list[str]) -> None:
    """Unseen levels, unknown attributes and a lead without age are answered, not ignored."""
    assert list(ONLINE.row({**COMPLETE, **change}, [], us(NOW), ()).warnings) == warnings


def test_absent_attributes_are_named_together() -> None:
    """A lead that brings only its id is scored, and told what it lacks."""
    lead = {"lead_id": "L1", "created_at": COMPLETE["created_at"]}
    assert ONLINE.row(lead, [], us(NOW), ()).warnings == (
        "attributes not given, scored as missing: email, employees, industry, newsletter, trial_at",
    )


def test_oddities_of_activities_are_named() -> None:
    """Unknown kinds count in totals, future activities do not count; both are said."""
    activities = (
        {"occurred_at": "2026-11-22T09:00:00Z", "kind": "fax", "channel": "pigeon"},
        {"occurred_at": "2026-11-24T09:00:00Z", "kind": "call"},
    )
    row = ONLINE.row(COMPLETE, activities, us(NOW), ())
    assert row.warnings == (
        "activities after as_of, which do not count: 1",
        "activity kind 'fax' is not known to the model and counts in totals only",
        "channel 'pigeon' is not known to the model and counts in totals only",
    )
    assert value_of("count_all_7d", COMPLETE, activities) == 1.0


def test_an_activity_without_an_id_counts_every_time() -> None:
    """Two page views without an id are two; two with the same id are one."""
    anonymous = {"occurred_at": "2026-11-22T09:00:00Z", "kind": "page_view"}
    named = {**anonymous, "activity_id": "a"}
    assert value_of("count_all_7d", COMPLETE, (anonymous, anonymous)) == 2.0
    assert value_of("count_all_7d", COMPLETE, (named, named, anonymous)) == 2.0


@pytest.mark.parametrize("at_value", ["2026-11-22T09:00:00", "yesterday", None, 5])
def test_an_activity_without_a_zoned_time_is_refused(at_value: object) -> None:
    """An instant nobody can place is never guessed."""
    with pytest.raises(InputError, match="occurred_at must be a time with a zone"):
        ONLINE.row(COMPLETE, [{"occurred_at": at_value, "kind": "call"}], us(NOW), ())


ADDRESSES = [
    pytest.param("ann@firma.de", "company", "DE", id="company"),
    pytest.param(" Ann@GMX.net ", "free_mail", "generic", id="free-mail-in-any-case"),
    pytest.param("ann@mail.gmx.de", "free_mail", "DE", id="below-a-free-mail-domain"),
    pytest.param("ann@notgmx.de", "company", "DE", id="ends-like-a-free-mail-domain"),
    pytest.param("ann@firma.co.uk", "company", "GB", id="britain-is-gb"),
    pytest.param("ann@firma.fr", "company", "(other)", id="a-country-without-a-level"),
]


@pytest.mark.parametrize(("address", "kind", "country"), ADDRESSES)
def test_an_address_becomes_what_its_domain_tells(address: str, kind: str, country: str) -> None:
    """Class and country, and no word of the address in any warning."""
    row = ONLINE.row({**COMPLETE, "email": address}, [], us(NOW), ())
    readable = decode_table(EVERYTHING, row.values[np.newaxis])
    assert readable["email_class"][0].as_py() == kind
    assert readable["email_country"][0].as_py() == country
    assert row.warnings == ()


@pytest.mark.parametrize("given_address", ["ann at firma.de", "ann@", "@firma.de", 5, "a" * 300 + "@b.de"])
def test_what_is_no_address_is_said_without_repeating_it(given_address: object) -> None:
    """An invalid address is a class of its own, its country is missing; the warning does not quote it."""
    row = ONLINE.row({**COMPLETE, "email": given_address}, [], us(NOW), ())
    readable = decode_table(EVERYTHING, row.values[np.newaxis])
    assert readable["email_class"][0].as_py() == ("invalid" if isinstance(given_address, str) else None)
    assert readable["email_country"][0].as_py() is None
    assert row.warnings == ("attribute 'email' must be an e-mail address; what was given counts as missing",)


def test_changes_of_a_request_are_counted() -> None:
    """Each instant of an attribute counts once, up to as_of; what the set does not read does not count."""
    changes = [
        {"attribute": "industry", "changed_at": "2026-11-22T09:00:00Z"},
        {"attribute": "industry", "changed_at": "2026-11-22T10:00:00+01:00"},
        {"attribute": "employees", "changed_at": "2026-11-01T09:00:00Z"},
        {"attribute": "employees", "changed_at": "2026-11-24T09:00:00Z"},
        {"attribute": "shoe_size", "changed_at": "2026-11-22T09:00:00Z"},
    ]
    values = ONLINE.row(COMPLETE, [], us(NOW), changes).values
    found = {
        name: float(values[EVERYTHING.names.index(name)]) for name in EVERYTHING.names if "changes" in name
    }
    assert found == {
        "attribute_changes_7d": 1.0,
        "attribute_changes_30d": 2.0,
        "attribute_changes_90d": 2.0,
        "industry_changes_90d": 1.0,
        "employees_changes_90d": 1.0,
    }


def test_changes_that_are_not_told_count_as_none() -> None:
    """A caller who leaves them out is told so; one who says there are none is not."""
    row = ONLINE.row(COMPLETE, [], us(NOW))
    assert row.warnings == ("attribute_changes not given, counted as none",)
    assert row.values.tobytes() == ONLINE.row(COMPLETE, [], us(NOW), []).values.tobytes()


def test_a_set_without_times_needs_no_activities_and_no_age() -> None:
    """A flat export's model scores attributes alone, and says nothing about created_at."""
    names = ("industry", "employees")
    flat = feature_set(*(each for each in EVERYTHING.features if each.name in names))
    assert not flat.needs_times
    row = OnlineFeatures(flat).row({"lead_id": "L", "industry": "Retail", "employees": 3}, [], 0)
    assert row.values.tolist() == [2.0, 3.0]
    assert row.warnings == ()


def test_the_example_of_a_request_equals_its_table_row() -> None:
    """Zones of the request do not matter: 10:00+01:00 is 09:00Z."""
    lead = {**COMPLETE, "created_at": at("2026-11-20T09:00:00"), "trial_at": at("2026-11-21T08:00:00")}
    tables = crm_tables(
        [{**lead, "employees": 250.0}], [activity("L1", at("2026-11-22T08:00:00"), asset="a")]
    )
    request = [{"occurred_at": "2026-11-22T09:00:00+01:00", "kind": "page_view", "asset": "a"}]
    assert tables.table(LEADS).num_rows == 1
    row = ONLINE.row(COMPLETE, request, us(NOW), ())
    assert row.values.tobytes() == build_features(EVERYTHING, tables, points_at([0], [NOW])).tobytes()
