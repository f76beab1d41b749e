"""Rules of requests in German: what a caller who reads German is told about a field.

Decides no rule. Rules are written in English where they are checked; this table says them by the template
they were made from. Errors and warnings stand in `words_german`, rules of policy files in
`sla.words_problems`; one that is nowhere stays English.
"""

import re

from features.words.reasons import Language
from serving.api.fields import FieldProblem
from serving.api.words_german import in_german
from sla.texts import GERMAN
from sla.words_problems import rule_text

GERMAN_RULES: tuple[tuple[str, str], ...] = (
    ("is required", "fehlt"),
    ("is required for a deal that is open", "fehlt für einen offenen Abschluss"),
    (
        "is required, unless lead_id names a stored lead",
        "fehlt, außer lead_id nennt einen gespeicherten Lead",
    ),
    ("must be {}, not null", "muss {} sein, nicht null"),
    ("must be an object", "muss ein Objekt sein"),
    ("must be a list", "muss eine Liste sein"),
    ("must be at least {}", "muss mindestens {} sein"),
    ("must be at most {} days after since", "darf höchstens {} Tage nach since liegen"),
    ("must be at most {}", "darf höchstens {} sein"),
    ("must have a name of 1 to {} characters", "muss einen Namen von 1 bis {} Zeichen haben"),
    ("must have {} to {} characters", "muss {} bis {} Zeichen haben"),
    ("must have {} to {} items", "muss {} bis {} Einträge haben"),
    (
        "must have 1 to {} printable characters, no blank at an end",
        "muss 1 bis {} druckbare Zeichen haben, kein Leerzeichen am Rand",
    ),
    (
        "must be a time, ISO 8601 with a time zone, such as {}",
        "muss ein Zeitpunkt mit Zeitzone sein, etwa {}",
    ),
    ("must carry a time zone, such as {}", "muss eine Zeitzone haben, etwa {}"),
    ("must lie between {} and {}", "muss zwischen {} und {} liegen"),
    ("must not lie in the future; it is {} now", "darf nicht in der Zukunft liegen; jetzt ist {}"),
    ("must not lie before the handover, {}", "darf nicht vor der Übergabe liegen, {}"),
    ("must not lie before the score, {}", "darf nicht vor dem Score liegen, {}"),
    ("must not lie before since, {}", "darf nicht vor since liegen, {}"),
    ("must not lie before opened_at, {}", "darf nicht vor opened_at liegen, {}"),
    (
        "must not lie before from ({}) nor more than {} days after it",
        "darf nicht vor from ({}) und nicht mehr als {} Tage danach liegen",
    ),
    ("must be a date such as {}, from {} to {}", "muss ein Tag wie {} sein, von {} bis {}"),
    ("must be given together with outcome", "muss zusammen mit outcome stehen"),
    ("must not be blank", "darf nicht leer sein"),
    ("or {} must be given", "oder {} muss angegeben sein"),
    ("is not a known field{}", "ist kein bekanntes Feld{}"),
    ("must name a lead that was put or imported", "muss einen Lead nennen, der bekannt ist"),
    ("must be the group of the code, {}", "muss die Gruppe des Codes sein, {}"),
    ("must be a score of this lead", "muss ein Score dieses Leads sein"),
    ("must have been scored", "muss bewertet worden sein"),
    (
        "must not be the id of another lead's dispute",
        "darf nicht die Beanstandung eines anderen Leads bezeichnen",
    ),
    ("must be the key of a number of this report", "muss der key einer Zahl dieses Berichts sein"),
    (
        "must be {} of the agreement in force, which lists none",
        "muss in der geltenden Vereinbarung stehen, die nichts davon nennt ({})",
    ),
    (
        "must be {} of the agreement in force: {}",
        "muss in der geltenden Vereinbarung stehen ({}): {}",
    ),
)
"""English template -> German template, `{}` for what the rule fills in, in the same order."""

FILLED_IN: tuple[tuple[str, str], ...] = (
    ("a text", "ein Text"),
    ("a number", "eine Zahl"),
    ("a whole number", "eine ganze Zahl"),
    ("true or false", "true oder false"),
    ("a time", "ein Zeitpunkt"),
    ("an object", "ein Objekt"),
    ("a list", "eine Liste"),
    ("a value", "ein Wert"),
    ("a code", "Code"),
    ("a group", "Gruppe"),
    ("an objection", "Einwand"),
    ("a persona", "Persona"),
)
"""Words that rules are filled with."""

_PATTERNS = tuple(
    (re.compile("(.*?)".join(map(re.escape, english.split("{}"))), re.DOTALL), german)
    for english, german in GERMAN_RULES
)


def in_language(problem: FieldProblem, lang: Language) -> FieldProblem:
    """Return a problem of a field with its rule in the caller's language."""
    if lang != GERMAN:
        return problem
    return FieldProblem(field=problem.field, rule=_german(problem.rule), value=problem.value)


def _german(rule: str) -> str:
    known = dict(FILLED_IN)
    for pattern, german in _PATTERNS:
        match = pattern.fullmatch(rule)
        if match is not None:
            return german.format(*(_word(known.get(part, part)) for part in match.groups()))
    told = in_german(rule)
    return rule_text(rule, GERMAN) if told == rule else told


def _word(part: str) -> str:
    return part.replace(" or ", " oder ").replace("did you mean", "meinten Sie")
