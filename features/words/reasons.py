"""What a feature and its value mean, in the words of a seller: English and German, rendered from the feature.

Decides label, value text and sentence for every kind and every value; names are given in `naming`.
"""

import math
from collections.abc import Callable, Mapping

from features.definitions import Feature, FeatureKind
from features.emails import GENERIC
from features.words.naming import (
    activity_phrase,
    attribute_name,
    capital,
    is_named,
    level_text,
    make_label,
    of_kind,
    say,
    value_text,
)
from features.words.phrases import Language, ago_text, days_text, number_text, window_text

__all__ = ["Language", "example_sentence", "feature_label", "never_sentence", "reason_sentence", "value_text"]


HARDLY_ANY = 0.05
"""A decayed activity below this rounds to 0.0, and a seller can do nothing with the digits behind it."""


def feature_label(feature: Feature, lang: Language) -> str:
    """Return the name of a feature for people: the label frozen with it, else one made from its kind."""
    frozen = feature.label_de if lang == "de" else feature.label_en
    return frozen or make_label(feature, lang)


def reason_sentence(feature: Feature, value: float, lang: Language) -> str:
    """Return one sentence, without a full stop, that tells a seller what the value says about the lead."""
    table = MISSING_SENTENCES if math.isnan(value) else SENTENCES
    return capital(table[feature.kind](feature, value, lang))


def never_sentence(feature: Feature, lang: Language) -> str:
    """Return the sentence for a lead that never had an activity of this kind, whichever window is asked.

    "No demo request so far" tells a seller more than "no demo requests in the last 7 days".
    """
    return capital(_never(feature, math.nan, lang))


def example_sentence(feature: Feature, lang: Language) -> str:
    """Return what a reason would say of this feature for a value a lead may have."""
    return reason_sentence(feature, EXAMPLE_VALUES.get(feature.kind, 2.0), lang)


def _window(feature: Feature, lang: Language) -> str:
    return window_text(feature.window_days or 1, lang)


def _count(feature: Feature, value: float, lang: Language) -> str:
    phrase, window = activity_phrase(feature, lang), _window(feature, lang)
    if is_named(feature, lang):
        number = number_text(value, lang) if value else say(lang, "none", "keine")
        return f"{phrase.singular}: {number} {window}"
    if value == 0:
        return say(lang, f"no {phrase.plural} {window}", f"keine {phrase.plural} {window}")
    noun = phrase.singular if value == 1 else phrase.plural
    return f"{number_text(value, lang)} {noun} {window}"


def _last(feature: Feature, value: float, lang: Language) -> str:
    return activity_phrase(feature, lang).last.replace("{ago}", ago_text(value, lang))


def _never(feature: Feature, _: float, lang: Language) -> str:
    phrase = activity_phrase(feature, lang)
    if is_named(feature, lang):
        return say(lang, f"{phrase.singular}: none so far", f"{phrase.singular}: bisher keine")
    return say(lang, f"no {phrase.singular} so far", f"bisher keine {phrase.plural}")


def _distinct(feature: Feature, value: float, lang: Language) -> str:
    number, window, kind = number_text(value, lang), _window(feature, lang), of_kind(feature, lang)
    if value == 0:
        return say(lang, f"no pages or contents {window}{kind}", f"keine Seiten oder Inhalte {window}{kind}")
    if value == 1:
        return say(lang, f"1 page or content {window}{kind}", f"1 Seite oder Inhalt {window}{kind}")
    return say(
        lang,
        f"{number} different pages or contents {window}{kind}",
        f"{number} verschiedene Seiten oder Inhalte {window}{kind}",
    )


def _active_days(feature: Feature, value: float, lang: Language) -> str:
    number, window, kind = number_text(value, lang), _window(feature, lang), of_kind(feature, lang)
    if value == 0:
        return say(lang, f"not active {window}{kind}", f"nicht aktiv {window}{kind}")
    if value == 1:
        return say(lang, f"active on 1 day {window}{kind}", f"an 1 Tag aktiv {window}{kind}")
    return say(lang, f"active on {number} days {window}{kind}", f"an {number} Tagen aktiv {window}{kind}")


def _engagement(feature: Feature, value: float, lang: Language) -> str:
    kind, days = of_kind(feature, lang), feature.half_life_days or 1
    fading = say(
        lang,
        f"older ones count less, half after {days_text(days, 'en')}",
        f"ältere zählen weniger, nach {days_text(days, 'de', 'dative')} die Hälfte",
    )
    if value < HARDLY_ANY:
        return say(lang, f"hardly any activity{kind}; {fading}", f"kaum Aktivität{kind}; {fading}")
    number = number_text(round(value, 1), lang)
    return say(lang, f"activity level {number}{kind}; {fading}", f"Aktivitätsniveau {number}{kind}; {fading}")


def _trend(feature: Feature, value: float, lang: Language) -> str:
    short, long = feature.window_days or 1, feature.long_window_days or 1
    number, kind = number_text(value, lang), of_kind(feature, lang)
    if value == 0:
        return say(
            lang,
            f"activity has stopped: none {window_text(short, lang)}{kind}",
            f"keine Aktivität mehr {window_text(short, lang)}{kind}",
        )
    if value == 1:
        return say(
            lang,
            f"activity {window_text(short, lang)} is as usual for the last {long} days{kind}",
            f"Aktivität {window_text(short, lang)} ist so hoch wie üblich in den letzten {long} Tagen{kind}",
        )
    return say(
        lang,
        f"activity {window_text(short, lang)} is {number} times the average of the last {long} days{kind}",
        f"Aktivität {window_text(short, lang)}: {number}-mal der Durchschnitt der letzten {long} Tage{kind}",
    )


def _no_trend(feature: Feature, _: float, lang: Language) -> str:
    long, kind = window_text(feature.long_window_days or 1, lang), of_kind(feature, lang)
    return say(lang, f"no activity {long}{kind}", f"keine Aktivität {long}{kind}")


def _between(feature: Feature, value: float, lang: Language) -> str:
    days, kind = days_text(value, lang), of_kind(feature, lang)
    return say(
        lang,
        f"{days} between the last two activities{kind}",
        f"{days} zwischen den letzten beiden Aktivitäten{kind}",
    )


def _fewer_than_two(feature: Feature, _: float, lang: Language) -> str:
    kind = of_kind(feature, lang)
    return say(lang, f"fewer than two activities so far{kind}", f"bisher weniger als zwei Aktivitäten{kind}")


def _first_kind(feature: Feature, value: float, lang: Language) -> str:
    return f"{say(lang, 'first contact', 'erster Kontakt')}: {level_text(feature, value, lang)}"


def _first_hour(_: Feature, value: float, lang: Language) -> str:
    hour = int(value) % 24
    return say(
        lang,
        f"first contact between {hour}:00 and {hour + 1}:00",
        f"erster Kontakt zwischen {hour} und {hour + 1} Uhr",
    )


def _first_weekday(feature: Feature, value: float, lang: Language) -> str:
    day = value_text(feature, value, lang)
    return say(lang, f"first contact on a {day}", f"erster Kontakt an einem {day}")


def _no_contact(_: Feature, __: float, lang: Language) -> str:
    """Nobody who did nothing was contacted: the words of `_never` for all activities."""
    return say(lang, "no activity so far", "bisher keine Aktivitäten")


def _lead_age(_: Feature, value: float, lang: Language) -> str:
    days = days_text(value, lang, "accusative")
    return say(lang, f"lead is {days} old", f"Lead ist {days} alt")


def _no_lead_age(_: Feature, __: float, lang: Language) -> str:
    return say(lang, "age of the lead is unknown", "Alter des Leads ist unbekannt")


def _attribute_colon(feature: Feature, value: float, lang: Language) -> str:
    return f"{attribute_name(feature, lang)}: {value_text(feature, value, lang)}"


def _attribute_ago(feature: Feature, value: float, lang: Language) -> str:
    return f"{attribute_name(feature, lang)}: {ago_text(value, lang)}"


def _no_attribute(feature: Feature, _: float, lang: Language) -> str:
    return f"{say(lang, 'no value for', 'kein Wert für')} {attribute_name(feature, lang)}"


def _changes(feature: Feature, value: float, lang: Language) -> str:
    window, number = _window(feature, lang), number_text(value, lang)
    if feature.attribute is not None:
        name = attribute_name(feature, lang)
        if value == 0:
            return say(lang, f"{name}: not changed {window}", f"{name}: {window} nicht geändert")
        times = say(lang, "once" if value == 1 else f"{number} times", f"{number}-mal")
        return say(lang, f"{name}: changed {times} {window}", f"{name}: {window} {times} geändert")
    if value == 0:
        return say(lang, f"no field changed {window}", f"{window} kein Feld geändert")
    if value == 1:
        return say(lang, f"1 field change {window}", f"{window} 1 Feld geändert")
    return say(lang, f"{number} field changes {window}", f"{window} {number} Felder geändert")


def _no_changes(feature: Feature, _: float, lang: Language) -> str:
    return _changes(feature, 0.0, lang)


def _email(feature: Feature, value: float, lang: Language) -> str:
    return f"{attribute_name(feature, lang)}: {level_text(feature, value, lang)}"


def _email_country(feature: Feature, value: float, lang: Language) -> str:
    country = level_text(feature, value, lang)
    if country == GENERIC:
        return say(lang, "e-mail domain of no country", "E-Mail-Domain ohne Land")
    return say(lang, f"e-mail domain of {country}", f"E-Mail-Domain aus {country}")


def _no_country(_: Feature, __: float, lang: Language) -> str:
    return say(lang, "country of the e-mail domain is unknown", "Land der E-Mail-Domain ist unbekannt")


def _persona(feature: Feature, value: float, lang: Language) -> str:
    return f"Persona: {level_text(feature, value, lang)}"


def _no_persona(_: Feature, __: float, lang: Language) -> str:
    return say(lang, "fits none of the personas", "passt zu keiner Persona")


EXAMPLE_VALUES: Mapping[FeatureKind, float] = {
    FeatureKind.FIRST_TOUCH_KIND: 1.0,
    FeatureKind.FIRST_TOUCH_HOUR: 9.0,
    FeatureKind.ATTRIBUTE_CATEGORY: 1.0,
    FeatureKind.ATTRIBUTE_BOOLEAN: 1.0,
    FeatureKind.EMAIL_CLASS: 2.0,
    FeatureKind.EMAIL_COUNTRY: 1.0,
    FeatureKind.PERSONA: 1.0,
}
"""Values of an example, where it is not 2: two activities, 2 days ago."""

Sentence = Callable[[Feature, float, Language], str]

SENTENCES: Mapping[FeatureKind, Sentence] = {
    FeatureKind.COUNT: _count,
    FeatureKind.DAYS_SINCE_LAST: _last,
    FeatureKind.DISTINCT_ASSETS: _distinct,
    FeatureKind.ACTIVE_DAYS: _active_days,
    FeatureKind.ENGAGEMENT: _engagement,
    FeatureKind.TREND: _trend,
    FeatureKind.DAYS_BETWEEN_LAST_TWO: _between,
    FeatureKind.FIRST_TOUCH_KIND: _first_kind,
    FeatureKind.FIRST_TOUCH_HOUR: _first_hour,
    FeatureKind.FIRST_TOUCH_WEEKDAY: _first_weekday,
    FeatureKind.LEAD_AGE_DAYS: _lead_age,
    FeatureKind.ATTRIBUTE_NUMBER: _attribute_colon,
    FeatureKind.ATTRIBUTE_CATEGORY: _attribute_colon,
    FeatureKind.ATTRIBUTE_BOOLEAN: _attribute_colon,
    FeatureKind.ATTRIBUTE_AGE_DAYS: _attribute_ago,
    FeatureKind.ATTRIBUTE_CHANGES: _changes,
    FeatureKind.EMAIL_CLASS: _email,
    FeatureKind.EMAIL_COUNTRY: _email_country,
    FeatureKind.PERSONA: _persona,
}
MISSING_SENTENCES: Mapping[FeatureKind, Sentence] = {
    FeatureKind.COUNT: _never,
    FeatureKind.DAYS_SINCE_LAST: _never,
    FeatureKind.DISTINCT_ASSETS: _never,
    FeatureKind.ACTIVE_DAYS: _never,
    FeatureKind.ENGAGEMENT: _never,
    FeatureKind.TREND: _no_trend,
    FeatureKind.DAYS_BETWEEN_LAST_TWO: _fewer_than_two,
    FeatureKind.FIRST_TOUCH_KIND: _no_contact,
    FeatureKind.FIRST_TOUCH_HOUR: _no_contact,
    FeatureKind.FIRST_TOUCH_WEEKDAY: _no_contact,
    FeatureKind.LEAD_AGE_DAYS: _no_lead_age,
    FeatureKind.ATTRIBUTE_NUMBER: _no_attribute,
    FeatureKind.ATTRIBUTE_CATEGORY: _no_attribute,
    FeatureKind.ATTRIBUTE_BOOLEAN: _no_attribute,
    FeatureKind.ATTRIBUTE_AGE_DAYS: _no_attribute,
    FeatureKind.ATTRIBUTE_CHANGES: _no_changes,
    FeatureKind.EMAIL_CLASS: _no_attribute,
    FeatureKind.EMAIL_COUNTRY: _no_country,
    FeatureKind.PERSONA: _no_persona,
}
