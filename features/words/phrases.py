"""The phrases a seller reads, in English and German: activity kinds, times, numbers. A table and its grammar.

Which phrase a feature gets is decided by `features.words.reasons`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "de"]
Case = Literal["nominative", "accusative", "dative"]
LANGUAGES: tuple[Language, Language] = ("en", "de")


@dataclass(frozen=True, slots=True)
class KindPhrase:
    """How one activity kind is spoken of; `last` holds the place of "2 days ago"."""

    singular: str
    plural: str
    last: str


KIND_PHRASES: Mapping[str, Mapping[Language, KindPhrase]] = {
    "page_view": {
        "en": KindPhrase("page view", "page views", "Viewed a page {ago}"),
        "de": KindPhrase("Seitenaufruf", "Seitenaufrufe", "Hat {ago} eine Seite aufgerufen"),
    },
    "form_submit": {
        "en": KindPhrase("form submission", "form submissions", "Submitted a form {ago}"),
        "de": KindPhrase("Formulareinsendung", "Formulareinsendungen", "Hat {ago} ein Formular abgeschickt"),
    },
    "email_open": {
        "en": KindPhrase("opened e-mail", "opened e-mails", "Opened an e-mail {ago}"),
        "de": KindPhrase("E-Mail-Öffnung", "E-Mail-Öffnungen", "Hat {ago} eine E-Mail geöffnet"),
    },
    "email_click": {
        "en": KindPhrase("e-mail click", "e-mail clicks", "Clicked a link in an e-mail {ago}"),
        "de": KindPhrase(
            "E-Mail-Klick", "E-Mail-Klicks", "Hat {ago} auf einen Link in einer E-Mail geklickt"
        ),
    },
    "webinar_attended": {
        "en": KindPhrase("webinar attendance", "webinar attendances", "Attended a webinar {ago}"),
        "de": KindPhrase("Webinarteilnahme", "Webinarteilnahmen", "Hat {ago} an einem Webinar teilgenommen"),
    },
    "content_download": {
        "en": KindPhrase("content download", "content downloads", "Downloaded content {ago}"),
        "de": KindPhrase(
            "Download von Inhalten", "Downloads von Inhalten", "Hat {ago} Inhalte heruntergeladen"
        ),
    },
    "pricing_view": {
        "en": KindPhrase("pricing page view", "pricing page views", "Looked at the pricing page {ago}"),
        "de": KindPhrase(
            "Aufruf der Preisseite", "Aufrufe der Preisseite", "Hat {ago} die Preisseite angesehen"
        ),
    },
    "demo_request": {
        "en": KindPhrase("demo request", "demo requests", "Asked for a demo {ago}"),
        "de": KindPhrase("Demo-Anfrage", "Demo-Anfragen", "Hat {ago} eine Demo angefragt"),
    },
    "call": {
        "en": KindPhrase("call", "calls", "Last call {ago}"),
        "de": KindPhrase("Anruf", "Anrufe", "Letzter Anruf {ago}"),
    },
    "meeting": {
        "en": KindPhrase("meeting", "meetings", "Last meeting {ago}"),
        "de": KindPhrase("Termin", "Termine", "Letzter Termin {ago}"),
    },
}

ALL_ACTIVITIES: Mapping[Language, KindPhrase] = {
    "en": KindPhrase("activity", "activities", "Last activity {ago}"),
    "de": KindPhrase("Aktivität", "Aktivitäten", "Letzte Aktivität {ago}"),
}

CHANNEL_WORDS: Mapping[str, Mapping[Language, str]] = {
    "web": {"en": "the website", "de": "die Website"},
    "website": {"en": "the website", "de": "die Website"},
    "email": {"en": "e-mail", "de": "E-Mail"},
    "phone": {"en": "phone", "de": "Telefon"},
    "event": {"en": "events", "de": "Veranstaltungen"},
    "webinar": {"en": "webinars", "de": "Webinare"},
    "chat": {"en": "chat", "de": "Chat"},
    "social": {"en": "social media", "de": "soziale Medien"},
    "ads": {"en": "ads", "de": "Anzeigen"},
}


def channel_phrase(name: str, lang: Language) -> KindPhrase:
    """Return how the activities of one channel are spoken of."""
    if lang == "en":
        return KindPhrase(
            f"activity via {name}", f"activities via {name}", f"Last activity via {name} {{ago}}"
        )
    return KindPhrase(
        f"Aktivität über {name}", f"Aktivitäten über {name}", f"Letzte Aktivität über {name} {{ago}}"
    )


WEEKDAYS: Mapping[Language, tuple[str, ...]] = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
}
A_DAY: Mapping[Case, str] = {"nominative": "ein Tag", "accusative": "einen Tag", "dative": "einem Tag"}
YES_NO: Mapping[Language, tuple[str, str]] = {"en": ("no", "yes"), "de": ("nein", "ja")}
NO_VALUE: Mapping[Language, str] = {"en": "no value", "de": "kein Wert"}
RARE_LEVEL: Mapping[Language, str] = {"en": "a rare or new value", "de": "ein seltener oder neuer Wert"}

PLAIN_NUMBER_LIMITS = (0.005, 1e15)
"""Outside of these a number has three significant digits, so that it is neither 0 nor a page long."""

GERMAN_SEPARATORS = str.maketrans({",": ".", ".": ","})


def number_text(value: float, lang: Language) -> str:
    """Return a number as people write it: at most two decimals, 1,234.5 in English and 1.234,5 in German."""
    smallest, largest = PLAIN_NUMBER_LIMITS
    if value == 0 or smallest <= abs(value) < largest:
        text = f"{value:,.2f}".rstrip("0").rstrip(".")
    else:
        text = f"{value:.3g}"
    return text if lang == "en" else text.translate(GERMAN_SEPARATORS)


def days_text(days: float, lang: Language, case: Case = "nominative") -> str:
    """Return a duration in whole days, rounded down: "less than a day", "1 day", "12 days".

    `case` is the German one: "12 Tage" are nominative and accusative, "vor 12 Tagen" is dative.
    """
    whole = int(days)
    if lang == "en":
        return (
            "less than a day"
            if whole == 0
            else f"{number_text(whole, lang)} {'day' if whole == 1 else 'days'}"
        )
    if whole == 0:
        return f"weniger als {A_DAY[case]}"
    many = "Tagen" if case == "dative" else "Tage"
    return f"{number_text(whole, lang)} {'Tag' if whole == 1 else many}"


def ago_text(days: float, lang: Language) -> str:
    """Return "2 days ago" or "vor 2 Tagen"."""
    span = days_text(days, lang, "dative")
    return f"{span} ago" if lang == "en" else f"vor {span}"


def window_text(days: int, lang: Language) -> str:
    """Return "in the last 7 days" or "in den letzten 7 Tagen"; one day is 24 hours."""
    if lang == "en":
        return "in the last 24 hours" if days == 1 else f"in the last {days} days"
    return "in den letzten 24 Stunden" if days == 1 else f"in den letzten {days} Tagen"
