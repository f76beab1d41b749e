"""The words of work on a lead: how a clock stands, why nobody owns a lead, what was not kept.

Decides nothing: every number and name is read from the values.
"""

from sla.clauses_work import Overflow
from sla.clock import ClockKind, ClockStatus, ClockVerdict
from sla.handover import Assignment, AttemptViolation, Route, Violation
from sla.lifecycle import Hold
from sla.texts import Text

CLOCK_NAMES: tuple[tuple[ClockKind, Text], ...] = (
    (ClockKind.SYSTEM, Text(en="handing over", de="Übergabe")),
    (ClockKind.SELLER, Text(en="first answer of sales", de="Erste Antwort des Vertriebs")),
)

STATUS_WORDS: tuple[tuple[ClockStatus, Text], ...] = (
    (ClockStatus.RUNNING, Text(en="is due", de="ist fällig")),
    (ClockStatus.PAUSED, Text(en="is paused", de="ruht")),
    (ClockStatus.DUE_SOON, Text(en="is due soon", de="ist bald fällig")),
    (ClockStatus.BREACHED, Text(en="is overdue", de="ist überfällig")),
    (ClockStatus.ESCALATED, Text(en="is overdue and passed up", de="ist überfällig und nach oben gemeldet")),
)
IN_TIME = Text(en="came in time", de="kam rechtzeitig")
LATE = Text(en="came late", de="kam zu spät")

ROUTE_WORDS: tuple[tuple[Route, Text], ...] = (
    (Route.PERSONA_OWNER, Text(en="{owner} looks after this persona", de="{owner} betreut diese Persona")),
    (
        Route.LEAST_LOAD,
        Text(en="{owner} has the fewest open handovers", de="{owner} hat die wenigsten offenen Übergaben"),
    ),
    (Route.IN_TURN, Text(en="it is the turn of {owner}", de="{owner} ist an der Reihe")),
    (
        Route.NOT_AGREED,
        Text(
            en="the policy names nobody: open to all of sales",
            de="Die Vereinbarung nennt niemanden: offen für alle",
        ),
    ),
)
NO_ROOM_WORDS: tuple[tuple[Overflow | None, Text], ...] = (
    (Overflow.HOLD, Text(en="nobody has room: the lead waits", de="Niemand hat Platz: Der Lead wartet")),
    (
        Overflow.MQL,
        Text(en="nobody has room: it stays MQL", de="Niemand hat Platz: Der Lead bleibt MQL"),
    ),
)

VIOLATION_WORDS: tuple[tuple[Violation, Text], ...] = (
    (
        Violation.ABOVE_MOST,
        Text(
            en="attempt {value}, agreed at most {limit}", de="Versuch {value}, vereinbart höchstens {limit}"
        ),
    ),
    (
        Violation.TOO_SOON,
        Text(
            en="{value} minutes after the attempt before, agreed at least {limit} hours",
            de="{value} Minuten nach dem vorigen Versuch, vereinbart mindestens {limit} Stunden",
        ),
    ),
    (
        Violation.OTHER_CHANNEL,
        Text(en="by {value}, agreed: {limit}", de="über {value}, vereinbart: {limit}"),
    ),
    (
        Violation.GAVE_UP_EARLY,
        Text(
            en="given up after {value} attempts, agreed at least {limit}",
            de="aufgegeben nach {value} Versuchen, vereinbart mindestens {limit}",
        ),
    ),
)

HOLD_WORDS: tuple[tuple[Hold, Text], ...] = (
    (Hold.NO_MOVE, Text(en="changes nothing in this stage", de="ändert in dieser Stufe nichts")),
    (Hold.RESTS, Text(en="the lead still rests", de="der Lead ruht noch")),
    (
        Hold.DWELLS,
        Text(
            en="the lead is not long enough in its stage",
            de="der Lead ist noch nicht lange genug in seiner Stufe",
        ),
    ),
    (Hold.WORKED_ON, Text(en="a seller works on it", de="der Vertrieb arbeitet daran")),
    (
        Hold.OTHER_BASIS,
        Text(
            en="only model or policy changed, nobody sinks for that",
            de="nur Modell oder Vereinbarung haben sich geändert, deshalb sinkt niemand",
        ),
    ),
)


def clock_text(kind: ClockKind, verdict: ClockVerdict, lang: str) -> str:
    """Return how a clock stands: "first answer of sales is due soon"."""
    name = dict(CLOCK_NAMES)[kind].in_language(lang)
    if verdict.status is ClockStatus.MET:
        words = IN_TIME if verdict.is_in_time else LATE
    else:
        words = dict(STATUS_WORDS)[verdict.status]
    return f"{name} {words.in_language(lang)}"


def assignment_text(assignment: Assignment, lang: str) -> str:
    """Return why a lead has this owner, or none."""
    if assignment.route is Route.NO_ROOM:
        return dict(NO_ROOM_WORDS)[assignment.overflow].in_language(lang)
    return dict(ROUTE_WORDS)[assignment.route].in_language(lang).format(owner=assignment.owner)


def violation_text(violation: AttemptViolation, lang: str) -> str:
    """Return a broken promise about attempts: "attempt 9, agreed at most 8"."""
    words = dict(VIOLATION_WORDS)[violation.kind].in_language(lang)
    return words.format(value=violation.value, limit=violation.limit)


def hold_text(hold: Hold, lang: str) -> str:
    """Return why an event moved nothing."""
    return dict(HOLD_WORDS)[hold].in_language(lang)
