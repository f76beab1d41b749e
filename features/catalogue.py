"""The features a CRM can get: windows, half-lives and kinds, with units, words and the meaning of null.

Decides the list; which attributes and activity kinds are worth a feature is decided by `features.choosing`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from features.crm import CrmSettings, Label
from features.definitions import Feature, FeatureKind
from features.emails import EMAIL_CLASSES, EMAIL_CLASSES_DE, EMAIL_CLASSES_EN, FREE_MAIL_DOMAINS
from features.personas import PersonaRules
from features.words.naming import make_label

WINDOWS_ALL_KINDS = (1, 7, 30, 90)
WINDOWS_ONE_KIND = (1, 7, 30, 90)
WINDOWS_CHANNEL = (1, 7, 30, 90)
WINDOWS_DISTINCT = (7, 30)
WINDOWS_ACTIVE = (7, 30)
WINDOWS_CHANGES = (7, 30, 90)
WINDOW_ONE_ATTRIBUTE = 90
HALF_LIVES = (7, 30)
TRENDS = ((7, 30), (30, 90))

RESERVED_NAMES = frozenset({"lead_id", "as_of"})
"""The columns of a feature table that say which point a row is."""

UNITS: Mapping[FeatureKind, str] = {
    FeatureKind.COUNT: "count",
    FeatureKind.DAYS_SINCE_LAST: "days",
    FeatureKind.DISTINCT_ASSETS: "count",
    FeatureKind.ACTIVE_DAYS: "days",
    FeatureKind.ENGAGEMENT: "activities",
    FeatureKind.TREND: "ratio",
    FeatureKind.DAYS_BETWEEN_LAST_TWO: "days",
    FeatureKind.FIRST_TOUCH_KIND: "category",
    FeatureKind.FIRST_TOUCH_HOUR: "hour",
    FeatureKind.FIRST_TOUCH_WEEKDAY: "weekday",
    FeatureKind.LEAD_AGE_DAYS: "days",
    FeatureKind.ATTRIBUTE_NUMBER: "number",
    FeatureKind.ATTRIBUTE_CATEGORY: "category",
    FeatureKind.ATTRIBUTE_BOOLEAN: "boolean",
    FeatureKind.ATTRIBUTE_AGE_DAYS: "days",
    FeatureKind.ATTRIBUTE_CHANGES: "count",
    FeatureKind.EMAIL_CLASS: "category",
    FeatureKind.EMAIL_COUNTRY: "category",
    FeatureKind.PERSONA: "category",
}
NEVER_NULL = "never null"
NULL_MEANS: Mapping[FeatureKind, str] = {
    FeatureKind.COUNT: NEVER_NULL,
    FeatureKind.DAYS_SINCE_LAST: "no such activity so far",
    FeatureKind.DISTINCT_ASSETS: NEVER_NULL,
    FeatureKind.ACTIVE_DAYS: NEVER_NULL,
    FeatureKind.ENGAGEMENT: NEVER_NULL,
    FeatureKind.TREND: "no activity in the long window",
    FeatureKind.DAYS_BETWEEN_LAST_TWO: "fewer than two activities so far",
    FeatureKind.FIRST_TOUCH_KIND: "no activity so far",
    FeatureKind.FIRST_TOUCH_HOUR: "no activity so far",
    FeatureKind.FIRST_TOUCH_WEEKDAY: "no activity so far",
    FeatureKind.LEAD_AGE_DAYS: "the lead was created after as_of",
    FeatureKind.ATTRIBUTE_NUMBER: "not filled as of then",
    FeatureKind.ATTRIBUTE_CATEGORY: "not filled as of then",
    FeatureKind.ATTRIBUTE_BOOLEAN: "not filled as of then",
    FeatureKind.ATTRIBUTE_AGE_DAYS: "not filled as of then, or a time after as_of",
    FeatureKind.ATTRIBUTE_CHANGES: NEVER_NULL,
    FeatureKind.EMAIL_CLASS: "no address as of then",
    FeatureKind.EMAIL_COUNTRY: "no address as of then, or an invalid one",
    FeatureKind.PERSONA: "no persona fits",
}


def activity_features(
    kinds: tuple[str, ...], crm: CrmSettings, *, channels: tuple[str, ...] = (), has_assets: bool
) -> Iterator[Feature]:
    """Yield the features of the activities of a CRM with these frequent kinds and channels."""
    for days in WINDOWS_ALL_KINDS:
        yield _engagement(FeatureKind.COUNT, f"count_all_{days}d", window_days=days)
    for days in WINDOWS_DISTINCT if has_assets else ():
        yield _engagement(FeatureKind.DISTINCT_ASSETS, f"distinct_assets_{days}d", window_days=days)
    for days in WINDOWS_ACTIVE:
        yield _engagement(FeatureKind.ACTIVE_DAYS, f"active_days_{days}d", window_days=days)
    for days in HALF_LIVES:
        yield _engagement(FeatureKind.ENGAGEMENT, f"engagement_{days}d", half_life_days=days)
    for short, long in TRENDS:
        yield _engagement(
            FeatureKind.TREND, f"trend_{short}d_{long}d", window_days=short, long_window_days=long
        )
    yield _engagement(FeatureKind.DAYS_SINCE_LAST, "days_since_activity")
    yield _engagement(FeatureKind.DAYS_BETWEEN_LAST_TWO, "days_between_last_two")
    yield from _first_touch(kinds, crm)
    for kind in kinds:
        yield from _one_kind(kind, crm)
    for channel in channels:
        yield from _one_channel(channel, crm)


def lead_age_feature() -> Feature:
    """Return the age of the lead itself."""
    return _feature(FeatureKind.LEAD_AGE_DAYS, "lead_age_days", "lead_age")


def attribute_feature(
    kind: FeatureKind, attribute: str, crm: CrmSettings, levels: tuple[str, ...] = ()
) -> Feature:
    """Return the feature of one attribute column."""
    words = _label_of(crm.attribute_labels, attribute)
    return _feature(
        kind,
        f"{slug(attribute)}_age_days" if kind is FeatureKind.ATTRIBUTE_AGE_DAYS else slug(attribute),
        f"attribute:{attribute}",
        attribute=attribute,
        levels=levels,
        subject_de=words.de,
        subject_en=words.en,
    )


def email_features(attribute: str, crm: CrmSettings, countries: tuple[str, ...]) -> Iterator[Feature]:
    """Yield what the domain of an address tells; `countries` are the levels worth telling apart."""
    words = _label_of(crm.attribute_labels, attribute)
    given = {"attribute": attribute, "subject_de": words.de, "subject_en": words.en}
    yield _feature(
        FeatureKind.EMAIL_CLASS,
        f"{slug(attribute)}_class",
        f"attribute:{attribute}",
        levels=EMAIL_CLASSES,
        levels_de=EMAIL_CLASSES_DE,
        levels_en=EMAIL_CLASSES_EN,
        free_mail_domains=FREE_MAIL_DOMAINS,
        **given,
    )
    if countries:
        yield _feature(
            FeatureKind.EMAIL_COUNTRY,
            f"{slug(attribute)}_country",
            f"attribute:{attribute}",
            levels=countries,
            **given,
        )


def change_features(attributes: tuple[str, ...], crm: CrmSettings) -> Iterator[Feature]:
    """Yield the counts of changes: of all attributes together, and of each that is known to change."""
    for days in WINDOWS_CHANGES if attributes else ():
        yield _feature(
            FeatureKind.ATTRIBUTE_CHANGES, f"attribute_changes_{days}d", "attribute_changes", window_days=days
        )
    for attribute in attributes:
        words = _label_of(crm.attribute_labels, attribute)
        yield _feature(
            FeatureKind.ATTRIBUTE_CHANGES,
            f"{slug(attribute)}_changes_{WINDOW_ONE_ATTRIBUTE}d",
            f"attribute:{attribute}",
            window_days=WINDOW_ONE_ATTRIBUTE,
            attribute=attribute,
            subject_de=words.de,
            subject_en=words.en,
        )


def persona_feature(personas: tuple[PersonaRules, ...]) -> Feature:
    """Return which of the agreed personas a lead is."""
    return _feature(
        FeatureKind.PERSONA,
        "persona",
        "persona",
        levels=tuple(persona.name for persona in personas),
        levels_de=tuple(persona.label_de for persona in personas),
        levels_en=tuple(persona.label_en for persona in personas),
        personas=personas,
    )


def slug(text: str) -> str:
    """Return a name that every file format and LightGBM takes: letters a-z, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "unnamed"


def with_unique_names(features: Iterator[Feature]) -> tuple[Feature, ...]:
    """Give names that occur again, or are reserved, a number: `city`, `city_2`."""
    named: dict[str, Feature] = {}
    for feature in features:
        name, number = feature.name, 2
        while name in named or name in RESERVED_NAMES:
            name, number = f"{feature.name}_{number}", number + 1
        named[name] = replace(feature, name=name)
    return tuple(named.values())


def _one_kind(kind: str, crm: CrmSettings) -> Iterator[Feature]:
    words, family = _label_of(crm.activity_labels, kind), f"activity:{kind}"
    given = {"activity_kind": kind, "subject_de": words.de, "subject_en": words.en}
    for days in WINDOWS_ONE_KIND:
        yield _feature(FeatureKind.COUNT, f"count_{slug(kind)}_{days}d", family, window_days=days, **given)
    yield _feature(FeatureKind.DAYS_SINCE_LAST, f"days_since_{slug(kind)}", family, **given)


def _one_channel(channel: str, crm: CrmSettings) -> Iterator[Feature]:
    words = _label_of(crm.channel_labels, channel)
    for days in WINDOWS_CHANNEL:
        yield _feature(
            FeatureKind.COUNT,
            f"count_channel_{slug(channel)}_{days}d",
            f"channel:{channel}",
            window_days=days,
            channel=channel,
            subject_de=words.de,
            subject_en=words.en,
        )


def _first_touch(kinds: tuple[str, ...], crm: CrmSettings) -> Iterator[Feature]:
    words = [_label_of(crm.activity_labels, kind) for kind in kinds]
    yield _feature(
        FeatureKind.FIRST_TOUCH_KIND,
        "first_touch_kind",
        "first_touch",
        levels=kinds,
        levels_de=tuple(each.de for each in words),
        levels_en=tuple(each.en for each in words),
    )
    yield _feature(FeatureKind.FIRST_TOUCH_HOUR, "first_touch_hour", "first_touch")
    yield _feature(FeatureKind.FIRST_TOUCH_WEEKDAY, "first_touch_weekday", "first_touch")


def _engagement(kind: FeatureKind, name: str, **given: Any) -> Feature:
    return _feature(kind, name, "engagement", **given)


def _feature(kind: FeatureKind, name: str, family: str, **given: Any) -> Feature:
    bare = Feature(
        name=name, kind=kind, family=family, unit=UNITS[kind], null_means=NULL_MEANS[kind], **given
    )
    return replace(bare, label_de=make_label(bare, "de"), label_en=make_label(bare, "en"))


def _label_of(labels: tuple[Label, ...], name: str) -> Label:
    return next((label for label in labels if label.name == name), Label(name=name, de="", en=""))
