"""What moved a score, from the definition: every corner computed anew from a list of what arrived when.

Knows nothing of the database and of how the service keeps what it was sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from features.online import OnlineFeatures
from training.artifact import LoadedModel

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Something that reached the service at `at`: an attribute with its value, or an activity."""

    at: datetime
    since: datetime
    attribute: str = ""
    value: object = None
    activity: Mapping[str, Any] | None = None


def points(
    model: LoadedModel,
    arrivals: Sequence[Arrival],
    lead: Mapping[str, Any],
    *,
    known_at: datetime,
    as_of: datetime,
) -> float:
    """Return the points as of an instant of what had arrived and happened by another one."""
    there = sorted((one for one in arrivals if one.at <= known_at and one.since <= known_at), key=_since)
    values: dict[str, Any] = dict(lead)
    changes = []
    for one in there:
        if one.activity is None:
            if one.attribute in values and values[one.attribute] != one.value:
                changes.append({"attribute": one.attribute, "changed_at": one.since, "value": one.value})
            values[one.attribute] = one.value
    activities = [one.activity for one in there if one.activity is not None]
    at_us = (as_of - EPOCH) // timedelta(microseconds=1)
    row = OnlineFeatures(model.feature_set).row(values, activities, at_us, changes).values
    return float(model.predict(row.reshape(1, -1)).points[0])


def _since(one: Arrival) -> datetime:
    return one.since
