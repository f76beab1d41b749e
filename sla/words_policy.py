"""The whole policy as a document a manager can read and sign, in German or English, as Markdown.

Decides the order of the document; every number, name and time in it is read from the policy.
"""

from collections.abc import Callable, Iterable, Iterator
from zoneinfo import ZoneInfo

from sla.business_time import OpeningHours
from sla.personas import Condition, Operator, Persona
from sla.policy import Policy
from sla.stages import Side, Stage, owner_of
from sla.texts import GERMAN, Text
from sla.words_numbers import (
    date_text,
    days_text,
    exact_percent,
    instant_text,
    list_text,
    scalar_text,
    side_name,
    stage_name,
    working_time_text,
)

OR = Text(en="or", de="oder")

WEEKDAY_NAMES = (
    Text(en="Monday", de="Montag"),
    Text(en="Tuesday", de="Dienstag"),
    Text(en="Wednesday", de="Mittwoch"),
    Text(en="Thursday", de="Donnerstag"),
    Text(en="Friday", de="Freitag"),
    Text(en="Saturday", de="Samstag"),
    Text(en="Sunday", de="Sonntag"),
)

CONDITION_WORDS: tuple[tuple[Operator, Text], ...] = (
    (Operator.IN, Text(en="`{attribute}` is {values}", de="`{attribute}` ist {values}")),
    (Operator.EQUALS, Text(en="`{attribute}` is {values}", de="`{attribute}` ist {values}")),
    (
        Operator.AT_LEAST,
        Text(en="`{attribute}` is at least {values}", de="`{attribute}` beträgt mindestens {values}"),
    ),
    (
        Operator.AT_MOST,
        Text(en="`{attribute}` is at most {values}", de="`{attribute}` beträgt höchstens {values}"),
    ),
    (Operator.CONTAINS, Text(en="`{attribute}` contains {values}", de="`{attribute}` enthält {values}")),
)
FILLED_WORDS = Text(en="`{attribute}` is filled in", de="`{attribute}` ist ausgefüllt")
EMPTY_WORDS = Text(en="`{attribute}` is empty", de="`{attribute}` ist leer")

HEAD = Text(
    en="Service level agreement between marketing and sales, version {version}. Valid from {start}.",
    de="Vereinbarung zwischen Marketing und Vertrieb, Version {version}. Gültig ab {start}.",
)
ON_SIGNATURE_WORDS = Text(
    en="the moment both sides have signed", de="dem Augenblick, in dem beide Seiten unterschrieben haben"
)
PERSONAS = Text(en="Who buys from us", de="Wer bei uns kauft")
PERSONAS_NOTE = Text(
    en="A lead counts as the persona most of whose rules it meets, but at least half of them; "
    "on a tie the first one counts.",
    de="Ein Lead zählt zu der Persona, von deren Regeln er die meisten erfüllt, mindestens aber die Hälfte; "
    "bei Gleichstand zählt die zuerst genannte.",
)
RULES = Text(en="Recognised by: {rules}", de="Erkennbar an: {rules}")
PAINS = Text(en="What hurts: {pains}", de="Herausforderungen: {pains}")
OWNERS = Text(
    en="Looked after by: {marketing} (marketing), {sales} (sales)",
    de="Betreut von: {marketing} (Marketing), {sales} (Vertrieb)",
)
THRESHOLDS = Text(en="When a lead becomes MQL or SQL", de="Wann ein Lead MQL oder SQL wird")
THRESHOLDS_HEAD = Text(
    en="| Stage | For | Enters at a probability of at least | Leaves below |",
    de="| Stufe | Für | Aufstieg ab einer Wahrscheinlichkeit von | Abstieg unter |",
)
DWELL = Text(
    en="A lower score takes a lead down only after {dwell} in its stage; a recycled lead rests as long. "
    "A score more than {valid} old is not acted on.",
    de="Ein niedrigerer Score stuft einen Lead erst nach {dwell} in seiner Stufe herab; ein zurückgestellter "
    "Lead ruht ebenso lange. Ein Score, der mehr als {valid} alt ist, zählt nicht mehr.",
)
OVERRIDES = Text(en="What lifts a lead at once", de="Was einen Lead sofort aufsteigen lässt")
OVERRIDE = Text(
    en="{action} (`{kind}`), not more than {days} ago: {stage} at once",
    de="{action} (`{kind}`) vor höchstens {days}: sofort {stage}",
)
DISQUALIFIERS = Text(en="What takes a lead out", de="Was einen Lead ausschließt")
RESPONSES = Text(en="How soon a lead is answered", de="Wie schnell ein Lead eine Antwort bekommt")
RESPONSE = Text(
    en="{stage}, {who}: {side} answers within {within}",
    de="{stage}, {who}: {side} antwortet innerhalb von {within}",
)
ATTEMPTS = Text(en="How often sales tries", de="Wie oft der Vertrieb es versucht")
ATTEMPT = Text(
    en="At least {least} and at most {most} attempts per lead, at least {hours} apart, by: {channels}.",
    de="Mindestens {least} und höchstens {most} Kontaktversuche je Lead, im Abstand von mindestens {hours}, "
    "über: {channels}.",
)
HOURS = Text(en="When we work", de="Wann wir arbeiten")
HOURS_NOTE = Text(
    en="Deadlines count only these hours, in the time of {zone}.",
    de="Fristen laufen nur in diesen Zeiten (Ortszeit {zone}).",
)
HOLIDAYS = Text(en="Closed on: {days}", de="Geschlossen am: {days}")
CONTENT = Text(en="What we offer", de="Welche Inhalte wir anbieten")
CONTENT_HEAD = Text(en="| Stage | For | Content |", de="| Stufe | Für | Inhalt |")
SIGNATURES = Text(en="Signatures", de="Unterschriften")
SIGNATURE = Text(
    en="For {side}, version {version} (name, date): ______________________",
    de="Für {side}, Version {version} (Name, Datum): ______________________",
)
EVERYONE = Text(en="everyone", de="alle")
CLOSED = Text(en="closed", de="geschlossen")
NOTHING = Text(en="Nothing is agreed here.", de="Hierzu ist nichts vereinbart.")


def render_policy(policy: Policy, lang: str) -> str:
    """Return the policy as Markdown in German ("de") or English (anything else)."""
    blocks = [f"# {_line(policy.name)}", _head(policy, lang)]
    for title, render in _SECTIONS:
        blocks += [f"## {title.in_language(lang)}", *render(policy, lang)]
    return "\n\n".join(blocks) + "\n"


def _head(policy: Policy, lang: str) -> str:
    return HEAD.in_language(lang).format(version=policy.version, start=effective_text(policy, lang))


def effective_text(policy: Policy, lang: str) -> str:
    """Return from when a policy is valid, in words."""
    if policy.valid_from is None:
        return ON_SIGNATURE_WORDS.in_language(lang)
    zone = policy.hours.zone
    return f"{instant_text(policy.valid_from.astimezone(ZoneInfo(zone)), lang)} ({zone})"


def _personas(policy: Policy, lang: str) -> Iterator[str]:
    if not policy.personas:
        yield NOTHING.in_language(lang)
        return
    yield PERSONAS_NOTE.in_language(lang)
    for persona in policy.personas:
        yield f"### {_line(persona.label.in_language(lang))} (`{_line(persona.name)}`)"
        yield _bullets(_persona_lines(persona, lang))


def _persona_lines(persona: Persona, lang: str) -> Iterator[str]:
    rules = "; ".join(condition_text(rule, lang) for rule in persona.rules)
    yield RULES.in_language(lang).format(rules=rules)
    if persona.pains:
        yield PAINS.in_language(lang).format(
            pains="; ".join(pain.in_language(lang) for pain in persona.pains)
        )
    yield OWNERS.in_language(lang).format(marketing=persona.owner_marketing, sales=persona.owner_sales)


def condition_text(condition: Condition, lang: str) -> str:
    """Return one condition in words: "`employees` is at least 50"."""
    if condition.operator is Operator.FILLED:
        words = FILLED_WORDS if condition.values[0] else EMPTY_WORDS
    else:
        words = dict(CONDITION_WORDS)[condition.operator]
    values = list_text((scalar_text(value, lang) for value in condition.values), lang, last=OR)
    return words.in_language(lang).format(attribute=condition.attribute, values=values)


def _thresholds(policy: Policy, lang: str) -> Iterator[str]:
    rows = (
        (
            stage_name(one.stage, lang),
            _who(policy, one.persona, lang),
            exact_percent(one.enter, lang),
            exact_percent(one.exit, lang),
        )
        for one in policy.thresholds
    )
    yield _table(THRESHOLDS_HEAD.in_language(lang), rows)
    dwell, valid = _after_days(policy.least_dwell_days, lang), days_text(policy.score_valid_days, lang)
    yield DWELL.in_language(lang).format(dwell=dwell, valid=valid)


def _after_days(days: int, lang: str) -> str:
    """Return a number of days as it stands after "nach" and "vor"."""
    if lang == GERMAN:
        return f"{days} {'Tag' if days == 1 else 'Tagen'}"
    return days_text(days, lang)


def _overrides(policy: Policy, lang: str) -> Iterator[str]:
    yield _bullets_or_nothing(
        (
            OVERRIDE.in_language(lang).format(
                action=one.label.in_language(lang),
                kind=one.activity_kind,
                days=_after_days(one.within_days, lang),
                stage=stage_name(one.stage, lang),
            )
            for one in policy.overrides
        ),
        lang,
    )


def _disqualifiers(policy: Policy, lang: str) -> Iterator[str]:
    lines = []
    for one in policy.disqualifiers:
        conditions = list_text((condition_text(condition, lang) for condition in one.conditions), lang)
        lines.append(f"{one.label.in_language(lang)}: {conditions}")
    yield _bullets_or_nothing(lines, lang)


def _responses(policy: Policy, lang: str) -> Iterator[str]:
    yield _bullets_or_nothing(
        (
            RESPONSE.in_language(lang).format(
                stage=stage_name(one.stage, lang),
                who=_who(policy, one.persona, lang),
                side=_owner_name(one.stage, lang),
                within=working_time_text(one.within, lang),
            )
            for one in policy.responses
        ),
        lang,
    )


def _owner_name(stage: Stage, lang: str) -> str:
    owner = owner_of(stage)
    return "" if owner is None else side_name(owner, lang)


def _attempts(policy: Policy, lang: str) -> Iterator[str]:
    rule = policy.attempts
    hours = {True: Text(en="hour", de="Stunde"), False: Text(en="hours", de="Stunden")}[
        rule.spacing_hours == 1
    ]
    yield ATTEMPT.in_language(lang).format(
        least=rule.least,
        most=rule.most,
        hours=f"{rule.spacing_hours} {hours.in_language(lang)}",
        channels=", ".join(rule.channels),
    )


def _hours(policy: Policy, lang: str) -> Iterator[str]:
    yield HOURS_NOTE.in_language(lang).format(zone=policy.hours.zone)
    yield _bullets(_weekday_lines(policy.hours, lang))
    if policy.hours.holidays:
        days = "; ".join(date_text(day, lang) for day in sorted(policy.hours.holidays))
        yield HOLIDAYS.in_language(lang).format(days=days)


def _weekday_lines(hours: OpeningHours, lang: str) -> Iterator[str]:
    for name, openings in zip(WEEKDAY_NAMES, hours.weekdays, strict=True):
        times = ", ".join(opening.text.replace("-", "–") for opening in openings)
        yield f"{name.in_language(lang)}: {times or CLOSED.in_language(lang)}"


def _content(policy: Policy, lang: str) -> Iterator[str]:
    rows = tuple(
        (stage_name(one.stage, lang), _who(policy, one.persona, lang), _title(one.title, one.url))
        for one in policy.content
    )
    yield _table(CONTENT_HEAD.in_language(lang), rows) if rows else NOTHING.in_language(lang)


def _title(title: str, url: str | None) -> str:
    return title if url is None else f"[{title}]({url})"


def _signatures(policy: Policy, lang: str) -> Iterator[str]:
    """Leave a line for each side, with the version it signs."""
    for side in Side:
        yield SIGNATURE.in_language(lang).format(side=side_name(side, lang), version=policy.version)


def _who(policy: Policy, persona: str | None, lang: str) -> str:
    named = next((one for one in policy.personas if one.name == persona), None)
    if persona is None:
        return EVERYONE.in_language(lang)
    return persona if named is None else named.label.in_language(lang)


def _bullets_or_nothing(lines: Iterable[str], lang: str) -> str:
    return _bullets(lines) or NOTHING.in_language(lang)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {_line(line)}" for line in lines)


def _table(head: str, rows: Iterable[tuple[str, ...]]) -> str:
    rule = "|" + " --- |" * (head.count("|") - 1)
    body = ("| " + " | ".join(_line(cell).replace("|", "\\|") for cell in row) + " |" for row in rows)
    return "\n".join([head, rule, *body])


def _line(text: str) -> str:
    """Keep a text on one line, so that no name can break the document."""
    return " ".join(text.split())


_SECTIONS: tuple[tuple[Text, Callable[[Policy, str], Iterator[str]]], ...] = (
    (PERSONAS, _personas),
    (THRESHOLDS, _thresholds),
    (OVERRIDES, _overrides),
    (DISQUALIFIERS, _disqualifiers),
    (RESPONSES, _responses),
    (ATTEMPTS, _attempts),
    (HOURS, _hours),
    (CONTENT, _content),
    (SIGNATURES, _signatures),
)
