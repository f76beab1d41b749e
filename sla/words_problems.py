"""Mistakes of a policy file in the reader's language: every rule, in German as in English.

Decides no rule. Rules are written in English where they are checked; this table says each in German, by the
template it was made from. A rule that is not in the table is said in English, and a test finds it.
"""

import re
from collections.abc import Iterable

from sla.errors import PolicyProblem, PolicyProblems
from sla.texts import GERMAN

GERMAN_RULES: tuple[tuple[str, str], ...] = (
    (
        "must be small letters, digits and _, a letter first, at most 40, and not {}",
        "muss aus Kleinbuchstaben, Ziffern und _ bestehen, zuerst ein Buchstabe, höchstens 40, und nicht {}",
    ),
    ("must hold letters or digits", "muss Buchstaben oder Ziffern enthalten"),
    ("must list at most {} texts", "darf höchstens {} Texte nennen"),
    ("must list at most {} codes", "darf höchstens {} Codes nennen"),
    ("must not repeat a group or a code", "darf keine Gruppe und keinen Code zweimal nennen"),
    ("must not list a text twice in matches", "darf in matches keinen Text zweimal nennen"),
    (
        'must have in [[feedback.groups]] who answers for "{}"',
        'muss in [[feedback.groups]] nennen, wer für "{}" antwortet',
    ),
    ("must be a share from 0 to 1", "muss ein Anteil von 0 bis 1 sein"),
    (
        "must begin after the baseline has ended ({})",
        "muss nach dem Ende des Basiszeitraums ({}) beginnen",
    ),
    (
        "must come with expected_conversion in [policy], which holds for leads of no persona",
        "muss zusammen mit expected_conversion in [policy] stehen, das für Leads ohne Persona gilt",
    ),
    ("must lie above 0 and be at most 10", "muss über 0 liegen und höchstens 10 sein"),
    (
        "must lie above 0 and be at most leads ({})",
        "muss über 0 liegen und höchstens so viel wie leads ({}) sein",
    ),
    ("must lie above 0 and be at most {}", "muss über 0 liegen und höchstens {} sein"),
    ("must be a share above 0 and at most 1", "muss ein Anteil über 0 und höchstens 1 sein"),
    (
        "must come with a response time for SQL that holds for everyone (without persona)",
        "muss zusammen mit einer Antwortzeit für SQL stehen, die für alle gilt (ohne persona)",
    ),
    ("must lie above 0 and below 100", "muss über 0 und unter 100 liegen"),
    ("must lie between 0 and 1, both excluded", "muss zwischen 0 und 1 liegen, beide ausgeschlossen"),
    ("must lie from 0.5 to 0.99", "muss von 0,5 bis 0,99 liegen"),
    (
        "must not be before first ({}) nor more than {} days after it",
        "darf nicht vor first ({}) und nicht mehr als {} Tage danach liegen",
    ),
    ("or target_points must be given, one of the two", "oder target_points muss stehen, eines von beiden"),
    ("must lie in [0, 1439]", "muss in [0, 1439] liegen"),
    ("must be at most 1440", "darf höchstens 1440 sein"),
    ("must lie after the start", "muss nach dem Anfang liegen"),
    ("must be an IANA time zone such as Europe/Berlin", "muss eine IANA-Zeitzone wie Europe/Berlin sein"),
    ("must name Monday to Sunday", "muss Montag bis Sonntag nennen"),
    (
        "must have at least one opening in the week",
        "muss mindestens eine Öffnungszeit in der Woche haben",
    ),
    (
        "must list at most {} dates, public ones included",
        "darf höchstens {} Tage nennen, gesetzliche Feiertage mitgezählt",
    ),
    ("must list at most {} days", "darf höchstens {} Tage nennen"),
    ("must have at least one opening", "muss mindestens eine Öffnungszeit haben"),
    (
        "must name a date once, and none that is closed by agreement",
        "muss einen Tag einmal nennen, und keinen, der nach Vereinbarung geschlossen ist",
    ),
    ("must be a date such as 2026-12-19", "muss ein Tag wie 2026-12-19 sein"),
    ("must be a country code such as DE", "muss ein Länderkürzel wie DE sein"),
    ("must be a region of {} ({})", "muss eine Region von {} sein ({})"),
    (
        "must be a further kind of holiday of {} ({})",
        "muss eine weitere Art von Feiertagen von {} sein ({})",
    ),
    (
        'must come with "country", the code of a country such as DE',
        'muss zusammen mit "country" stehen, dem Kürzel eines Landes wie DE',
    ),
    ("must come together with holiday_years", "muss zusammen mit holiday_years stehen"),
    ("must be two years such as [2026, 2030]", "muss aus zwei Jahren wie [2026, 2030] bestehen"),
    (
        "must be a first and a last year, at most {} in all",
        "muss ein erstes und ein letztes Jahr nennen, höchstens {} im Ganzen",
    ),
    ("must lie in the holiday_years {} to {}", "muss in den holiday_years {} bis {} liegen"),
    (
        "must fit into a year of opening hours of sales",
        "muss in die Öffnungszeiten des Vertriebs in einem Jahr passen",
    ),
    (
        "must be shorter than every response time for SQL (shortest: {})",
        "muss kürzer sein als jede Antwortzeit für SQL (kürzeste: {})",
    ),
    ("must list at least one person, none empty", "muss mindestens eine Person nennen, keine leere"),
    ("must not repeat a person", "darf keine Person zweimal nennen"),
    ("must list at most {} people", "darf höchstens {} Personen nennen"),
    (
        "must list openings in order and without overlap",
        "muss Öffnungszeiten der Reihe nach und ohne Überschneidung nennen",
    ),
    ("must be a whole number from {} to {}", "muss eine ganze Zahl von {} bis {} sein"),
    ("must be mql or sql", "muss mql oder sql sein"),
    ("must have a time zone", "muss eine Zeitzone haben"),
    ("must lie in the years {} to {}", "muss in den Jahren {} bis {} liegen"),
    ("must not be above enter ({})", "darf nicht über enter ({}) liegen"),
    ("must have at least one condition", "muss mindestens eine Bedingung haben"),
    ("must be longer than 0 and at most 1000 h", "muss länger als 0 und höchstens 1000 h sein"),
    ("must be whole minutes", "muss aus ganzen Minuten bestehen"),
    ("must not be above most ({})", "darf nicht über most ({}) liegen"),
    ("must list at least one channel, none empty", "muss mindestens einen Kanal nennen, keinen leeren"),
    ("must not repeat a channel", "darf keinen Kanal zweimal nennen"),
    ("must start with https:// or http://", "muss mit https:// oder http:// beginnen"),
    (
        "must be a probability above 0 and below 1",
        "muss eine Wahrscheinlichkeit über 0 und unter 1 sein",
    ),
    ("must not be empty", "darf nicht leer sein"),
    ("must be a finite number", "muss eine endliche Zahl sein"),
    ("must be a text that is not empty", "muss ein Text sein, der nicht leer ist"),
    ("must be true or false", "muss true oder false sein"),
    (
        "must hold texts, finite numbers, true or false",
        "muss Texte, endliche Zahlen, true oder false enthalten",
    ),
    ("must name an attribute of the lead", "muss ein Attribut des Leads nennen"),
    ("must list at least one value", "muss mindestens einen Wert nennen"),
    ("must have a single value", "muss genau einen Wert haben"),
    ("must have at least one rule", "muss mindestens eine Regel haben"),
    ("must fit into a year of opening hours", "muss in die Öffnungszeiten eines Jahres passen"),
    ("must have at most {} characters", "darf höchstens {} Zeichen haben"),
    ("must lie in [0, 1]", "muss in [0, 1] liegen"),
    ("must not lie in the past (today is {})", "darf nicht in der Vergangenheit liegen (heute ist {})"),
    (
        "must not be the date of another policy: version {} has it",
        "darf nicht der Tag einer anderen Vereinbarung sein: Version {} hat ihn",
    ),
    (
        "must keep the MQL enter below the SQL enter ({}) for {}",
        "muss das MQL-enter unter dem SQL-enter ({}) halten, für {}",
    ),
    (
        "must not have an MQL exit above the SQL exit ({}) for {}",
        "darf kein MQL-exit über dem SQL-exit ({}) haben, für {}",
    ),
    (
        'must have a threshold for stage "{}" that holds for everyone (without persona)',
        'muss eine Schwelle für die Stufe "{}" haben, die für alle gilt (ohne persona)',
    ),
    (
        "must be listed only once for the same stage and persona",
        "darf für dieselbe Stufe und Persona nur einmal genannt sein",
    ),
    ("must be given only once", "darf nur einmal vorkommen"),
    (
        "must be agreed only once for the same stage and persona",
        "darf für dieselbe Stufe und Persona nur einmal vereinbart sein",
    ),
    ("must name a persona of this policy", "muss eine Persona dieser Vereinbarung nennen"),
    ("must be a text", "muss ein Text sein"),
    ("must be a whole number", "muss eine ganze Zahl sein"),
    ("must be a number", "muss eine Zahl sein"),
    ("must be a list of texts", "muss eine Liste von Texten sein"),
    (
        "must be a list of dates such as 2026-12-25",
        "muss eine Liste von Tagen wie 2026-12-25 sein",
    ),
    (
        'must be a duration such as "30 min", "4 h" or "2 d"',
        'muss eine Dauer wie "30 min", "4 h" oder "2 d" sein',
    ),
    (
        'must be a date, a date and time with an offset such as 2026-01-01T00:00:00+01:00, or "{}"',
        'muss ein Tag sein, ein Zeitpunkt mit Versatz wie 2026-01-01T00:00:00+01:00, oder "{}"',
    ),
    ("must be one of {}", "muss eines von diesen sein: {}"),
    ('must have "{}": it {}', 'muss "{}" haben: Es {}'),
    ("must be a list of {}", "muss eine Liste sein von: {}"),
    ("must have a section [{}]", "muss einen Abschnitt [{}] haben"),
    ("must be a section", "muss ein Abschnitt sein"),
    ("must be a table", "muss eine Tabelle sein"),
    ("is not a key that is known here", "ist kein Schlüssel, der hier bekannt ist"),
    ("a policy must have at most {} characters", "eine Vereinbarung darf höchstens {} Zeichen haben"),
    ("a policy must not be empty", "eine Vereinbarung darf nicht leer sein"),
    ("must be valid TOML: {}", "muss gültiges TOML sein: {}"),
    ("a policy must be UTF-8 text", "eine Vereinbarung muss UTF-8-Text sein"),
    (
        "a policy must not nest lists and tables that deeply",
        "eine Vereinbarung darf Listen und Tabellen nicht so tief verschachteln",
    ),
    ('must be an opening such as "09:00-12:30"', 'muss eine Öffnungszeit wie "09:00-12:30" sein'),
    ("must be a text, a number, true or false", "muss ein Text, eine Zahl, true oder false sein"),
    ("must come with exactly one of {}", "muss genau eines von diesen haben: {}"),
)
"""English template -> German template, `{}` for what the rule fills in, in the same order."""

FILLED_IN: tuple[tuple[str, str], ...] = (
    ("everyone", "alle"),
    ("tables", "Tabellen"),
    ("texts, numbers, true or false", "Texte, Zahlen, true oder false"),
    ('openings such as "09:00-12:30"', 'Öffnungszeiten wie "09:00-12:30"'),
)
"""Words that rules are filled with."""

_HINT = re.compile(r' \(did you mean "(.*)"\?\)$', re.DOTALL)
_PATTERNS = tuple(
    (re.compile("(.*?)".join(map(re.escape, english.split("{}"))), re.DOTALL), german)
    for english, german in GERMAN_RULES
)


def rule_text(rule: str, lang: str) -> str:
    """Return a rule in German or English; one the table does not know stays English."""
    if lang != GERMAN:
        return rule
    hint = _HINT.search(rule)
    if hint is not None:
        return f'{rule_text(rule[: hint.start()], lang)} (meinten Sie "{hint[1]}"?)'
    for pattern, german in _PATTERNS:
        match = pattern.fullmatch(rule)
        if match is not None:
            return german.format(*(_filled(part, lang) for part in match.groups()))
    return rule


def problem_text(problem: PolicyProblem, lang: str) -> str:
    """Return one mistake: its place, the rule and the value."""
    if lang != GERMAN:
        return problem.text()
    joiner = " " if problem.path else ": "
    named = f"{place_text(problem, lang)}{joiner}{rule_text(problem.rule, lang)}"
    return named if problem.value is None else f"{named}; gefunden: {problem.value}"


def place_text(problem: PolicyProblem, lang: str) -> str:
    """Return where a mistake is: "line 4: policy.valid_from", "Zeile 4: policy.valid_from"."""
    if lang != GERMAN:
        return problem.place()
    place = "ganze Datei" if problem.line is None else f"Zeile {problem.line}"
    return f"{place}: {problem.path}" if problem.path else place


def problems_text(error: PolicyProblems, lang: str) -> str:
    """Return every mistake of a file, one indented line each, under its name."""
    if lang != GERMAN:
        return error.text()
    count = len(error.problems)
    head = f"{error.source} hat {count} Fehler:"
    return "\n".join([head, *_indented(problem_text(one, lang) for one in error.problems)])


def _indented(lines: Iterable[str]) -> Iterable[str]:
    return (f"  {line}" for line in lines)


def _filled(part: str, lang: str) -> str:
    known = dict(FILLED_IN)
    return known.get(part) or rule_text(part, lang)
