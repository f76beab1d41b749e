"""What a feature is: a value, not code. Kind, window, unit, words, levels; frozen with the model.

Decides names, meaning and the JSON form of a feature set. Which features a CRM gets is decided by
`features.choosing`, how they are computed by `features.kernel` and `features.build`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cached_property
from typing import Any

import msgspec

from features.errors import InputError
from features.personas import PersonaRules

LONGEST_WINDOW_DAYS = 3650
LONGEST_HALF_LIFE_DAYS = 100
"""The kernel resolves an age to half_life / 2^20 in int64 microseconds: 100 days still fit."""

MOST_LEVELS = 255
FORMAT = 1
LATER_FEATURE_KEYS = frozenset({"channel", "free_mail_domains", "personas"})
LATER_SET_KEYS = frozenset({"channels"})
"""Keys that joined the format later: written only when they say something, so that a model directory of an
earlier version is still the same text with the same hash."""


class FeatureKind(StrEnum):
    """How a feature's value comes about."""

    COUNT = "count"
    DAYS_SINCE_LAST = "days_since_last"
    DISTINCT_ASSETS = "distinct_assets"
    ACTIVE_DAYS = "active_days"
    ENGAGEMENT = "engagement"
    TREND = "trend"
    DAYS_BETWEEN_LAST_TWO = "days_between_last_two"
    FIRST_TOUCH_KIND = "first_touch_kind"
    FIRST_TOUCH_HOUR = "first_touch_hour"
    FIRST_TOUCH_WEEKDAY = "first_touch_weekday"
    LEAD_AGE_DAYS = "lead_age_days"
    ATTRIBUTE_NUMBER = "attribute_number"
    ATTRIBUTE_CATEGORY = "attribute_category"
    ATTRIBUTE_BOOLEAN = "attribute_boolean"
    ATTRIBUTE_AGE_DAYS = "attribute_age_days"
    ATTRIBUTE_CHANGES = "attribute_changes"
    EMAIL_CLASS = "email_class"
    EMAIL_COUNTRY = "email_country"
    PERSONA = "persona"


EMAIL_KINDS = frozenset({FeatureKind.EMAIL_CLASS, FeatureKind.EMAIL_COUNTRY})
"""What an e-mail address says about its domain; the address itself is in no feature and no model."""

ATTRIBUTE_KINDS = EMAIL_KINDS | {
    FeatureKind.ATTRIBUTE_NUMBER,
    FeatureKind.ATTRIBUTE_CATEGORY,
    FeatureKind.ATTRIBUTE_BOOLEAN,
    FeatureKind.ATTRIBUTE_AGE_DAYS,
}
"""Kinds that read the value of one attribute as of an instant."""

CATEGORY_KINDS = EMAIL_KINDS | {
    FeatureKind.ATTRIBUTE_CATEGORY,
    FeatureKind.FIRST_TOUCH_KIND,
    FeatureKind.PERSONA,
}
FIRST_TOUCH_KINDS = frozenset(
    {FeatureKind.FIRST_TOUCH_KIND, FeatureKind.FIRST_TOUCH_HOUR, FeatureKind.FIRST_TOUCH_WEEKDAY}
)
ACTIVITY_KINDS = FIRST_TOUCH_KINDS | {
    FeatureKind.COUNT,
    FeatureKind.DAYS_SINCE_LAST,
    FeatureKind.DISTINCT_ASSETS,
    FeatureKind.ACTIVE_DAYS,
    FeatureKind.ENGAGEMENT,
    FeatureKind.TREND,
    FeatureKind.DAYS_BETWEEN_LAST_TWO,
}
"""Kinds that the kernel computes from the activities of a lead."""

WINDOW_KINDS = frozenset(
    {
        FeatureKind.COUNT,
        FeatureKind.DISTINCT_ASSETS,
        FeatureKind.ACTIVE_DAYS,
        FeatureKind.TREND,
        FeatureKind.ATTRIBUTE_CHANGES,
    }
)
TIMELESS_KINDS = (ATTRIBUTE_KINDS - {FeatureKind.ATTRIBUTE_AGE_DAYS}) | {FeatureKind.PERSONA}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One column of the model's matrix.

    A category is coded 0 for a rare or unseen level, i + 1 for `levels[i]`, NaN when missing; a boolean is
    0 or 1; days are float days; hours 0-23 and weekdays 0 (Monday) to 6 in the zone of the feature set.
    `family` groups correlated features, whose reasons are given as one. `monotone` is the agreed direction:
    1 more is better, -1 more is worse, 0 open. `subject_de` and `subject_en` are the words of `crm.toml` for
    the activity kind, channel or attribute, `levels_de` and `levels_en` those for the levels; empty where it
    has none.

    A feature of activities looks at one activity kind, one channel, or all. A count of attribute changes
    looks at one attribute, or at every attribute that the feature set reads. `free_mail_domains` and
    `personas` are what was known and agreed when the features were chosen: they are frozen like the levels.
    """

    name: str
    kind: FeatureKind
    family: str
    activity_kind: str | None = None
    channel: str | None = None
    attribute: str | None = None
    window_days: int | None = None
    long_window_days: int | None = None
    half_life_days: int | None = None
    levels: tuple[str, ...] = ()
    unit: str = ""
    label_de: str = ""
    label_en: str = ""
    null_means: str = ""
    monotone: int = 0
    subject_de: str = ""
    subject_en: str = ""
    levels_de: tuple[str, ...] = ()
    levels_en: tuple[str, ...] = ()
    free_mail_domains: tuple[str, ...] = ()
    personas: tuple[PersonaRules, ...] = ()

    def __post_init__(self) -> None:
        for broken in _broken_rules(self):
            raise InputError(f"feature {self.name!r}: {broken}")

    @property
    def is_category(self) -> bool:
        """Whether the values are codes of `levels`, without an order."""
        return self.kind in CATEGORY_KINDS

    @property
    def reads(self) -> frozenset[str]:
        """The attributes of a lead that the value rests on."""
        read = () if self.attribute is None else (self.attribute,)
        return frozenset(read).union(*(persona.attributes for persona in self.personas))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form; `from_dict` gives an equal value back."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return _without_silent(data, LATER_FEATURE_KEYS)

    @classmethod
    def from_dict(cls, data: object) -> "Feature":
        """Read what `to_dict` wrote; InputError names the key that is missing, unknown or of a wrong type."""
        if not isinstance(data, Mapping):
            raise InputError(f"a feature must be an object; got {data!r}")
        _check_keys(data, (field.name for field in fields(cls)), LATER_FEATURE_KEYS, "a feature")
        try:
            return msgspec.convert(data, cls)
        except msgspec.ValidationError as error:
            raise InputError(f"feature {data['name']!r}: {error}") from error


def _broken_rules(feature: Feature) -> Iterable[str]:
    """Yield what is wrong with a feature, each naming the field, the rule and the value."""
    kind = feature.kind
    needs = {
        "window_days": kind in WINDOW_KINDS,
        "long_window_days": kind is FeatureKind.TREND,
        "half_life_days": kind is FeatureKind.ENGAGEMENT,
        "attribute": kind in ATTRIBUTE_KINDS,
    }
    may_have = {
        "attribute": kind is FeatureKind.ATTRIBUTE_CHANGES,
        "activity_kind": kind in ACTIVITY_KINDS - FIRST_TOUCH_KINDS,
        "channel": kind in ACTIVITY_KINDS - FIRST_TOUCH_KINDS,
    }
    for field in dict.fromkeys((*needs, *may_have)):
        value, needed = getattr(feature, field), needs.get(field, False)
        if needed != (value is not None) and not may_have.get(field, False):
            yield f"{field} must {'be given' if needed else 'be absent'} for {kind}; got {value!r}"
    if feature.activity_kind is not None and feature.channel is not None:
        both = f"{feature.activity_kind!r} and {feature.channel!r}"
        yield f"activity_kind and channel must not both be given; got {both}"
    if (kind is FeatureKind.EMAIL_CLASS) != bool(feature.free_mail_domains):
        given = len(feature.free_mail_domains)
        yield f"free_mail_domains must be given for {FeatureKind.EMAIL_CLASS} and nothing else; got {given}"
    if (kind is FeatureKind.PERSONA) != bool(feature.personas):
        yield f"personas must be given for a persona feature and for no other; got {len(feature.personas)}"
    if feature.personas and feature.levels != tuple(persona.name for persona in feature.personas):
        yield f"levels of a persona feature must be the names of its personas; got {list(feature.levels)}"
    yield from _out_of_range("window_days", feature.window_days, LONGEST_WINDOW_DAYS)
    yield from _out_of_range("long_window_days", feature.long_window_days, LONGEST_WINDOW_DAYS)
    yield from _out_of_range("half_life_days", feature.half_life_days, LONGEST_HALF_LIFE_DAYS)
    if not feature.name:
        yield "name must not be empty"
    if feature.monotone not in (-1, 0, 1):
        yield f"monotone must be -1, 0 or 1; got {feature.monotone!r}"
    if len(set(feature.levels)) != len(feature.levels) or len(feature.levels) > MOST_LEVELS:
        yield f"levels must be unique and at most {MOST_LEVELS}; got {len(feature.levels)}"


def _out_of_range(field: str, value: int | None, most: int) -> Iterable[str]:
    if value is not None and not (type(value) is int and 1 <= value <= most):
        yield f"{field} must be a whole number of days from 1 to {most}; got {value!r}"


def _without_silent(data: dict[str, Any], keys: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in keys or value}


def _check_keys(
    data: Mapping[str, Any], expected: Iterable[str], optional: frozenset[str], what: str
) -> None:
    wanted = set(expected)
    missing, unknown = sorted(wanted - optional - set(data)), sorted(set(data) - wanted)
    if missing or unknown:
        raise InputError(f"{what} must have exactly its keys; missing {missing}, unknown {unknown}")


def _check_type(data: Mapping[str, Any], key: str, wanted: type, words: str) -> None:
    if not isinstance(data[key], wanted):
        raise InputError(f"feature set: {key} must be {words}; got {data[key]!r}")


@dataclass(frozen=True, kw_only=True)
class FeatureSet:
    """The features of one model, in the order of its matrix, with the vocabularies of its activities.

    `timezone` is the IANA zone in which hours and weekdays are read. `activity_kinds` and `channels` are what
    the kernel tells apart; every other kind or channel counts in totals only.
    """

    features: tuple[Feature, ...]
    timezone: str
    activity_kinds: tuple[str, ...]
    channels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        vocabularies = {"activity_kind": self.activity_kinds, "channel": self.channels}
        for what, names in (
            ("feature names", self.names),
            ("activity kinds", self.activity_kinds),
            ("channels", self.channels),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise InputError(f"{what} must be unique; given twice: {', '.join(map(repr, twice))}")
        for feature in self.features:
            for field, known in vocabularies.items():
                value = getattr(feature, field)
                if value is not None and value not in known:
                    raise InputError(
                        f"feature {feature.name!r}: {field} must be one of {list(known)}; got {value!r}"
                    )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the features, in the order of the matrix."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def categorical_indices(self) -> tuple[int, ...]:
        """The columns of the matrix that hold codes."""
        return tuple(index for index, feature in enumerate(self.features) if feature.is_category)

    @cached_property
    def recency_of(self) -> tuple[int | None, ...]:
        """For each feature of activities the column of days since the last of them, if there is one.

        It is missing exactly when the lead never had such an activity.
        """
        subjects = [
            (each.activity_kind, each.channel) if each.kind in ACTIVITY_KINDS else each
            for each in self.features
        ]
        recency = {
            subject: index
            for index, (each, subject) in enumerate(zip(self.features, subjects, strict=True))
            if each.kind is FeatureKind.DAYS_SINCE_LAST
        }
        return tuple(recency.get(subject) for subject in subjects)

    @cached_property
    def attributes(self) -> frozenset[str]:
        """The attributes of a lead that any feature reads."""
        return frozenset[str]().union(*(feature.reads for feature in self.features))

    @cached_property
    def needs_times(self) -> bool:
        """Whether any feature depends on as_of."""
        return any(feature.kind not in TIMELESS_KINDS for feature in self.features)

    @cached_property
    def has_activities(self) -> bool:
        """Whether any feature looks at activities."""
        return any(feature.kind in ACTIVITY_KINDS for feature in self.features)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON: equal for equal sets, on every machine."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form (`features.json` of a model directory); `from_dict` gives an equal value back."""
        data = {
            "format": FORMAT,
            "timezone": self.timezone,
            "activity_kinds": list(self.activity_kinds),
            "channels": list(self.channels),
            "features": [feature.to_dict() for feature in self.features],
        }
        return _without_silent(data, LATER_SET_KEYS)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "FeatureSet":
        """Read what `to_dict` wrote; InputError names the feature and key that is wrong."""
        keys = ("format", "timezone", "activity_kinds", "channels", "features")
        _check_keys(data, keys, LATER_SET_KEYS, "a feature set")
        if data["format"] != FORMAT:
            raise InputError(f"feature set: format must be {FORMAT}; got {data['format']!r}")
        _check_type(data, "timezone", str, "text")
        for key in ("activity_kinds", "channels", "features"):
            _check_type({"channels": [], **data}, key, list, "a list")
        return cls(
            features=tuple(Feature.from_dict(each) for each in data["features"]),
            timezone=data["timezone"],
            activity_kinds=tuple(data["activity_kinds"]),
            channels=tuple(data.get("channels", ())),
        )
