"""The definition of every feature as a person would compute it: one lead, a list of dicts, datetimes.

Judges `features.kernel` and `features.build`, and shares no code with them.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from features.definitions import Feature, FeatureKind, FeatureSet
from sla.personas import Condition, Operator, Persona, match_persona

Row = Mapping[str, Any]
ONE_DAY = timedelta(days=1)


def slow_row(
    feature_set: FeatureSet,
    lead: Row,
    activities: Iterable[Row],
    changes: Iterable[Row],
    as_of: datetime,
) -> list[float]:
    """Return the features of one lead as of an instant, in the order of the set."""
    mine = _known_once([each for each in activities if each["lead_id"] == lead["lead_id"]], as_of)
    history = [each for each in changes if each["lead_id"] == lead["lead_id"]]
    values, zone = [], ZoneInfo(feature_set.timezone)
    read = {name for feature in feature_set.features for name in feature.reads}
    for feature in feature_set.features:
        if feature.kind is FeatureKind.ATTRIBUTE_CHANGES:
            values.append(_changes(feature, history, as_of, read))
        elif feature.kind is FeatureKind.PERSONA:
            values.append(_persona(feature, lead, history, as_of))
        elif feature.attribute is not None:
            values.append(_attribute(feature, lead, history, as_of))
        elif feature.kind is FeatureKind.LEAD_AGE_DAYS:
            values.append(_age(lead["created_at"], as_of))
        else:
            chosen = [
                each
                for each in mine
                if feature.activity_kind in (None, each["kind"])
                and feature.channel in (None, each["channel"])
            ]
            values.append(ACTIVITY_RULES[feature.kind](feature, chosen, as_of, zone))
    return values


def _known_once(activities: list[Row], as_of: datetime) -> list[Row]:
    """Keep the earliest activity of each id, then those at or before as_of, oldest first.

    Rows with one id and one time that say different things: the first by kind, channel, asset counts.
    """
    content = ("kind", "channel", "asset")
    ordered = sorted(
        activities,
        key=lambda each: (
            each["occurred_at"],
            each["activity_id"],
            *((each[name] is None, each[name] or "") for name in content),
        ),
    )
    first: dict[str, Row] = {}
    for each in ordered:
        first.setdefault(each["activity_id"], each)
    return [each for each in first.values() if each["occurred_at"] <= as_of]


def _within(activities: list[Row], as_of: datetime, days: int | None) -> list[Row]:
    assert days is not None
    return [each for each in activities if each["occurred_at"] > as_of - timedelta(days=days)]


def _count(feature: Feature, activities: list[Row], as_of: datetime, _: ZoneInfo) -> float:
    return float(len(_within(activities, as_of, feature.window_days)))


def _days_since_last(_: Feature, activities: list[Row], as_of: datetime, __: ZoneInfo) -> float:
    return _age(activities[-1]["occurred_at"], as_of) if activities else math.nan


def _distinct_assets(feature: Feature, activities: list[Row], as_of: datetime, _: ZoneInfo) -> float:
    assets = {each["asset"] for each in _within(activities, as_of, feature.window_days)}
    return float(len(assets - {None, ""}))


def _active_days(feature: Feature, activities: list[Row], as_of: datetime, _: ZoneInfo) -> float:
    recent = _within(activities, as_of, feature.window_days)
    return float(len({(as_of - each["occurred_at"]) // ONE_DAY for each in recent}))


def _engagement(feature: Feature, activities: list[Row], as_of: datetime, _: ZoneInfo) -> float:
    half_life = timedelta(days=feature.half_life_days or 0)
    return math.fsum(0.5 ** ((as_of - each["occurred_at"]) / half_life) for each in activities)


def _trend(feature: Feature, activities: list[Row], as_of: datetime, _: ZoneInfo) -> float:
    short, long = feature.window_days, feature.long_window_days
    in_short, in_long = len(_within(activities, as_of, short)), len(_within(activities, as_of, long))
    assert short is not None
    assert long is not None
    return (in_short * long) / (in_long * short) if in_long else math.nan


def _between_last_two(_: Feature, activities: list[Row], __: datetime, ___: ZoneInfo) -> float:
    if len(activities) < 2:
        return math.nan
    return _age(activities[-2]["occurred_at"], activities[-1]["occurred_at"])


def _first_kind(feature: Feature, activities: list[Row], _: datetime, __: ZoneInfo) -> float:
    return _code(feature, activities[0]["kind"]) if activities else math.nan


def _first_hour(_: Feature, activities: list[Row], __: datetime, zone: ZoneInfo) -> float:
    return float(activities[0]["occurred_at"].astimezone(zone).hour) if activities else math.nan


def _first_weekday(_: Feature, activities: list[Row], __: datetime, zone: ZoneInfo) -> float:
    return float(activities[0]["occurred_at"].astimezone(zone).weekday()) if activities else math.nan


ActivityRule = Callable[[Feature, list[Row], datetime, ZoneInfo], float]
ACTIVITY_RULES: Mapping[FeatureKind, ActivityRule] = {
    FeatureKind.COUNT: _count,
    FeatureKind.DAYS_SINCE_LAST: _days_since_last,
    FeatureKind.DISTINCT_ASSETS: _distinct_assets,
    FeatureKind.ACTIVE_DAYS: _active_days,
    FeatureKind.ENGAGEMENT: _engagement,
    FeatureKind.TREND: _trend,
    FeatureKind.DAYS_BETWEEN_LAST_TWO: _between_last_two,
    FeatureKind.FIRST_TOUCH_KIND: _first_kind,
    FeatureKind.FIRST_TOUCH_HOUR: _first_hour,
    FeatureKind.FIRST_TOUCH_WEEKDAY: _first_weekday,
}


def _age(then: datetime | None, now: datetime) -> float:
    return math.nan if then is None or then > now else (now - then) / ONE_DAY


def _code(feature: Feature, text: str | None) -> float:
    if text is None or text == "":
        return math.nan
    return float(feature.levels.index(text) + 1) if text in feature.levels else 0.0


def _attribute(feature: Feature, lead: Row, changes: list[Row], as_of: datetime) -> float:
    """Return the last change at or before as_of; without any change ever, what the lead says now."""
    known = _known_changes(str(feature.attribute), changes, as_of)
    if known is None:
        return _typed(feature, lead[str(feature.attribute)], as_of)
    return _typed(feature, _read(feature.kind, known[-1]), as_of) if known else math.nan


def _known_changes(name: str, changes: list[Row], as_of: datetime) -> list[str | None] | None:
    """Return what the attribute became until then, oldest first; None when it never changed at all."""
    mine = [each for each in changes if each["attribute"] == name]
    if not mine:
        return None
    # of changes at one instant the last in the order of their text stands, an emptied value after all texts
    ordered = sorted(mine, key=lambda each: (each["changed_at"], each["value"] is None, each["value"] or ""))
    return [each["value"] for each in ordered if each["changed_at"] <= as_of]


def _changes(feature: Feature, changes: list[Row], as_of: datetime, read: set[str]) -> float:
    """Count the instants at which a watched attribute changed."""
    watched = read if feature.attribute is None else {feature.attribute}
    assert feature.window_days is not None
    since = as_of - timedelta(days=feature.window_days)
    changed = {(each["attribute"], each["changed_at"]) for each in changes if each["attribute"] in watched}
    return float(sum(since < at <= as_of for _, at in changed))


def _persona(feature: Feature, lead: Row, changes: list[Row], as_of: datetime) -> float:
    """Ask the agreement itself which persona the lead is, as its attributes were known."""
    personas = tuple(
        Persona(
            name=persona.name,
            de=persona.name,
            en=persona.name,
            owner_marketing="m",
            owner_sales="s",
            rules=tuple(
                Condition(attribute=rule.attribute, operator=Operator(rule.operator), values=rule.values)
                for rule in persona.rules
            ),
        )
        for persona in feature.personas
    )
    known = {name: _value_as_of(name, lead, changes, as_of) for name in feature.reads}
    plain = {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in known.items()
    }
    match = match_persona(personas, plain)
    return math.nan if match is None else float(feature.levels.index(match.name) + 1)


COLUMN_KINDS = {
    "employees": FeatureKind.ATTRIBUTE_NUMBER,
    "newsletter": FeatureKind.ATTRIBUTE_BOOLEAN,
    "trial_at": FeatureKind.ATTRIBUTE_AGE_DAYS,
}


def _value_as_of(name: str, lead: Row, changes: list[Row], as_of: datetime) -> Any:
    known = _known_changes(name, changes, as_of)
    if known is None:
        return lead[name]
    return _read(COLUMN_KINDS.get(name, FeatureKind.ATTRIBUTE_CATEGORY), known[-1]) if known else None


def _email(feature: Feature, text: str | None) -> float:
    """Take the address apart by hand: one @, then a host of labels between dots."""
    if not text:
        return math.nan
    local, at_sign, host = text.strip().lower().partition("@")
    is_address = bool(local) and at_sign == "@" and "." in host and " " not in text.strip()
    if feature.kind is FeatureKind.EMAIL_CLASS:
        free = any(host == each or host.endswith("." + each) for each in feature.free_mail_domains)
        return _code(feature, "invalid" if not is_address else "free_mail" if free else "company")
    last = host.split(".")[-1]
    country = {"uk": "GB"}.get(last, last.upper()) if len(last) == 2 else "generic"
    return _code(feature, country) if is_address else math.nan


def _typed(feature: Feature, value: Any, as_of: datetime) -> float:
    match feature.kind:
        case FeatureKind.EMAIL_CLASS | FeatureKind.EMAIL_COUNTRY:
            return _email(feature, value)
        case FeatureKind.ATTRIBUTE_CATEGORY:
            return _code(feature, value)
        case FeatureKind.ATTRIBUTE_AGE_DAYS:
            return _age(value, as_of)
        case _:
            return math.nan if value is None else float(value)


def _read(kind: FeatureKind, text: str | None) -> Any:
    """Turn the text of a change into a value; None when it says nothing."""
    if text is None:
        return text
    try:
        match kind:
            case FeatureKind.ATTRIBUTE_BOOLEAN:
                return {"true": True, "false": False}.get(text.lower())
            case FeatureKind.ATTRIBUTE_NUMBER:
                return float(text)
            case FeatureKind.ATTRIBUTE_AGE_DAYS:
                return datetime.fromisoformat(text)
            case _:
                return text
    except ValueError:
        return None
