"""Every feature and every value has a sentence a seller understands, in English and German."""

import itertools
import math
from dataclasses import replace

import pytest

from features.catalogue import activity_features, attribute_feature
from features.crm import CrmSettings, Label
from features.definitions import Feature, FeatureKind
from features.words.phrases import KIND_PHRASES, LANGUAGES, Case, Language, days_text, number_text
from features.words.reasons import feature_label, reason_sentence, value_text
from tests.builders_features import CRM, LEVELS, feature_set

ALL_KINDS = tuple(KIND_PHRASES)
EVERYTHING = (
    *feature_set().features,
    *activity_features((*ALL_KINDS, "W_Valideren {x}"), CRM, has_assets=True),
)
BY_NAME = {feature.name: feature for feature in EVERYTHING}
VALUES = (math.nan, 0.0, 1.0, 2.0, 1234.5)
INDUSTRY = attribute_feature(
    FeatureKind.ATTRIBUTE_CATEGORY,
    "industry",
    replace(CRM, attribute_labels=(Label(name="industry", de="Branche", en="Industry"),)),
    LEVELS,
)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("feature", EVERYTHING, ids=lambda feature: feature.name)
def test_every_value_has_a_sentence(feature: Feature, lang: Language) -> None:
    """No feature is left without words, and no word of the machine shows through."""
    for value in VALUES:
        texts = (reason_sentence(feature, value, lang), value_text(feature, value, lang))
        for text in (*texts, feature_label(feature, lang)):
            assert text.strip() == text
            assert text
            assert not any(word in text for word in ("None", "nan", "{ago}", "  ", "1 days", "1 Tage "))
        assert texts[0][0] == texts[0][0].upper()


@pytest.mark.parametrize("feature", EVERYTHING, ids=lambda feature: feature.name)
def test_the_two_languages_differ(feature: Feature) -> None:
    """German is not English with other numbers, except where an attribute's own name says it all."""
    if feature.attribute is None:
        for value in VALUES:
            assert reason_sentence(feature, value, "en") != reason_sentence(feature, value, "de")


SENTENCES = [
    ("days_since_demo_request", 2.9, "Asked for a demo 2 days ago", "Hat vor 2 Tagen eine Demo angefragt"),
    ("days_since_demo_request", 1.0, "Asked for a demo 1 day ago", "Hat vor 1 Tag eine Demo angefragt"),
    (
        "days_since_demo_request",
        0.2,
        "Asked for a demo less than a day ago",
        "Hat vor weniger als einem Tag eine Demo angefragt",
    ),
    ("days_since_demo_request", math.nan, "No demo request so far", "Bisher keine Demo-Anfragen"),
    ("days_since_activity", 12.3, "Last activity 12 days ago", "Letzte Aktivität vor 12 Tagen"),
    ("count_page_view_7d", 5.0, "5 page views in the last 7 days", "5 Seitenaufrufe in den letzten 7 Tagen"),
    ("count_page_view_7d", 1.0, "1 page view in the last 7 days", "1 Seitenaufruf in den letzten 7 Tagen"),
    (
        "count_page_view_7d",
        0.0,
        "No page views in the last 7 days",
        "Keine Seitenaufrufe in den letzten 7 Tagen",
    ),
    (
        "count_all_1d",
        1234.0,
        "1,234 activities in the last 24 hours",
        "1.234 Aktivitäten in den letzten 24 Stunden",
    ),
    (
        "active_days_30d",
        3.0,
        "Active on 3 days in the last 30 days",
        "An 3 Tagen aktiv in den letzten 30 Tagen",
    ),
    (
        "trend_7d_30d",
        2.5,
        "Activity in the last 7 days is 2.5 times the average of the last 30 days",
        "Aktivität in den letzten 7 Tagen: 2,5-mal der Durchschnitt der letzten 30 Tage",
    ),
    ("lead_age_days", 3.0, "Lead is 3 days old", "Lead ist 3 Tage alt"),
    ("lead_age_days", 0.5, "Lead is less than a day old", "Lead ist weniger als einen Tag alt"),
    ("first_touch_kind", 2.0, "First contact: demo request", "Erster Kontakt: Demo-Anfrage"),
    ("first_touch_weekday", 0.0, "First contact on a Monday", "Erster Kontakt an einem Montag"),
    (
        "first_touch_hour",
        14.0,
        "First contact between 14:00 and 15:00",
        "Erster Kontakt zwischen 14 und 15 Uhr",
    ),
    ("newsletter", 1.0, "Newsletter: yes", "Newsletter: ja"),
    ("employees", 1234.5, "Employees: 1,234.5", "Employees: 1.234,5"),
    (
        "count_w_valideren_x_7d",
        2.0,
        "“W_Valideren {x}”: 2 in the last 7 days",
        "„W_Valideren {x}“: 2 in den letzten 7 Tagen",
    ),
    (
        "days_since_w_valideren_x",
        math.nan,
        "“W_Valideren {x}”: none so far",
        "„W_Valideren {x}“: bisher keine",
    ),
    ("days_since_w_valideren_x", 2.0, "“W_Valideren {x}” 2 days ago", "„W_Valideren {x}“ vor 2 Tagen"),
]


@pytest.mark.parametrize(("name", "value", "english", "german"), SENTENCES)
def test_sentences_as_people_say_them(name: str, value: float, english: str, german: str) -> None:
    """Number, case and rounding are right in both languages."""
    feature = (
        feature_set().features[feature_set().names.index(name)]
        if name in feature_set().names
        else BY_NAME[name]
    )
    assert reason_sentence(feature, value, "en") == english
    assert reason_sentence(feature, value, "de") == german


def test_words_of_the_crm_win() -> None:
    """Labels of crm.toml name attributes, kinds and first touches."""
    labels = (Label(name="demo_request", de="Vorführung", en="Product tour"),)
    crm = CrmSettings(name="test", activity_labels=labels)
    by_name = {each.name: each for each in activity_features(("demo_request",), crm, has_assets=False)}
    last, first = by_name["days_since_demo_request"], by_name["first_touch_kind"]
    assert reason_sentence(last, 2.0, "en") == "Product tour 2 days ago"
    assert reason_sentence(last, 2.0, "de") == "Vorführung vor 2 Tagen"
    assert reason_sentence(first, 1.0, "de") == "Erster Kontakt: Vorführung"
    assert last.label_de == "Tage seit: Vorführung"
    assert reason_sentence(INDUSTRY, 1.0, "en") == "Industry: Software"
    assert reason_sentence(INDUSTRY, 1.0, "de") == "Branche: Software"
    assert reason_sentence(INDUSTRY, 0.0, "de") == "Branche: ein seltener oder neuer Wert"
    assert reason_sentence(INDUSTRY, math.nan, "en") == "No value for Industry"
    assert reason_sentence(INDUSTRY, math.nan, "de") == "Kein Wert für Branche"


def test_a_label_that_says_what_we_say_keeps_the_better_sentence() -> None:
    """A CRM that calls a demo request "Demo request" still reads "Asked for a demo"."""
    labels = (Label(name="demo_request", de="Demo-Anfrage", en="Demo request"),)
    crm = CrmSettings(name="test", activity_labels=labels)
    by_name = {each.name: each for each in activity_features(("demo_request",), crm, has_assets=False)}
    assert reason_sentence(by_name["days_since_demo_request"], 2.0, "en") == "Asked for a demo 2 days ago"


NUMBERS = [
    (0.0, "0", "0"),
    (1234.5, "1,234.5", "1.234,5"),
    (-0.25, "-0.25", "-0,25"),
    (1234567.891, "1,234,567.89", "1.234.567,89"),
    (0.000123, "0.000123", "0,000123"),
    (1.5e300, "1.5e+300", "1,5e+300"),
]


@pytest.mark.parametrize(("value", "english", "german"), NUMBERS)
def test_numbers_are_written_as_in_the_language(value: float, english: str, german: str) -> None:
    """Thousands and decimals; what is tiny is not 0 and what is huge is not a page long."""
    assert number_text(value, "en") == english
    assert number_text(value, "de") == german


def test_days_decline_in_german() -> None:
    """Ein Tag, einen Tag, einem Tag; Tage, Tage, Tagen."""
    cases: tuple[Case, ...] = ("nominative", "accusative", "dative")
    found = [days_text(days, "de", case) for days, case in itertools.product((0.5, 3.0), cases)]
    a_day = ["weniger als ein Tag", "weniger als einen Tag", "weniger als einem Tag"]
    assert found == [*a_day, "3 Tage", "3 Tage", "3 Tagen"]
