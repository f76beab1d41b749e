"""The activities of one request -> the kernel's arrays: in order, each id once, coded. Made for speed.

Whatever order and form they come in, the arrays are those that `features.log` makes of the same activities.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from features.compiled import compiled
from features.definitions import FeatureKind, FeatureSet
from features.errors import InputError
from features.iso_times import plain_instants
from features.kernel import NO_CODE
from features.plan import vocabulary_rows
from features.problems import shorten
from features.times import EPOCH, SECOND_US

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]
Activity = Mapping[str, Any]

NO_ASSET: Mapping[str | None, int] = {None: NO_CODE, "": NO_CODE}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RequestLog:
    """The activities of one lead, ascending by (time, activity id).

    columns : int64 (n,) microseconds UTC; int32 (n,) row of the kind, row of the channel, code of the asset.
    unknown_kinds, unknown_channels : what the vocabularies do not know, sorted.
    """

    columns: tuple[Int64Array, Int32Array, Int32Array, Int32Array]
    unknown_kinds: tuple[str, ...] = ()
    unknown_channels: tuple[str, ...] = ()


class OnlineLog:
    """Reads the activities of requests with the vocabularies of one feature set."""

    def __init__(self, feature_set: FeatureSet) -> None:
        self._kind_rows, self._channel_rows = vocabulary_rows(feature_set)
        self._reads_assets = any(
            feature.kind is FeatureKind.DISTINCT_ASSETS for feature in feature_set.features
        )

    def read(self, activities: Sequence[Activity]) -> RequestLog:
        """Return the log; InputError names a time that has no zone or is none."""
        occurred_us = instants_of([activity["occurred_at"] for activity in activities], "occurred_at")
        order = _order(activities, occurred_us)
        if order is not None:
            activities, occurred_us = [activities[place] for place in order], occurred_us[order]
        kinds = [activity.get("kind") for activity in activities]
        kind_row = _rows(kinds, self._kind_rows)
        channels = [activity.get("channel") for activity in activities] if self._channel_rows else []
        channel_row = _rows(channels, self._channel_rows) if channels else np.full_like(kind_row, NO_CODE)
        return RequestLog(
            columns=(occurred_us, kind_row, channel_row, self._asset_codes(activities, kind_row)),
            unknown_kinds=_unknown(kinds, self._kind_rows),
            unknown_channels=_unknown(channels, self._channel_rows),
        )

    def _asset_codes(self, activities: Sequence[Activity], like: Int32Array) -> Int32Array:
        if not self._reads_assets:
            return np.full_like(like, NO_CODE)
        assets = [activity.get("asset") for activity in activities]
        codes = {asset: code for code, asset in enumerate(dict.fromkeys(assets))}
        codes.update(NO_ASSET)
        return _int32([codes[asset] for asset in assets])


def instants_of(values: Sequence[object], field: str) -> Int64Array:
    """Return ISO-8601 texts with a zone, or aware datetimes, as microseconds UTC; int64 (n,).

    InputError names the first value that is neither.
    """
    try:
        plain = plain_instants(values)  # type: ignore[arg-type]
    except TypeError:  # not all of them are texts
        plain = None
    if plain is not None:
        return plain
    read = datetime.fromisoformat
    try:
        since = [(read(value) if isinstance(value, str) else value) - EPOCH for value in values]  # type: ignore[operator]
        instants = [(each.days * 86_400 + each.seconds) * SECOND_US + each.microseconds for each in since]
        return np.array(instants, dtype=np.int64)
    except (TypeError, ValueError):
        for value in values:
            _refuse_odd_time(value, field)
        raise


def _refuse_odd_time(value: object, field: str) -> None:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
        has_zone = isinstance(instant, datetime) and instant.utcoffset() is not None
    except ValueError:
        has_zone = False
    if not has_zone:
        raise InputError(f"{field} must be a time with a zone; got {shorten(repr(value))}")


def _order(activities: Sequence[Activity], occurred_us: Int64Array) -> list[int] | None:
    """Return the places of the activities that count, in order; None when they stand as they are."""
    ids = [name for activity in activities if (name := activity.get("activity_id"))]
    if len(set(ids)) == len(ids):
        if ascends(occurred_us):
            return None
        order = occurred_us.argsort(kind="stable")
        sorted_us = occurred_us[order]
        if ascends(sorted_us):
            places: list[int] = order.tolist()
            return places
    return _order_with_ties(activities, occurred_us.tolist())


@compiled
def ascends(instants: Int64Array) -> bool:
    """Tell whether each of (n,) is later than the one before."""
    for place in range(1, instants.size):  # noqa: SIM110 - compiled to a plain loop
        if instants[place] <= instants[place - 1]:
            return False
    return True


def _order_with_ties(activities: Sequence[Activity], occurred_us: list[int]) -> list[int]:
    """Order as `features.log.ORDER` says; of an id that comes twice the first one counts."""
    names = [activity.get("activity_id") or "" for activity in activities]

    def rank(place: int) -> tuple[int, str, tuple[bool, str], tuple[bool, str], tuple[bool, str]]:
        kind, channel, asset = (activities[place].get(each) for each in ("kind", "channel", "asset"))
        return occurred_us[place], names[place], _none_last(kind), _none_last(channel), _none_last(asset)

    seen: set[str] = set()
    places = []
    for place in sorted(range(len(activities)), key=rank):
        if names[place] not in seen:
            places.append(place)
        if names[place]:
            seen.add(names[place])
    return places


def _none_last(text: str | None) -> tuple[bool, str]:
    return text is None, text or ""


def _rows(texts: Sequence[str | None], rows: Mapping[str, int]) -> Int32Array:
    row_of = rows.get
    return _int32([row_of(text, NO_CODE) for text in texts])  # type: ignore[arg-type]


def _int32(numbers: list[int]) -> Int32Array:
    """Return int32 (n,); by way of `array`, which is twice as fast as numpy for a list of a few dozen."""
    return np.frombuffer(array("i", numbers), dtype=np.int32)


def _unknown(texts: Sequence[str | None], rows: Mapping[str, int]) -> tuple[str, ...]:
    """Return the texts that have no row, sorted; without a text nothing is unknown."""
    return tuple(sorted(text for text in set(texts).difference(rows) if text))
