"""What may be a feature at all, judged by its name: a lead's owner, stage and closing follow the outcome.

Decides which columns are left out. Whether the values of the other columns betray the outcome is not decided
here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from features.crm import CrmSettings

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One coded observation about one column.

    `warning`: the column is left out, or needs a look; `error`: training refuses until it is settled.
    """

    code: str
    severity: Severity
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class DeniedNames:
    """One group of names, the code of its finding, and why it is denied."""

    code: str
    why: str
    names: frozenset[str]


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(","))


DENIED = (
    DeniedNames(
        "denied-stage",
        "the stage of a lead follows from the work with it and with it from the outcome",
        _names(
            "stage, pipeline, pipeline stage, sales stage, funnel stage, lifecycle stage, "
            "lifecyclestage, leadstage, dealstage, phase, pipeline phase, vertriebsphase, "
            "verkaufsphase, verkaufsstufe, vertriebsstufe, lebenszyklusphase, leadphase, dealphase"
        ),
    ),
    DeniedNames(
        "denied-status",
        "the status of a lead follows from the work with it and with it from the outcome",
        _names(
            "status, leadstatus, dealstatus, sales status, vertriebsstatus, bearbeitungsstatus, "
            "verkaufsstatus, substatus, status reason, statusgrund"
        ),
    ),
    DeniedNames(
        "denied-owner",
        "who looks after a lead is decided after it was judged",
        _names(
            "owner, ownerid, assigned to, assigned user, assignee, sales rep, sales representative, "
            "salesperson, sales person, sdr, account executive, account manager, besitzer, "
            "eigentuemer, bearbeiter, betreuer, kundenbetreuer, vertriebsmitarbeiter, "
            "verantwortlicher, zustaendig, zustaendiger, ansprechpartner vertrieb"
        ),
    ),
    DeniedNames(
        "denied-closing",
        "it is written when the lead is closed",
        _names(
            "outcome, won, lost, is won, is lost, is closed, closed, converted, is converted, won at, "
            "lost at, closed at, converted at, won on, lost on, close date, closed date, closing "
            "date, closedate, won date, lost date, conversion date, converted date, date closed, date "
            "converted, loss reason, lost reason, won reason, win reason, reason lost, reason won, "
            "close reason, closed lost reason, closed won reason, disqualification reason, "
            "disqualified reason, rejection reason, rejected reason, ergebnis, gewonnen, verloren, "
            "abgeschlossen, umgewandelt, konvertiert, gewonnen am, verloren am, abgeschlossen am, "
            "konvertiert am, umgewandelt am, abschlussdatum, abschlussgrund, verlustgrund, "
            "ablehnungsgrund, absagegrund, gewinngrund, grund verloren, grund gewonnen, "
            "abschlussergebnis"
        ),
    ),
)
PREFIXES = frozenset(
    {"hs", "hubspot", "sf", "crm", "lead", "deal", "opportunity", "contact", "account", "record", "current"}
)
SUFFIXES = frozenset({"id", "name", "email", "code", "label", "value", "c"})
GERMAN_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def denied_columns(columns: tuple[str, ...], crm: CrmSettings) -> tuple[Finding, ...]:
    """Return a finding for every column that must not become a feature, in the order of `columns`.

    Denied are the columns of `never` and those whose name says stage, status, owner or closing, in English or
    German; a column of `allow` is not judged by its name. A column in both lists is an error.
    """
    never = {each.column: each.reason for each in crm.never}
    allow = {each.column: each.reason for each in crm.allow}
    return tuple(finding for column in columns for finding in _judge(column, never, allow))


def _judge(column: str, never: dict[str, str], allow: dict[str, str]) -> Iterator[Finding]:
    if column in never and column in allow:
        yield Finding(
            code="never-and-allow",
            severity="error",
            column=column,
            message=f"column {column!r} is named under never and under allow in crm.toml; keep one of them",
        )
    elif column in never:
        reason = never[column] or "named under never in crm.toml"
        yield Finding(
            code="denied-never",
            severity="warning",
            column=column,
            message=f"column {column!r} is left out: {reason}",
        )
    elif column not in allow:
        yield from _judge_name(column)


def _judge_name(column: str) -> Iterator[Finding]:
    spoken = _spoken_forms(column)
    for group in DENIED:
        if spoken & group.names:
            yield Finding(
                code=group.code,
                severity="warning",
                column=column,
                message=f"column {column!r} is left out: {group.why}; to use it, name it with a reason under "
                "[attributes.allow] in crm.toml",
            )
            return


def _spoken_forms(column: str) -> frozenset[str]:
    """Return the words of a column name, with and without what CRMs put before and after them."""
    spaced = re.sub(r"(?<=[a-zäöüß])(?=[A-ZÄÖÜ])", " ", column)
    words = re.findall(r"[a-z0-9]+", spaced.lower().translate(GERMAN_LETTERS))
    forms = {" ".join(words)}
    while words and words[-1] in SUFFIXES:
        words = words[:-1]
        forms.add(" ".join(words))
    while words and words[0] in PREFIXES:
        words = words[1:]
        forms.add(" ".join(words))
    return frozenset(forms)
