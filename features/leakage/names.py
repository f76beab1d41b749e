"""What a column's name gives away: stage, status, owner, closing, judgement, and what is overwritten.

A denied column is left out, whatever its values say; what the values of the others say is decided by the
checks behind `features.leakage.guard`. Names are compared word by word, in English and German.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from features.crm import CrmSettings
from features.leakage.findings import Finding, make_finding


@dataclass(frozen=True, slots=True, kw_only=True)
class DeniedNames:
    """One group of names: the code of its finding, and why it is denied, in English and German.

    `names` are denied as a whole; `endings` as the last words of a name, whatever stands before them.
    """

    code: str
    why_en: str
    why_de: str
    names: frozenset[str]
    endings: frozenset[str] = frozenset()

    def covers(self, form: str) -> bool:
        """Whether a spoken form of a column's name belongs to this group."""
        return form in self.names or any(f" {form}".endswith(f" {ending}") for ending in self.endings)


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(","))


DENIED = (
    DeniedNames(
        code="denied-stage",
        why_en="the stage of a lead follows from the work with it and with it from the outcome",
        why_de="die Phase eines Leads folgt aus der Arbeit mit ihm und damit aus dem Ausgang",
        names=_names(
            "stage, pipeline, pipeline stage, sales stage, funnel stage, lifecycle stage, lifecyclestage, "
            "leadstage, dealstage, phase, pipeline phase, forecast category, is mql, is sql, "
            "lifecyclestage marketingqualifiedlead, lifecyclestage salesqualifiedlead, "
            "lifecyclestage opportunity, lifecyclestage customer, lifecyclestage evangelist, "
            "vertriebsphase, verkaufsphase, verkaufsstufe, vertriebsstufe, lebenszyklusphase, leadphase, "
            "dealphase"
        ),
    ),
    DeniedNames(
        code="denied-status",
        why_en="the status of a lead follows from the work with it and with it from the outcome",
        why_de="der Status eines Leads folgt aus der Arbeit mit ihm und damit aus dem Ausgang",
        names=_names(
            "status, leadstatus, dealstatus, sales status, vertriebsstatus, bearbeitungsstatus, "
            "verkaufsstatus, substatus, status reason, statusgrund"
        ),
    ),
    DeniedNames(
        code="denied-owner",
        why_en="who looks after a lead is decided after it was judged",
        why_de="wer einen Lead betreut, wird erst entschieden, nachdem er beurteilt ist",
        names=_names(
            "owner, ownerid, assigned to, assigned user, assignee, sales rep, sales representative, "
            "salesperson, sales person, sdr, account executive, account manager, besitzer, eigentuemer, "
            "bearbeiter, betreuer, kundenbetreuer, vertriebsmitarbeiter, verantwortlicher, zustaendig, "
            "zustaendiger, ansprechpartner vertrieb"
        ),
    ),
    DeniedNames(
        code="denied-closing",
        why_en="it is written when the lead is closed",
        why_de="das wird geschrieben, wenn der Lead abgeschlossen wird",
        names=_names(
            "outcome, won, lost, is won, is lost, is closed, closed, converted, is converted, "
            "converted account, converted contact, converted opportunity, closing date, closedate, "
            "conversion date, date closed, date converted, reason lost, reason won, close date, "
            "reason for loss, ergebnis, gewonnen, verloren, abgeschlossen, umgewandelt, konvertiert, "
            "abschlussdatum, grund verloren, grund gewonnen, abschlussergebnis"
        ),
        endings=_names(
            "close date, closed date, loss reason, lost reason, won reason, win reason, close reason, "
            "closed reason, closing reason, disqualification reason, disqualified reason, "
            "unqualified reason, rejection reason, rejected reason, decline reason, declined reason, "
            "discard reason, discarded reason, nurture reason, nurturing reason, recycle reason, "
            "recycled reason, abschlussgrund, verlustgrund, ablehnungsgrund, absagegrund, gewinngrund, "
            "ausschlussgrund, abbruchgrund, verwerfungsgrund, disqualifizierungsgrund, nurturing grund, "
            "nurturinggrund, grund der ablehnung, grund des verlusts, grund der absage"
        ),
    ),
    DeniedNames(
        code="denied-judgement",
        why_en="it is what people or another tool make of the lead, and they go on judging while they work "
        "on it",
        why_de="so beurteilen Menschen oder ein anderes Werkzeug den Lead, und das auch noch während der "
        "Arbeit mit ihm",
        names=_names(
            "score, rating, priority, hubspotscore, leadscore, leadquality, leadprofile, lead profile, "
            "lead temperature, lead potential, probability, bewertung, einstufung, leadbewertung, "
            "leadeinstufung, leadqualitaet, leadprofil, leadpotenzial, prioritaet, punktzahl, "
            "kaufwahrscheinlichkeit, abschlusswahrscheinlichkeit, gewinnwahrscheinlichkeit, "
            "wahrscheinlichkeit"
        ),
        endings=_names(
            "lead score, lead quality, lead grade, lead rating, lead priority, activity score, "
            "profile score, activity index, profile index, engagement score, fit score, close probability, "
            "win probability, conversion probability, lead bewertung, lead qualitaet, lead prioritaet"
        ),
    ),
    DeniedNames(
        code="denied-overwritten",
        why_en="it is overwritten until the lead is closed, so it may be the closing step itself",
        why_de="das wird überschrieben, bis der Lead abgeschlossen ist, und kann also der Abschluss selbst "
        "sein",
        names=_names(
            "modified, updated, last updated, last update, modification date, lastmodifieddate, num notes, "
            "num contacted notes, geaendert, aktualisiert, aenderungsdatum"
        ),
        endings=_names(
            "last activity, last activity type, last notable activity, last sales activity, last contact, "
            "last contacted, last modified, last modification, last engagement, last engagement type, "
            "last interaction, last call, last meeting, notes last updated, letzte aktivitaet, "
            "letzter kontakt, letzte kontaktaufnahme, letzte aenderung, letzte bearbeitung, "
            "letzte interaktion, letzter anruf, letztes gespraech, letzter termin, zuletzt geaendert, "
            "zuletzt bearbeitet, zuletzt aktualisiert, zuletzt kontaktiert"
        ),
    ),
)
PREFIXES = frozenset(
    {"hs", "hubspot", "sf", "crm", "lead", "deal", "opportunity", "contact", "account", "record", "current"}
)
SUFFIXES = frozenset({"id", "name", "email", "code", "label", "value", "c"})
WHEN_OR_WHO = frozenset({"at", "on", "by", "date", "time", "timestamp", "am", "um", "von", "datum"})
"""What makes a name the time or the person of an event: `won at`, `zuletzt geändert von`."""
GERMAN_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def denied_columns(columns: tuple[str, ...], crm: CrmSettings) -> tuple[Finding, ...]:
    """Return a finding for every column that must not become a feature, in the order of `columns`.

    Denied are the columns of `never` and those whose name belongs to a group of `DENIED`, in English or
    German; a column of `allow` is not judged by its name. A column in both lists is an error.
    """
    never = {each.column: each.reason for each in crm.never}
    allow = {each.column for each in crm.allow}
    return tuple(finding for column in columns for finding in _judge(column, never, allow))


def _judge(column: str, never: dict[str, str], allow: set[str]) -> Iterator[Finding]:
    if column in never and column in allow:
        yield make_finding("never-and-allow", "error", column, {})
    elif column in never:
        phrase = None if never[column] else "denied-never-bare"
        yield make_finding("denied-never", "warning", column, {"reason": never[column]}, phrase=phrase)
    elif column not in allow:
        group = denied_group(column)
        if group is not None:
            why = {"why_en": group.why_en, "why_de": group.why_de}
            yield make_finding(group.code, "warning", column, why, phrase="denied")


def denied_group(column: str) -> DeniedNames | None:
    """Return the group that denies a column's name; None for a name that gives nothing away."""
    forms = _spoken_forms(column)
    return next((group for group in DENIED if any(group.covers(form) for form in forms)), None)


def _spoken_forms(column: str) -> frozenset[str]:
    """Return the words of a column name, with and without what CRMs put before and after them."""
    spaced = re.sub(r"(?<=[a-zäöüß])(?=[A-ZÄÖÜ])", " ", column)
    words = re.findall(r"[a-z0-9]+", spaced.lower().translate(GERMAN_LETTERS))
    forms = {" ".join(words)}
    while words and words[-1] in SUFFIXES | WHEN_OR_WHO:
        words = words[:-1]
        forms.add(" ".join(words))
    while words and words[0] in PREFIXES:
        words = words[1:]
        forms.add(" ".join(words))
    return frozenset(forms)
