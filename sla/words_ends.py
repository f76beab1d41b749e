"""The words of the reports on losses, wins and content, as lines for people.

Decides nothing: every number is given.
"""

from sla.texts import Text

LOSSES = Text(en="Why leads ended without a win", de="Warum Leads ohne Abschluss endeten")
WINS = Text(en="What was won", de="Was gewonnen wurde")
CONTENT = Text(en="What sellers hear, and what content does", de="Was der Vertrieb hört und Inhalte bewirken")

COUNTED = Text(en="{label}: {count} (before: {before})", de="{label}: {count} (davor: {before})")
BY_REASON = Text(en="By reason", de="Nach Grund")
BY_GROUP = Text(en="By group", de="Nach Gruppe")
BAD_DATA = Text(en="no leads at all", de="gar keine Leads")
UNMAPPED_TEXT = Text(en='"{text}" {count} times, no code', de='"{text}" {count}-mal, kein Code')
ANSWER_DUE = Text(en="{owner} {status} (due {due})", de="{owner}: {status} (fällig {due})")
NOBODY = Text(en="nobody", de="niemand")
AMOUNT = Text(en="worth {amount} (before: {before})", de="Wert {amount} (davor: {before})")
WIN = Text(
    en="{lead} on {day}: {persona}, from {source}, with {owner}; before it: {content}",
    de="{lead} am {day}: {persona}, über {source}, bei {owner}; davor: {content}",
)
UNKNOWN = Text(en="unknown", de="unbekannt")
NOTHING = Text(en="nothing", de="nichts")
BACKLOG = Text(en="Objections without content", de="Einwände ohne Inhalt")
ANSWERED = Text(en="Objections with content", de="Einwände mit Inhalt")
OBJECTION = Text(en="{label} ({persona}, {stage})", de="{label} ({persona}, {stage})")
BEFORE_ENDS = Text(en="Content before wins and losses", de="Inhalte vor Gewinn und Verlust")
TOUCHED = Text(
    en="{content} ({persona}, {stage}): {won} won, {lost} not",
    de="{content} ({persona}, {stage}): {won} gewonnen, {lost} nicht",
)


def counted_text(label: str, count: int, before: int, lang: str) -> str:
    """Return a number with that of the period before: "Data: 3 (before: 5)"."""
    return COUNTED.in_language(lang).format(label=label, count=count, before=before)


def known(name: str, lang: str) -> str:
    """Return a name, or that nobody knows it."""
    return name or UNKNOWN.in_language(lang)
