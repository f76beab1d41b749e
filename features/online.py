"""One lead of a request, as decoded JSON -> its row of the matrix, by the same kernel as a training set.

Decides how JSON values become numbers and which oddities the caller is warned of. The shape of the request
(names, types, zones of times) is checked by the service before; a time that slips through raises InputError.
How activities are put in order is decided by `features.online_log`.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from features.attributes import email_reader
from features.build import watched_attributes
from features.definitions import (
    ATTRIBUTE_KINDS,
    EMAIL_KINDS,
    Feature,
    FeatureKind,
    FeatureSet,
)
from features.kernel import fill_activity_features
from features.online_log import OnlineLog, instants_of
from features.personas import match_persona
from features.plan import compile_plan
from features.problems import shorten
from features.times import DAY_US, instant_us

Float64Array = npt.NDArray[np.float64]

IDENTITY_FIELDS = frozenset({"lead_id", "created_at", "created_order"})
ONLY_LEAD = np.zeros(1, dtype=np.int64)


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
        self._has_activities = feature_set.has_activities
        self._log = OnlineLog(feature_set)
        self._readers = tuple(_readers(feature_set))
        self._attributes = feature_set.attributes
        self._known_fields = self._attributes | IDENTITY_FIELDS
        self._age_columns = tuple(_columns_of(feature_set, FeatureKind.LEAD_AGE_DAYS))
        self._persona_columns = tuple(_columns_of(feature_set, FeatureKind.PERSONA))
        self._change_columns = tuple(
            (column, watched_attributes(feature_set.features[column], feature_set))
            for column in _columns_of(feature_set, FeatureKind.ATTRIBUTE_CHANGES)
        )

    def row(
        self,
        lead: Mapping[str, object],
        activities: Sequence[Mapping[str, Any]],
        as_of_us: int,
        changes: Sequence[Mapping[str, Any]] | None = None,
    ) -> OnlineRow:
        """Return the features of one lead as of an instant (microseconds UTC).

        lead : flat: `lead_id`, `created_at` and attributes as JSON values, as they were known at as_of. An
            attribute that is absent, null or of a wrong type counts as missing, an unseen level as rare.
        activities : `occurred_at`, `kind` and optionally `activity_id`, `asset` and `channel`; an activity_id
            counts once, at its earliest. Times are ISO-8601 text with a zone or aware datetimes; those after
            as_of do not count.
        changes : `attribute` and `changed_at` of each change of an attribute so far, None when the caller
            does not tell; an attribute changes once per instant, and what lies after as_of does not count.

        Whatever is not taken as it was meant is named in the warnings.
        """
        warnings: list[str] = []
        values = np.empty(self._width)
        if self._has_activities:
            self._fill_activities(values, activities, as_of_us, warnings)
        self._fill_lead(values, lead, as_of_us, warnings)
        if self._change_columns:
            if changes is None:
                warnings.append("attribute_changes not given, counted as none")
            self._count_changes(values, changes or (), as_of_us)
        return OnlineRow(values=values, warnings=tuple(dict.fromkeys(warnings)))

    def _fill_activities(
        self,
        values: Float64Array,
        activities: Sequence[Mapping[str, Any]],
        as_of_us: int,
        warnings: list[str],
    ) -> None:
        log = self._log.read(activities)
        occurred_us, kind_row, channel_row, asset_code = log.columns
        offsets = np.array((0, occurred_us.size), dtype=np.int64)
        as_of = np.array((as_of_us,), dtype=np.int64)
        fill_activity_features(
            values.reshape(-1, 1), *self._plan,
            occurred_us, kind_row, channel_row, asset_code, offsets, ONLY_LEAD, as_of,
        )  # fmt: skip
        if occurred_us.size and occurred_us[-1] > as_of_us:
            later = int((occurred_us > as_of_us).sum())
            warnings.append(f"activities after as_of, which do not count: {later}")
        for what, unknown in (("activity kind", log.unknown_kinds), ("channel", log.unknown_channels)):
            warnings.extend(
                f"{what} {shorten(text)!r} is not known to the model and counts in totals only"
                for text in unknown
            )

    def _fill_lead(
        self, values: Float64Array, lead: Mapping[str, object], as_of_us: int, warnings: list[str]
    ) -> None:
        for reader in self._readers:
            values[reader.column] = reader.value(lead.get(reader.attribute), as_of_us, warnings)
        for column in self._age_columns:
            values[column] = _lead_age_days(lead.get("created_at"), as_of_us, warnings)
        for column in self._persona_columns:
            place = match_persona(self.feature_set.features[column].personas, lead)
            values[column] = place + 1 if place >= 0 else math.nan
        if not self._attributes <= lead.keys():
            absent = ", ".join(sorted(self._attributes - lead.keys()))
            warnings.append(f"attributes not given, scored as missing: {absent}")
        if not lead.keys() <= self._known_fields:
            unknown = sorted(lead.keys() - self._known_fields)
            warnings.append(f"attributes not used by the model: {', '.join(map(shorten, unknown))}")

    def _count_changes(
        self, values: Float64Array, changes: Sequence[Mapping[str, Any]], as_of_us: int
    ) -> None:
        instants = instants_of([change["changed_at"] for change in changes], "changed_at").tolist()
        changed = {(change["attribute"], instant) for change, instant in zip(changes, instants, strict=True)}
        for column, watched in self._change_columns:
            since_us = as_of_us - (self.feature_set.features[column].window_days or 0) * DAY_US
            values[column] = sum(
                attribute in watched and since_us < instant <= as_of_us for attribute, instant in changed
            )


def _columns_of(feature_set: FeatureSet, kind: FeatureKind) -> Iterator[int]:
    return (column for column, feature in enumerate(feature_set.features) if feature.kind is kind)


@dataclass(frozen=True, slots=True)
class AttributeReader:
    """Reads one attribute of a request into one column; `rule` says what its values must be.

    An address is personal: it is never repeated in a warning.
    """

    column: int
    attribute: str
    rule: str
    read: Callable[[object, int], float]
    has_levels: bool
    is_address: bool = False

    def value(self, given: object, as_of_us: int, warnings: list[str]) -> float:
        """Return the number of a JSON value, NaN when it is missing or breaks the rule."""
        if given is None or given == "":
            return math.nan
        number = self.read(given, as_of_us)
        if number != number:
            shown = "what was given" if self.is_address else shorten(repr(given))
            warnings.append(f"attribute {self.attribute!r} must be {self.rule}; {shown} counts as missing")
        elif number == 0.0 and self.has_levels and not self.is_address:
            warnings.append(
                f"attribute {self.attribute!r}: {shorten(str(given))!r} is rare or new to the model"
            )
        return number


def _readers(feature_set: FeatureSet) -> Iterator[AttributeReader]:
    for column, feature in enumerate(feature_set.features):
        if feature.kind in ATTRIBUTE_KINDS and feature.attribute is not None:
            rule, read = _reading(feature)
            yield AttributeReader(
                column, feature.attribute, rule, read, feature.is_category, feature.kind in EMAIL_KINDS
            )


def _reading(feature: Feature) -> tuple[str, Callable[[object, int], float]]:
    match feature.kind:
        case FeatureKind.ATTRIBUTE_CATEGORY:
            codes = {level: float(code) for code, level in enumerate(feature.levels, start=1)}
            return "text", lambda given, _: codes.get(given, 0.0) if isinstance(given, str) else math.nan
        case FeatureKind.EMAIL_CLASS | FeatureKind.EMAIL_COUNTRY:
            return "an e-mail address", _address_code(feature)
        case FeatureKind.ATTRIBUTE_BOOLEAN:
            return "true or false", lambda given, _: float(given) if isinstance(given, bool) else math.nan
        case FeatureKind.ATTRIBUTE_AGE_DAYS:
            return "a time with a zone, at or before as_of", _age_days
        case _:
            return "a finite number", _number


def _address_code(feature: Feature) -> Callable[[object, int], float]:
    codes = {level: float(code) for code, level in enumerate(feature.levels, start=1)}
    read = email_reader(feature)

    def code(given: object, _: int) -> float:
        said = read(given) if isinstance(given, str) else ""
        return codes.get(said, 0.0) if said else math.nan

    return code


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
