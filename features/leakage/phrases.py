"""The sentences of the leakage guard, in English and German: one per kind of finding, filled from its facts.

Decides the wording only. A place in braces is one fact and how it is spoken: `share` 0.31 as "31 %", `gap`
0.31 as "31 percentage points", `auc` 0.914 as "0.91", `count` 9240 as "9,240", `group` the word for a group
of leads, `grade` what a limit of this severity is called. A minus rounds down: what is promised as "at least"
must hold.
"""

import math
import string
from collections.abc import Mapping
from typing import Any

from features.problems import shorten
from features.words.phrases import GERMAN_SEPARATORS, Language, number_text

GROUPS: Mapping[str, Mapping[Language, str]] = {
    "won": {"en": "won", "de": "gewonnenen"},
    "lost": {"en": "lost", "de": "verlorenen"},
    "not_won": {"en": "not won", "de": "nicht gewonnenen"},
    "closed": {"en": "closed", "de": "abgeschlossenen"},
    "open": {"en": "open", "de": "offenen"},
}
POINTS: Mapping[Language, str] = {"en": "percentage points", "de": "Prozentpunkten"}

GRADES: Mapping[str, Mapping[Language, str]] = {
    "error": {"en": "alarm at", "de": "Alarm ab"},
    "warning": {"en": "worth a look from", "de": "auffällig ab"},
}

SEVERITY_WORDS: Mapping[str, Mapping[Language, str]] = {
    "error": {"en": "error", "de": "Fehler"},
    "warning": {"en": "warning", "de": "Warnung"},
    "note": {"en": "note", "de": "Hinweis"},
    "allowed": {"en": "allowed", "de": "erlaubt"},
}

ALLOWED: Mapping[Language, str] = {
    "en": "allowed in crm.toml: {reason}",
    "de": "in crm.toml erlaubt: {reason}",
}
SETTLE: Mapping[Language, str] = {
    "en": 'settle it in crm.toml with {key} = "reason" under [attributes.never] or [attributes.allow]',
    "de": 'zu klären in crm.toml mit {key} = "Grund" unter [attributes.never] oder [attributes.allow]',
}

PHRASES: Mapping[str, Mapping[Language, str]] = {
    "never-and-allow": {
        "en": "column {column:name} is named under never and under allow in crm.toml; keep one of them",
        "de": "Spalte {column:name} steht in crm.toml unter never und unter allow; eines davon muss weg",
    },
    "denied-never": {
        "en": "column {column:name} is left out: {reason:text}",
        "de": "Spalte {column:name} bleibt außen vor: {reason:text}",
    },
    "denied-never-bare": {
        "en": "column {column:name} is left out: named under never in crm.toml",
        "de": "Spalte {column:name} bleibt außen vor: in crm.toml unter never genannt",
    },
    "denied": {
        "en": "column {column:name} is left out: {why_en:text}; to use it, name it with a reason under "
        "[attributes.allow] in crm.toml",
        "de": "Spalte {column:name} bleibt außen vor: {why_de:text}; wer sie nutzen will, nennt sie mit "
        "einem Grund unter [attributes.allow] in crm.toml",
    },
    "filled-only-when-closed": {
        "en": "column {column:name} is filled in {rate_first:share} of {leads_first:count} {first:group} "
        "leads and in {rate_second:share} of {leads_second:count} {second:group} ones of the same time, a "
        "gap of at least {gap_low:gap-} with 99 % confidence ({severity:grade} {alarm:gap})",
        "de": "Spalte {column:name} ist bei {rate_first:share} von {leads_first:count} {first:group} Leads "
        "gefüllt und bei {rate_second:share} von {leads_second:count} {second:group} aus derselben Zeit, mit "
        "99 % Sicherheit ein Abstand von mindestens {gap_low:gap-} ({severity:grade} {alarm:gap})",
    },
    "filled-for-one-outcome": {
        "en": "column {column:name} is filled in {rate_first:share} of {leads_first:count} {first:group} "
        "leads and in {rate_second:share} of {leads_second:count} {second:group} ones: where it is filled, "
        "{purity:share} are {first:group}, at least {purity_low:share-} with 99 % confidence "
        "({severity:grade} {alarm:share})",
        "de": "Spalte {column:name} ist bei {rate_first:share} von {leads_first:count} {first:group} Leads "
        "gefüllt und bei {rate_second:share} von {leads_second:count} {second:group}: wo sie gefüllt ist, "
        "gehören {purity:share} zu den {first:group}, mit 99 % Sicherheit mindestens {purity_low:share-} "
        "({severity:grade} {alarm:share})",
    },
    "single-feature-auc": {
        "en": "column {column:name} alone tells won leads from others: AUC {auc:auc} over {leads:count} "
        "finished leads, at least {auc_low:auc-} with 99 % confidence ({severity:grade} {alarm:auc})",
        "de": "Spalte {column:name} trennt allein gewonnene Leads von anderen: AUC {auc:auc} bei "
        "{leads:count} abgeschlossenen Leads, mit 99 % Sicherheit mindestens {auc_low:auc-} "
        "({severity:grade} {alarm:auc})",
    },
    "single-feature-auc-and-filling": {
        "en": "column {column:name} alone tells won leads from others: AUC {auc:auc} over {leads:count} "
        "finished leads, at least {auc_low:auc-} with 99 % confidence, and it is filled in "
        "{rate_first:share} of the {first:group} and {rate_second:share} of the {second:group} leads "
        "({severity:grade} {alarm:auc}, because it is filled so unequally)",
        "de": "Spalte {column:name} trennt allein gewonnene Leads von anderen: AUC {auc:auc} bei "
        "{leads:count} abgeschlossenen Leads, mit 99 % Sicherheit mindestens {auc_low:auc-}, und sie ist bei "
        "{rate_first:share} der {first:group} und {rate_second:share} der {second:group} Leads gefüllt "
        "({severity:grade} {alarm:auc}, weil sie so ungleich gefüllt ist)",
    },
    "pure-level": {
        "en": "of {leads:count} leads with {level:name} in column {column:name} {purity:share} are won, at "
        "least {purity_low:share-} with 99 % confidence, and they are {coverage:share} of all wins: is it "
        "written when a lead is won?",
        "de": "von {leads:count} Leads mit {level:name} in Spalte {column:name} sind {purity:share} "
        "gewonnen, mit 99 % Sicherheit mindestens {purity_low:share-}, und das sind {coverage:share} aller "
        "Gewinne: wird der Wert erst beim Gewinn geschrieben?",
    },
    "first-recorded-after-outcome": {
        "en": "column {column:name} was first recorded after the outcome in {late:count} of the "
        "{recorded:count} closed leads whose changes of it are recorded, {share:share} ({severity:grade} "
        "{alarm:share})",
        "de": "Spalte {column:name} wurde bei {late:count} der {recorded:count} abgeschlossenen Leads, deren "
        "Änderungen aufgezeichnet sind, erst nach dem Ausgang zum ersten Mal erfasst, {share:share} "
        "({severity:grade} {alarm:share})",
    },
    "changed-after-outcome": {
        "en": "column {column:name} was changed after the outcome in {late:count} of {closed:count} closed "
        "leads, {share:share} ({severity:grade} {alarm:share}); a model sees the value as of then",
        "de": "Spalte {column:name} wurde bei {late:count} von {closed:count} abgeschlossenen Leads nach dem "
        "Ausgang geändert, {share:share} ({severity:grade} {alarm:share}); ein Modell sieht den Wert von "
        "damals",
    },
    "time-travel": {
        "en": "in {late:count} of {leads:count} closed leads the time in column {column:name} lies on the "
        "day of the outcome or after it, {share:share} ({severity:grade} {alarm:share})",
        "de": "bei {late:count} von {leads:count} abgeschlossenen Leads liegt die Zeit in Spalte "
        "{column:name} am Tag des Ausgangs oder danach, {share:share} ({severity:grade} {alarm:share})",
    },
    "dated-ahead": {
        "en": "{late:count} of {leads:count} times in column {column:name} lie after the outcome or after "
        "what the history knows, {share:share} ({severity:grade} {alarm:share}); a model sees no value there",
        "de": "{late:count} von {leads:count} Zeiten in Spalte {column:name} liegen nach dem Ausgang oder "
        "nach dem, was die Historie weiß, {share:share} ({severity:grade} {alarm:share}); ein Modell sieht "
        "dort keinen Wert",
    },
    "id-like": {
        "en": "column {column:name} holds {distinct:count} different values in {filled:count} leads: it "
        "names the lead instead of describing it",
        "de": "Spalte {column:name} hat {distinct:count} verschiedene Werte bei {filled:count} Leads: sie "
        "benennt den Lead, statt ihn zu beschreiben",
    },
    "constant": {
        "en": "column {column:name} holds {level:name} in all of {leads:count} leads and tells nothing",
        "de": "Spalte {column:name} hat bei allen {leads:count} Leads den Wert {level:name} und sagt nichts",
    },
    "empty": {
        "en": "column {column:name} is empty in all of {leads:count} leads and tells nothing",
        "de": "Spalte {column:name} ist bei allen {leads:count} Leads leer und sagt nichts",
    },
    "summary": {
        "en": "looked at {won:count} won leads, {others:count} others that are finished and {open:count} "
        "that are not.",
        "de": "angesehen: {won:count} gewonnene Leads, {others:count} andere, die fertig sind, und "
        "{open:count} offene.",
    },
    "summary-too-few": {
        "en": "Values were not held against outcomes: that needs {least:count} won and {least:count} other "
        "leads.",
        "de": "Werte wurden nicht mit Ausgängen verglichen: das braucht {least:count} gewonnene und "
        "{least:count} andere Leads.",
    },
    "summary-refusing": {
        "en": "`leadpact train` refuses while an error is open: {errors:count} now. After editing crm.toml "
        "run `leadpact import` on your newest export again: it updates the settings and changes no lead.",
        "de": "`leadpact train` lehnt ab, solange ein Fehler offen ist: jetzt {errors:count}. Nach der "
        "Änderung von crm.toml noch einmal `leadpact import` mit dem neuesten Export: das übernimmt die "
        "Einstellungen und ändert keinen Lead.",
    },
    "summary-clear": {
        "en": "Nothing here stops `leadpact train`.",
        "de": "Nichts davon hält `leadpact train` auf.",
    },
    "near-duplicate": {
        "en": "column {column:name} says the same as column {other:name}: each tells {agreement:share} of "
        "the other",
        "de": "Spalte {column:name} sagt dasselbe wie Spalte {other:name}: jede verrät {agreement:share} der "
        "anderen",
    },
    "near-duplicate-of-denied": {
        "en": "column {column:name} says the same as column {other:name}, which is left out: each tells "
        "{agreement:share} of the other",
        "de": "Spalte {column:name} sagt dasselbe wie Spalte {other:name}, die außen vor bleibt: jede verrät "
        "{agreement:share} der anderen",
    },
}


class _Speaker(string.Formatter):
    """Fills the places of a phrase in one language; a place with an unknown way of speaking is an error."""

    def __init__(self, lang: Language) -> None:
        self._lang = lang

    def format_field(self, value: Any, format_spec: str) -> str:
        """Return one fact as the place asks for it."""
        match format_spec:
            case "name":
                return repr(shorten(value))
            case "text":
                return str(value)
            case "group":
                return GROUPS[value][self._lang]
            case "grade":
                return GRADES[value][self._lang]
            case "count":
                return number_text(value, self._lang)
        return self._figure(value, format_spec)

    def _figure(self, value: float, format_spec: str) -> str:
        way, down = format_spec.removesuffix("-"), format_spec.endswith("-")
        if way == "auc":
            return self._decimals(value, 2, down=down)
        text = self._decimals(100.0 * value, _percent_digits(value), down=down)
        return f"{text} {POINTS[self._lang] if way == 'gap' else '%'}"

    def _decimals(self, value: float, digits: int, *, down: bool) -> str:
        if down:
            value = math.floor(value * 10**digits) / 10**digits
        text = f"{value:.{digits}f}"
        return text if self._lang == "en" else text.translate(GERMAN_SEPARATORS)


def _percent_digits(share: float) -> int:
    """Return how many decimals a percentage needs, so that a few are not called none, nor nearly all all."""
    rest = min(share, 1.0 - share)
    if rest <= 0.0 or rest >= 0.01:
        return 0
    return 1 if rest >= 0.001 else 2


def render(phrase: str, lang: Language, facts: Mapping[str, str | float]) -> str:
    """Return a phrase filled with its facts; KeyError for a phrase or a fact that does not exist."""
    return _Speaker(lang).vformat(PHRASES[phrase][lang], (), facts)
