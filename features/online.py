"""One lead of a request, as decoded JSON -> its row of the matrix, by the same kernel as a training set.

Decides how JSON values become numbers and which oddities the caller is warned of. The shape of the request
(names, types, zones of times) is checked by the service before; a time that slips through raises InputError.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from features.definitions import ACTIVITY_KINDS, ATTRIBUTE_KINDS, Feature, FeatureKind, FeatureSet
from features.errors import InputError
from features.kernel import NO_CODE, fill_activity_features
from features.plan import compile_plan
from features.problems import shorten
from features.times import DAY_US, EPOCH, SECOND_US, instant_us

Float64Array = npt.NDArray[np.float64]

Int64Array = npt.NDArray[np.int64]
Occurrence = tuple[int, str, str, str]
"""Microseconds UTC, activity id, kind, asset: in this order they sort as the kernel needs them."""

IDENTITY_FIELDS = frozenset({"lead_id", "created_at", "created_order"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OnlineRow:
    """The features of one lead, float64 (n_features,) in the order of the set, and its warnings."""

    values: Float64Array
    warnings: tuple[str, ...]


class OnlineFeatures:
    """A feature set made ready for single leads: plan, vocabularies and readers are prepared once.

    Holds nothing that a call changes: one instance serves all threads.
    """

    def __init__(self, feature_set: FeatureSet) -> None:
        self.feature_set = feature_set
        self._width = len(feature_set.features)
        self._plan = compile_plan(feature_set).arrays
        self._has_activities = any(feature.kind in ACTIVITY_KINDS for feature in feature_set.features)
        self._kind_codes = {kind: code for code, kind in enumerate(feature_set.activity_kinds)}
        self._readers = tuple(_readers(feature_set))
        self._attributes = frozenset(reader.attribute for reader in self._readers)
        self._known_fields = self._attributes | IDENTITY_FIELDS
        self._age_columns = tuple(
            column
            for column, feature in enumerate(feature_set.features)
            if feature.kind is FeatureKind.LEAD_AGE_DAYS
        )

    def row(
        self, lead: Mapping[str, object], activities: Sequence[Mapping[str, Any]], as_of_us: int
    ) -> OnlineRow:
        """Return the features of one lead as of an instant (microseconds UTC).

        lead : flat: `lead_id`, `created_at` and attributes as JSON values. An attribute that is absent, null
            or of a wrong type counts as missing, an unseen level as rare.
        activities : `occurred_at`, `kind` and optionally `activity_id` and `asset`; an activity_id counts
            once, at its earliest. Times are ISO-8601 text with a zone or aware datetimes; those after as_of
            do not count.

        Whatever is not taken as it was meant is named in the warnings.
        """
        warnings: list[str] = []
        matrix = np.empty((1, self._width))
        if self._has_activities:
            self._fill_activities(matrix, activities, as_of_us, warnings)
        self._fill_lead(matrix[0], lead, as_of_us, warnings)
        return OnlineRow(values=matrix[0], warnings=tuple(warnings))

    def _fill_activities(
        self,
        matrix: Float64Array,
        activities: Sequence[Mapping[str, Any]],
        as_of_us: int,
        warnings: list[str],
    ) -> None:
        occurrences = _each_id_once(sorted(map(_occurrence, activities)))
        log = self._code(occurrences)
        offsets = np.array([0, len(occurrences)], dtype=np.int64)
        as_of = np.array([as_of_us], dtype=np.int64)
        fill_activity_features(matrix, *self._plan, log[0], log[1], log[2], offsets, ONLY_LEAD, as_of)
        if occurrences and occurrences[-1][0] > as_of_us:
            later = sum(1 for each in occurrences if each[0] > as_of_us)
            warnings.append(f"activities after as_of, which do not count: {later}")
        if NO_CODE in log[1]:
            unknown = sorted({each[2] for each in occurrences} - self._kind_codes.keys())
            warnings.extend(
                f"activity kind {shorten(kind)!r} is not known to the model and counts in totals only"
                for kind in unknown
            )

    def _code(self, occurrences: list[Occurrence]) -> Int64Array:
        """Return int64 (3, n): microseconds, kind codes, asset codes."""
        kind_codes = self._kind_codes
        asset_codes: dict[str, int] = {"": NO_CODE}
        return np.array(
            [
                [each[0] for each in occurrences],
                [kind_codes.get(each[2], NO_CODE) for each in occurrences],
                [asset_codes.setdefault(each[3], len(asset_codes) - 1) for each in occurrences],
            ],
            dtype=np.int64,
        )

    def _fill_lead(
        self, values: Float64Array, lead: Mapping[str, object], as_of_us: int, warnings: list[str]
    ) -> None:
        for reader in self._readers:
            values[reader.column] = reader.value(lead.get(reader.attribute), as_of_us, warnings)
        for column in self._age_columns:
            values[column] = _lead_age_days(lead.get("created_at"), as_of_us, warnings)
        if not self._attributes <= lead.keys():
            absent = ", ".join(sorted(self._attributes - lead.keys()))
            warnings.append(f"attributes not given, scored as missing: {absent}")
        if not lead.keys() <= self._known_fields:
            unknown = sorted(lead.keys() - self._known_fields)
            warnings.append(f"attributes not used by the model: {', '.join(map(shorten, unknown))}")


@dataclass(frozen=True, slots=True)
class AttributeReader:
    """Reads one attribute of a request into one column; `rule` says what its values must be."""

    column: int
    attribute: str
    rule: str
    read: Callable[[object, int], float]
    has_levels: bool

    def value(self, given: object, as_of_us: int, warnings: list[str]) -> float:
        """Return the number of a JSON value, NaN when it is missing or breaks the rule."""
        if given is None or given == "":
            return math.nan
        number = self.read(given, as_of_us)
        if number != number:
            warnings.append(
                f"attribute {self.attribute!r} must be {self.rule}; {shorten(repr(given))} counts as missing"
            )
        elif number == 0.0 and self.has_levels:
            warnings.append(
                f"attribute {self.attribute!r}: {shorten(str(given))!r} is rare or new to the model"
            )
        return number


ONLY_LEAD = np.zeros(1, dtype=np.int64)


def _readers(feature_set: FeatureSet) -> Iterator[AttributeReader]:
    for column, feature in enumerate(feature_set.features):
        if feature.kind in ATTRIBUTE_KINDS and feature.attribute is not None:
            rule, read = _reading(feature)
            yield AttributeReader(column, feature.attribute, rule, read, feature.is_category)


def _reading(feature: Feature) -> tuple[str, Callable[[object, int], float]]:
    match feature.kind:
        case FeatureKind.ATTRIBUTE_CATEGORY:
            codes = {level: float(code) for code, level in enumerate(feature.levels, start=1)}
            return "text", lambda given, _: codes.get(given, 0.0) if isinstance(given, str) else math.nan
        case FeatureKind.ATTRIBUTE_BOOLEAN:
            return "true or false", lambda given, _: float(given) if isinstance(given, bool) else math.nan
        case FeatureKind.ATTRIBUTE_AGE_DAYS:
            return "a time with a zone, at or before as_of", _age_days
        case _:
            return "a finite number", _number


def _number(given: object, _: int) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        return math.nan
    try:
        number = float(given)
    except OverflowError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _age_days(given: object, as_of_us: int) -> float:
    instant = instant_us(given)
    return math.nan if instant is None or instant > as_of_us else (as_of_us - instant) / DAY_US


def _lead_age_days(created_at: object, as_of_us: int, warnings: list[str]) -> float:
    days = _age_days(created_at, as_of_us)
    if math.isnan(days):
        warnings.append(
            f"created_at must be a time with a zone, at or before as_of; got {shorten(repr(created_at))}"
        )
    return days


def _occurrence(activity: Mapping[str, Any]) -> Occurrence:
    """Return one activity as a tuple that sorts by time, then by id, then by what it is."""
    at = activity["occurred_at"]
    try:
        instant = at if isinstance(at, datetime) else datetime.fromisoformat(at)
        since = instant - EPOCH
    except (TypeError, ValueError) as error:
        raise InputError(f"occurred_at must be a time with a zone; got {shorten(repr(at))}") from error
    # instant_us() written out: this line runs once per activity of a request
    occurred_us = since.days * DAY_US + since.seconds * SECOND_US + since.microseconds
    get = activity.get
    return occurred_us, get("activity_id") or "", get("kind") or "", get("asset") or ""


def _each_id_once(occurrences: list[Occurrence]) -> list[Occurrence]:
    """Keep the first occurrence of every activity id; activities without an id are all kept."""
    ids = [each[1] for each in occurrences]
    if len(set(ids)) == len(ids):
        return occurrences
    seen: set[str] = set()
    kept = []
    for each in occurrences:
        if each[1] not in seen:
            kept.append(each)
        if each[1]:
            seen.add(each[1])
    return kept
