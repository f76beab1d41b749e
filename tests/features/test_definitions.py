"""A feature set is a value: it survives JSON, knows itself by its hash, and refuses what has no meaning."""

import json
from dataclasses import replace
from typing import Any

import pytest

from features.definitions import Feature, FeatureKind, FeatureSet
from features.errors import InputError
from tests.builders_features import PERSONAS, feature_set

EVERYTHING = feature_set()
COUNT = Feature(name="count", kind=FeatureKind.COUNT, family="engagement", window_days=7)


def test_json_and_back() -> None:
    """features.json holds all of it."""
    text = json.dumps(EVERYTHING.to_dict())
    again = FeatureSet.from_dict(json.loads(text))
    assert again == EVERYTHING
    assert again.hash == EVERYTHING.hash


def test_the_hash_changes_with_any_part() -> None:
    """Another zone, vocabulary, window or order is another feature set."""
    first, second, *rest = EVERYTHING.features
    others = [
        replace(EVERYTHING, timezone="UTC"),
        replace(EVERYTHING, activity_kinds=(*EVERYTHING.activity_kinds, "fax")),
        replace(EVERYTHING, features=(second, first, *rest)),
        replace(EVERYTHING, features=(replace(first, window_days=2), second, *rest)),
    ]
    assert len({EVERYTHING.hash, *(other.hash for other in others)}) == 1 + len(others)


def test_the_hash_of_a_small_set_is_what_it_was() -> None:
    """A model directory of yesterday must be readable today: the canonical JSON may not change unnoticed."""
    small = FeatureSet(features=(COUNT,), timezone="UTC", activity_kinds=())
    assert small.hash == "1b42df9f36d525b2b4bb8b3f90a8ec8b12d4efe1413664c73dccb08f269526f3"


def test_what_a_set_knows_of_itself() -> None:
    """Names, categories and the need for times follow from the features."""
    by_name = dict(zip(EVERYTHING.names, EVERYTHING.features, strict=True))
    assert [EVERYTHING.names[i] for i in EVERYTHING.categorical_indices] == [
        "first_touch_kind",
        "industry",
        "email_class",
        "email_country",
        "persona",
    ]
    assert EVERYTHING.needs_times
    assert not feature_set(by_name["industry"], by_name["employees"], by_name["newsletter"]).needs_times
    assert feature_set(by_name["trial_at_age_days"]).needs_times


WITHOUT_MEANING = [
    pytest.param(
        {"window_days": 0}, "window_days must be a whole number of days from 1 to 3650; got 0", id="zero"
    ),
    pytest.param({"window_days": None}, "window_days must be given for count; got None", id="no-window"),
    pytest.param({"half_life_days": 7}, "half_life_days must be absent for count; got 7", id="foreign-field"),
    pytest.param(
        {"attribute": "city"}, "attribute must be absent for count; got 'city'", id="foreign-attribute"
    ),
    pytest.param({"name": ""}, "name must not be empty", id="no-name"),
    pytest.param({"monotone": 2}, "monotone must be -1, 0 or 1; got 2", id="monotone"),
    pytest.param({"levels": ("a", "a")}, "levels must be unique and at most 255; got 2", id="levels-twice"),
    pytest.param(
        {"activity_kind": "call", "channel": "web"},
        "activity_kind and channel must not both be given; got 'call' and 'web'",
        id="kind-and-channel",
    ),
    pytest.param(
        {"kind": FeatureKind.FIRST_TOUCH_HOUR, "window_days": None, "channel": "web"},
        "channel must be absent for first_touch_hour; got 'web'",
        id="first-touch-of-a-channel",
    ),
    pytest.param({"free_mail_domains": ("gmx.de",)}, "free_mail_domains must be given for", id="domains"),
    pytest.param({"personas": PERSONAS}, "personas must be given for a persona feature", id="personas"),
    pytest.param(
        {"kind": FeatureKind.PERSONA, "window_days": None, "personas": PERSONAS, "levels": ("x",)},
        r"levels of a persona feature must be the names of its personas; got \['x'\]",
        id="persona-names",
    ),
    pytest.param(
        {"kind": FeatureKind.ENGAGEMENT, "window_days": None, "half_life_days": 101},
        "half_life_days must be a whole number of days from 1 to 100; got 101",
        id="half-life-beyond-fixed-point",
    ),
]


@pytest.mark.parametrize(("change", "rule"), WITHOUT_MEANING)
def test_a_feature_without_meaning_is_refused(change: dict[str, Any], rule: str) -> None:
    """The error names the feature, the rule and the value."""
    with pytest.raises(InputError, match=rule):
        replace(COUNT, **change)


def test_names_and_kinds_of_a_set_are_checked() -> None:
    """A name twice, or a feature of a kind outside the vocabulary, cannot be computed."""
    with pytest.raises(InputError, match="feature names must be unique; given twice: 'count'"):
        FeatureSet(features=(COUNT, COUNT), timezone="UTC", activity_kinds=())
    with pytest.raises(InputError, match=r"activity_kind must be one of \['call'\]; got 'fax'"):
        FeatureSet(features=(replace(COUNT, activity_kind="fax"),), timezone="UTC", activity_kinds=("call",))
    with pytest.raises(InputError, match=r"channel must be one of \['web'\]; got 'fax'"):
        FeatureSet(
            features=(replace(COUNT, channel="fax"),), timezone="UTC", activity_kinds=(), channels=("web",)
        )


DAMAGE = [
    pytest.param(lambda data: data.pop("timezone"), r"missing \['timezone'\]", id="missing-key"),
    pytest.param(lambda data: data.update(extra=1), r"unknown \['extra'\]", id="unknown-key"),
    pytest.param(lambda data: data.update(format=2), "format must be 1; got 2", id="format"),
    pytest.param(lambda data: data.update(timezone=5), "timezone must be text; got 5", id="zone-type"),
    pytest.param(
        lambda data: data.update(activity_kinds="call"), "activity_kinds must be a list", id="kinds-type"
    ),
    pytest.param(lambda data: data.update(features={}), "features must be a list", id="features-type"),
    pytest.param(
        lambda data: data["features"].append(3), "a feature must be an object; got 3", id="no-object"
    ),
    pytest.param(lambda data: data["features"][0].pop("kind"), r"missing \['kind'\]", id="feature-key"),
    pytest.param(
        lambda data: data["features"][0].update(kind="magic"), "Invalid enum value 'magic'", id="kind"
    ),
    pytest.param(lambda data: data["features"][0].update(window_days="7"), "window_days", id="field-type"),
    pytest.param(
        lambda data: data["features"][-1]["personas"][0].update(rules=[]),
        "persona 'builder': rules must hold at least one; got none",
        id="persona-without-rules",
    ),
    pytest.param(
        lambda data: data["features"][-1]["personas"][0]["rules"][0].update(values=[]),
        "persona rule on 'industry': values must hold at least one; got none",
        id="persona-rule-without-values",
    ),
]


@pytest.mark.parametrize(("damage", "rule"), DAMAGE)
def test_damaged_json_is_refused_by_name(damage: Any, rule: str) -> None:
    """A feature set somebody edited by hand says what is wrong with it."""
    data = json.loads(json.dumps(EVERYTHING.to_dict()))
    damage(data)
    with pytest.raises(InputError, match=rule):
        FeatureSet.from_dict(data)
