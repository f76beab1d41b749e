"""The table of fields: checker and OpenAPI schema say the same, and every problem is found at once."""

import copy
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator, oas30_format_checker

from serving.api.body import check_body
from serving.api.fields import (
    TIME_RULE,
    Checker,
    Field,
    Kind,
    WrongFieldsError,
    json_schema,
    object_schema,
)
from serving.api.openapi import openapi_document
from serving.api.schemas import ACTIVITY, LEAD, SCORE_REQUEST
from tests.builders_serving import random_request

TIME = Field(name="t", kind=Kind.TIME, about="A time.")
ODD_VALUES: tuple[object, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "x",
    "x" * 201,
    [],
    [1],
    {},
    {"a": 1},
    "2026-01-01T00:00:00Z",
)


def problems_of(field: Field, body: object) -> list[tuple[str, str]]:
    """Return field and rule of every problem."""
    checker = Checker()
    checker.check(field, body, "")
    return [(problem.field, problem.rule) for problem in checker.problems]


def schema_accepts(body: object) -> bool:
    """Ask the published schema, read by a validator we did not write."""
    document = openapi_document()
    schema = document["components"]["schemas"]["ScoreRequest"] | {"components": document["components"]}
    return bool(OAS30Validator(schema, format_checker=oas30_format_checker).is_valid(body))


@st.composite
def damaged_requests(draw: st.DrawFn) -> Any:
    """Draw a right request and put odd values in odd places."""
    body: Any = copy.deepcopy(random_request(draw(st.integers(0, 50))))
    for _ in range(draw(st.integers(0, 3))):
        place: Any = body
        if isinstance(body["lead"], dict) and draw(st.booleans()):
            place = body["lead"]
        elif isinstance(body["activities"], list) and body["activities"] and draw(st.booleans()):
            place = draw(st.sampled_from(body["activities"]))
        if isinstance(place, dict):
            names = st.sampled_from([*place, "lang", "extra", "value", "stage_since"])
            place[draw(names)] = copy.deepcopy(draw(st.sampled_from(ODD_VALUES)))
            if "lead" not in body or "activities" not in body:
                break
    return body


@given(damaged_requests())
def test_the_checker_and_the_published_schema_agree(body: Any) -> None:
    """One table, two readers: a body passes the one exactly when it passes the other."""
    assert (problems_of(SCORE_REQUEST, body) == []) == schema_accepts(body)


def test_all_problems_are_found_at_once() -> None:
    """One answer repairs the whole body: path, rule and value of each."""
    body = {
        "lead": {"created_at": "2026-01-01T00:00:00"},
        "activities": [{"kind": 5, "occurred_at": "soon", "chanel": "web"}],
        "as_of": 12,
        "lang": "fr",
    }
    with pytest.raises(WrongFieldsError, match="7 fields of the body") as caught:
        check_body(SCORE_REQUEST, body)
    assert [problem.text() for problem in caught.value.field_problems] == [
        "lead.created_at must carry a time zone, such as 2026-11-23T09:00:00Z; got 2026-01-01T00:00:00",
        "lead.lead_id is required",
        "activities[0].kind must be a text; got 5",
        f"activities[0].occurred_at {TIME_RULE}; got soon",
        "activities[0].chanel is not a known field; did you mean 'channel'?",
        f"as_of {TIME_RULE}; got 12",
        "lang must be one of en, de; got fr",
    ]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        pytest.param("2026-11-23T09:00:00Z", datetime(2026, 11, 23, 9, tzinfo=UTC), id="utc"),
        pytest.param("2026-11-23T10:00:00+01:00", datetime(2026, 11, 23, 9, tzinfo=UTC), id="another-zone"),
        pytest.param("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC), id="first"),
    ],
)
def test_times_are_read_as_instants(text: str, instant: datetime) -> None:
    """The zone is converted, never dropped."""
    assert Checker().check(TIME, text, "t") == instant


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T09:00:00",
        "2026-11-23",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "1969-12-31T23:59:59Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T25:00:00Z",
        "yesterday",
        "",
        "1764000000",
    ],
)
def test_other_times_are_refused(text: str) -> None:
    """No zone, no such day, beyond the years we know: a problem, never an error."""
    assert len(problems_of(TIME, text)) == 1


@given(st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1)), st.integers(-1439, 1439))  # noqa: DTZ001
def test_any_instant_survives(local: datetime, minutes: int) -> None:
    """Microseconds and any offset included."""
    sent = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert Checker().check(TIME, sent.isoformat(), "t") == sent


def test_too_many_items_are_one_problem() -> None:
    """A list that is too long is not looked into."""
    body = {"lead": {"lead_id": "L1"}, "activities": [{}] * 10_001}
    assert problems_of(SCORE_REQUEST, body) == [("activities", "must have 0 to 10,000 items")]


def test_too_many_attributes_are_one_problem() -> None:
    """So is an object with too many members."""
    lead = {"lead_id": "L1"} | {f"a{number}": 1 for number in range(500)}
    assert problems_of(LEAD, lead) == [("body", "must have at most 500 members")]


def test_nullable_enums_list_null() -> None:
    """OpenAPI 3.0 lets null through an enum only when the enum names it."""
    field = Field(name="s", kind=Kind.TEXT, about="A stage.", choices=("a",), nullable=True)
    assert json_schema(field)["enum"] == ["a", None]


def test_closed_objects_say_so() -> None:
    """A field nobody knows is refused by the schema as by the checker."""
    assert object_schema(ACTIVITY)["additionalProperties"] is False
    assert isinstance(object_schema(LEAD)["additionalProperties"], dict)
