"""What callers are told beside the rules of `serving.api.german`: errors, warnings of scores, rarer rules.

Decides nothing. Words are written in English where they are found out; this table says them in German, by the
template they were made from. What is in neither table stays English, and a test finds it in the source.
"""

import re

GERMAN_WORDS: tuple[tuple[str, str], ...] = (
    ("{} fields of the body must be corrected", "{} Felder der Anfrage müssen berichtigt werden"),
    ("1 field of the body must be corrected", "1 Feld der Anfrage muss berichtigt werden"),
    ("the handover does not allow this", "die Übergabe lässt das nicht zu"),
    ("lead {} is not in the history", "den Lead {} kennt niemand"),
    ("there is no handover {}", "die Übergabe {} gibt es nicht"),
    ("there is no dispute {}", "die Beanstandung {} gibt es nicht"),
    ("this cannot have happened so", "so kann es nicht gewesen sein"),
    ("the agreement in force does not know this", "die geltende Vereinbarung kennt das nicht"),
    ("group {} has no open question", "zur Gruppe {} ist keine Frage offen"),
    ("dispute {} was answered by {}", "die Beanstandung {} hat {} schon beantwortet"),
    ("erased on request, nothing is taken or kept: {}", "auf Wunsch gelöscht, nichts wird angenommen: {}"),
    (
        "the person of lead {} objected: it is not scored",
        "die Person zu Lead {} hat widersprochen: Er wird nicht bewertet",
    ),
    (
        "the Idempotency-Key {} was used for another request before",
        "der Idempotency-Key {} gehört schon zu einer anderen Anfrage",
    ),
    (
        "the first request with the Idempotency-Key {} is under way",
        "die erste Anfrage mit dem Idempotency-Key {} läuft noch",
    ),
    ("must be an ISO 8601 time with a zone, such as {}", "muss eine ISO-8601-Zeit mit Zone sein, wie {}"),
    ("must have at most {} members", "darf höchstens {} Angaben haben"),
    ("must have at most {} characters", "darf höchstens {} Zeichen haben"),
    (
        "is required, because no policy is in force to take it from",
        "fehlt, denn es gilt keine Vereinbarung, aus der es käme",
    ),
    ("must be absent when the lead is given inline", "muss fehlen, wenn der Lead in der Anfrage steht"),
    (
        "must be absent for a stored lead: its {} are in the history",
        "muss bei einem bekannten Lead fehlen: Seine {} sind gespeichert",
    ),
    ("must be a text", "muss ein Text sein"),
    ("must be a number", "muss eine Zahl sein"),
    ("must be a whole number", "muss eine ganze Zahl sein"),
    ("must be true or false", "muss true oder false sein"),
    ("must be the key of a figure of the report {}", "muss der key einer Zahl des Berichts {} sein"),
    ("must not lie after as_of, {}", "darf nicht nach as_of liegen, {}"),
    ("must be a whole number from {} to {}", "muss eine ganze Zahl von {} bis {} sein"),
    (
        "attribute {} is used by neither model nor policy{}",
        "das Merkmal {} benutzen weder Modell noch Vereinbarung{}",
    ),
    ("; did you mean {}?", "; meinten Sie {}?"),
    ("ignored {} activities after as_of", "{} Aktivitäten nach as_of zählen nicht"),
    ("ignored {} activity after as_of", "{} Aktivität nach as_of zählt nicht"),
    ("activities after as_of, which do not count: {}", "Aktivitäten nach as_of, die nicht zählen: {}"),
    (
        "{} {} is not known to the model and counts in totals only",
        "{} {} kennt das Modell nicht; es zählt nur in Summen",
    ),
    ("attribute_changes not given, counted as none", "attribute_changes fehlt: gilt als keine Änderung"),
    ("attributes not given, scored as missing: {}", "Merkmale, die fehlen und als unbekannt gelten: {}"),
    ("attributes not used by the model: {}", "Merkmale, die das Modell nicht benutzt: {}"),
    ("attribute {} must be {}; {} counts as missing", "das Merkmal {} muss {} sein; {} gilt als unbekannt"),
    ("attribute {}: {} is rare or new to the model", "das Merkmal {}: {} ist für das Modell selten oder neu"),
    (
        "created_at must be a time with a zone, at or before as_of; got {}",
        "created_at muss eine Zeit mit Zone und nicht nach as_of sein; gefunden: {}",
    ),
    ("at least {}", "mindestens {}"),
    ("must be a text, a number, true or false, or null", "muss Text, Zahl, true, false oder null sein"),
)
"""English templates and their German ones; the first that fits counts, so the general stand below."""

GERMAN_PARTS: tuple[tuple[str, str], ...] = (
    ("a text, a number, true or false, or null", "ein Text, eine Zahl, true oder false oder null"),
    ("a text", "ein Text"),
    ("a number", "eine Zahl"),
    ("a whole number", "eine ganze Zahl"),
    ("true or false", "true oder false"),
    ("a time with a zone, at or before as_of", "eine Zeit mit Zone, nicht nach as_of"),
    ("a time", "eine Zeit"),
    ("an object", "ein Objekt"),
    ("a list", "eine Liste"),
    ("activity kind", "die Art der Aktivität"),
    ("channel", "der Kanal"),
    ("activities", "Aktivitäten"),
    ("attribute_changes", "Änderungen"),
    ("the lead of this answer", "der Lead dieser Antwort"),
)
"""Words that templates are filled with."""

_PATTERNS = tuple(
    (re.compile("(.*?)".join(map(re.escape, english.split("{}"))), re.DOTALL), german)
    for english, german in GERMAN_WORDS
)
_PARTS = dict(GERMAN_PARTS)


def in_german(text: str) -> str:
    """Return what is said in German; what the table does not know stays as it is."""
    known = _PARTS.get(text)
    if known is not None:
        return known
    for pattern, german in _PATTERNS:
        match = pattern.fullmatch(text)
        if match is not None:
            return german.format(*map(_filled, match.groups()))
    return text


def _filled(part: str) -> str:
    """Return a part of a template: a known word, or a template again; what a caller sent stays."""
    return in_german(part) if part in _PARTS or part.startswith(("; did you mean", "at least ")) else part
