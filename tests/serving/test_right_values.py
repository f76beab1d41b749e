"""The quick way through a body says what the slow way says: the same value, or that something is wrong."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from serving.api import schemas_leads as leads
from serving.api.fields import Checker, Field
from serving.api.right_values import NotRight, reader_of
from serving.api.schemas import BATCH_REQUEST, SCORE_REQUEST
from tests.builders_serving import random_request

BODIES = (
    SCORE_REQUEST,
    BATCH_REQUEST,
    leads.LEAD_PUT,
    leads.ACTIVITY_BATCH,
    leads.DEAL_BATCH,
    leads.NEW_PAUSE,
)
SPOILERS: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2.5,
    "",
    "x" * 201,
    "mql",
    "2026-11-23T09:00:00",
    "2026-11-23T09:00:00+01:00",
    "1969-01-01T00:00:00Z",
    [],
    {},
    [{}],
)


def slowly(field: Field, value: object) -> tuple[object, bool]:
    """Return what the checker makes of a value inside a body, and whether all is right."""
    checker = Checker()
    made = checker.check(field, value, "body")
    return made, not checker.problems


def quickly(field: Field, value: object) -> tuple[object, bool]:
    """Return the same by the quick way."""
    try:
        return reader_of(field)(value), True
    except NotRight:
        return None, False


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value of a body."""
    if isinstance(value, dict):
        return [path, *(way for name in value for way in places(value[name], (*path, name)))]
    if isinstance(value, list):
        return [path, *(way for index, one in enumerate(value) for way in places(one, (*path, index)))]
    return [path]


def spoilt(body: Any, way: tuple[Any, ...], spoiler: object, *, name: str | None) -> Any:
    """Return a body with one value replaced, or with one member more or less."""
    copy = json.loads(json.dumps(body))
    if not way:
        return spoiler
    inner = copy
    for step in way[:-1]:
        inner = inner[step]
    if name is None:
        inner[way[-1]] = spoiler
    elif isinstance(inner, dict):
        inner[name] = inner.pop(way[-1])
    return copy


@given(st.integers(0, 5_000), st.data())
def test_both_ways_agree(seed: int, data: st.DataObject) -> None:
    """On right bodies, and on bodies with any value, name or length made wrong."""
    body = {**random_request(seed), "lang": "de", "current_stage": "mql", "attribute_changes": []}
    spoiler = data.draw(st.sampled_from(SPOILERS))
    name = data.draw(st.sampled_from([None, None, "", "unknown", "x" * 201]))
    broken = spoilt(body, data.draw(st.sampled_from(places(body))), spoiler, name=name)
    for field in BODIES:
        for value in (body, broken, {"items": [broken]}, spoiler):
            made, is_right = slowly(field, value)
            assert quickly(field, value) == ((made, True) if is_right else (None, False))
