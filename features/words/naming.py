"""How the parts of a feature are named: its activities, its attribute, its levels, its values, its label.

Words of `crm.toml` win over the built-in phrases of `features.words.phrases`, those over the bare name.
"""

import math
from collections.abc import Callable, Mapping

from features.definitions import Feature, FeatureKind
from features.words.phrases import (
    ALL_ACTIVITIES,
    CHANNEL_WORDS,
    KIND_PHRASES,
    NO_VALUE,
    RARE_LEVEL,
    WEEKDAYS,
    YES_NO,
    KindPhrase,
    Language,
    channel_phrase,
    days_text,
    number_text,
    window_text,
)


def capital(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]


def say(lang: Language, english: str, german: str) -> str:
    """Return the text of the language."""
    return english if lang == "en" else german


def activity_phrase(feature: Feature, lang: Language) -> KindPhrase:
    """Return how the activities of a feature are spoken of: words of crm.toml, ours, or the kind's name."""
    if feature.channel is not None:
        return channel_phrase(_channel_name(feature.channel, feature, lang), lang)
    if feature.activity_kind is None:
        return ALL_ACTIVITIES[lang]
    own = feature.subject_de if lang == "de" else feature.subject_en
    built_in = KIND_PHRASES.get(feature.activity_kind, {}).get(lang)
    if built_in is not None and own.casefold() in (
        "",
        built_in.singular.casefold(),
        built_in.plural.casefold(),
    ):
        return built_in
    name = own or quoted(feature.activity_kind, lang)
    return KindPhrase(name, name, f"{name} {{ago}}")


def _channel_name(channel: str, feature: Feature, lang: Language) -> str:
    own = feature.subject_de if lang == "de" else feature.subject_en
    return own or CHANNEL_WORDS.get(channel.casefold(), {}).get(lang) or quoted(channel, lang)


def is_named(feature: Feature, lang: Language) -> bool:
    """Whether the activities go by a name that has no plural we know."""
    phrase = activity_phrase(feature, lang)
    return phrase.singular == phrase.plural


def quoted(name: str, lang: Language) -> str:
    """Return a name nobody has given words to, in the quotation marks of the language."""
    return f"“{name}”" if lang == "en" else f"„{name}“"


def attribute_name(feature: Feature, lang: Language) -> str:
    """Return the words of crm.toml for an attribute, else its column name made readable."""
    own = feature.subject_de if lang == "de" else feature.subject_en
    return own or capital((feature.attribute or "").replace("_", " ").strip())


def level_text(feature: Feature, value: float, lang: Language) -> str:
    """Return the level a code stands for; any code without a level is a rare or new value."""
    index = int(value) - 1
    if not 0 <= index < len(feature.levels):
        return RARE_LEVEL[lang]
    own = feature.levels_de if lang == "de" else feature.levels_en
    if index < len(own) and own[index]:
        return own[index]
    level = feature.levels[index]
    if feature.kind is not FeatureKind.FIRST_TOUCH_KIND:
        return level
    built_in = KIND_PHRASES.get(level, {}).get(lang)
    return quoted(level, lang) if built_in is None else built_in.singular


def of_kind(feature: Feature, lang: Language) -> str:
    """Return " (page views)" for a feature of one kind, nothing for all kinds together."""
    if feature.activity_kind is None and feature.channel is None:
        return ""
    return f" ({activity_phrase(feature, lang).plural})"


def value_text(feature: Feature, value: float, lang: Language) -> str:
    """Return one value for people, without its unit: a number, yes or no, a level, or "no value"."""
    if math.isnan(value):
        return NO_VALUE[lang]
    if feature.is_category:
        return level_text(feature, value, lang)
    if feature.kind is FeatureKind.ATTRIBUTE_BOOLEAN:
        return YES_NO[lang][int(value != 0)]
    if feature.kind is FeatureKind.FIRST_TOUCH_WEEKDAY:
        return WEEKDAYS[lang][int(value) % 7]
    return number_text(value, lang)


def make_label(feature: Feature, lang: Language) -> str:
    """Return the label that kind, window and words of a feature give; it starts with a capital letter."""
    return capital(LABELS[feature.kind](feature, lang))


def _label_count(feature: Feature, lang: Language) -> str:
    return f"{activity_phrase(feature, lang).plural} {window_text(feature.window_days or 1, lang)}"


def _label_last(feature: Feature, lang: Language) -> str:
    if feature.activity_kind is None and feature.channel is None:
        return say(lang, "days since the last activity", "Tage seit der letzten Aktivität")
    name = activity_phrase(feature, lang).singular
    return say(lang, f"days since the last {name}", f"Tage seit: {name}")


def _label_distinct(feature: Feature, lang: Language) -> str:
    window = window_text(feature.window_days or 1, lang)
    return say(lang, f"different contents {window}", f"verschiedene Inhalte {window}") + of_kind(
        feature, lang
    )


def _label_active_days(feature: Feature, lang: Language) -> str:
    window = window_text(feature.window_days or 1, lang)
    return say(lang, f"active days {window}", f"aktive Tage {window}") + of_kind(feature, lang)


def _label_engagement(feature: Feature, lang: Language) -> str:
    days = days_text(feature.half_life_days or 1, lang)
    return say(
        lang, f"activity level, half-life {days}", f"Aktivitätsniveau, Halbwertszeit {days}"
    ) + of_kind(feature, lang)


def _label_trend(feature: Feature, lang: Language) -> str:
    short, long = feature.window_days, feature.long_window_days
    return say(
        lang,
        f"activity trend, {short} against {long} days",
        f"Aktivitätstrend, {short} gegen {long} Tage",
    ) + of_kind(feature, lang)


def _label_between(feature: Feature, lang: Language) -> str:
    return say(
        lang, "days between the last two activities", "Tage zwischen den letzten beiden Aktivitäten"
    ) + of_kind(feature, lang)


def _label_attribute(feature: Feature, lang: Language) -> str:
    return attribute_name(feature, lang)


def _label_attribute_age(feature: Feature, lang: Language) -> str:
    return say(lang, "days since: ", "Tage seit: ") + attribute_name(feature, lang)


def _label_changes(feature: Feature, lang: Language) -> str:
    window = window_text(feature.window_days or 1, lang)
    if feature.attribute is None:
        return say(lang, f"changed fields {window}", f"geänderte Felder {window}")
    name = attribute_name(feature, lang)
    return say(lang, f"changes {window}: {name}", f"Änderungen {window}: {name}")


def _label_email_class(feature: Feature, lang: Language) -> str:
    return f"{attribute_name(feature, lang)}: {say(lang, 'kind of address', 'Art der Adresse')}"


def _label_email_country(feature: Feature, lang: Language) -> str:
    return f"{attribute_name(feature, lang)}: {say(lang, 'country', 'Land')}"


def _fixed(english: str, german: str) -> "Label":
    return lambda _, lang: say(lang, english, german)


Label = Callable[[Feature, Language], str]

LABELS: Mapping[FeatureKind, Label] = {
    FeatureKind.COUNT: _label_count,
    FeatureKind.DAYS_SINCE_LAST: _label_last,
    FeatureKind.DISTINCT_ASSETS: _label_distinct,
    FeatureKind.ACTIVE_DAYS: _label_active_days,
    FeatureKind.ENGAGEMENT: _label_engagement,
    FeatureKind.TREND: _label_trend,
    FeatureKind.DAYS_BETWEEN_LAST_TWO: _label_between,
    FeatureKind.FIRST_TOUCH_KIND: _fixed("kind of the first contact", "Art des ersten Kontakts"),
    FeatureKind.FIRST_TOUCH_HOUR: _fixed("hour of the first contact", "Stunde des ersten Kontakts"),
    FeatureKind.FIRST_TOUCH_WEEKDAY: _fixed("weekday of the first contact", "Wochentag des ersten Kontakts"),
    FeatureKind.LEAD_AGE_DAYS: _fixed("age of the lead in days", "Alter des Leads in Tagen"),
    FeatureKind.ATTRIBUTE_NUMBER: _label_attribute,
    FeatureKind.ATTRIBUTE_CATEGORY: _label_attribute,
    FeatureKind.ATTRIBUTE_BOOLEAN: _label_attribute,
    FeatureKind.ATTRIBUTE_AGE_DAYS: _label_attribute_age,
    FeatureKind.ATTRIBUTE_CHANGES: _label_changes,
    FeatureKind.EMAIL_CLASS: _label_email_class,
    FeatureKind.EMAIL_COUNTRY: _label_email_country,
    FeatureKind.PERSONA: _fixed("persona", "Persona"),
}
