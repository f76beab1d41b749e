"""The whole policy as a document a manager can read and sign, in German or English, as Markdown.

Decides the order of the document; every number, name and time in it is read from the policy.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from zoneinfo import ZoneInfo

from sla.business_time import Opening, OpeningHours
from sla.clauses_work import Overflow, RouteBy
from sla.personas import Condition, Operator, Persona
from sla.policy import Policy
from sla.public_holidays import PublicHolidays
from sla.stages import Side, Stage, owner_of
from sla.texts import GERMAN, Text
from sla.words_feedback import feedback_lines
from sla.words_goal import agreed_goal
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
from sla.words_pledges import capacity_lines, pledge_lines

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
EXPECTED = Text(
    en="Until deals tell more: {share} of them are expected to be won",
    de="Bis Abschlüsse mehr sagen: {share} davon werden voraussichtlich gewonnen",
)
EXPECTED_OF_ALL = Text(
    en="Until deals tell more, {share} of the leads without an expectation of their own "
    "are expected to be won.",
    de="Bis Abschlüsse mehr sagen, werden von den Leads ohne eigene Erwartung "
    "voraussichtlich {share} gewonnen.",
)
THRESHOLDS = Text(en="When a lead becomes MQL or SQL", de="Wann ein Lead MQL oder SQL wird")
THRESHOLDS_HEAD = Text(
    en="| Stage | For | Enters at a probability of at least | Leaves below |",
    de="| Stufe | Für | Aufstieg ab einer Wahrscheinlichkeit von | Abstieg unter |",
)
DWELL = Text(
    en="A lower score takes a lead down only after {dwell} in its stage{as_long}. "
    "A score more than {valid} old is not acted on.",
    de="Ein niedrigerer Score stuft einen Lead erst nach {dwell} in seiner Stufe herab{as_long}. "
    "Ein Score, der mehr als {valid} alt ist, zählt nicht mehr.",
)
RESTS_AS_LONG = Text(en="; a recycled lead rests as long", de="; ein zurückgestellter Lead ruht ebenso lange")
MOST_MOVED = Text(
    en="A new model may put at most {share} of the newest leads into another stage; else both look first.",
    de="Ein neues Modell darf höchstens {share} der neuesten Leads in eine andere Stufe bringen; sonst sehen "
    "es sich erst beide an.",
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
HOURS_OF = Text(en="{side} works at other times ({zone}):", de="{side} arbeitet zu anderen Zeiten ({zone}):")
HOLIDAYS = Text(en="Closed on: {days}", de="Geschlossen am: {days}")
PUBLIC = Text(
    en="Closed on the public holidays of {place}: {days}",
    de="Geschlossen an den Feiertagen von {place}: {days}",
)
PUBLIC_LATER = Text(
    en="the dates are looked up when the policy is proposed",
    de="die Daten werden nachgeschlagen, wenn die Vereinbarung vorgeschlagen wird",
)
PUBLIC_YEARS = Text(en="{days} (all of {first} to {last})", de="{days} (alle von {first} bis {last})")
OPEN_DAYS = Text(en="Open by agreement on: {days}", de="Nach Vereinbarung geöffnet am: {days}")
CLOCKS = Text(en="When reminders and warnings come", de="Wann erinnert und gewarnt wird")
SYSTEM_WITHIN = Text(
    en="A seller has the lead within {limit} of the act that made it an SQL.",
    de="Der Vertrieb hat den Lead innerhalb von {limit}, gerechnet ab der Handlung, die ihn zum SQL machte.",
)
DUE_SOON = Text(
    en="The seller is reminded {limit} before the deadline.",
    de="Der Vertrieb wird vor Ablauf der Frist erinnert, mit einem Vorlauf von {limit}.",
)
ESCALATE = Text(
    en="{limit} after a missed deadline the lead is passed up.",
    de="Nach einer versäumten Frist wird der Lead nach oben gemeldet, nach weiteren {limit}.",
)
ROUTING = Text(en="Who gets a handover", de="Wer eine Übergabe bekommt")
ROUTE_WORDS: tuple[tuple[RouteBy, Text], ...] = (
    (RouteBy.ROUND_ROBIN, Text(en="In turn: {people}.", de="Reihum: {people}.")),
    (
        RouteBy.LOAD,
        Text(
            en="Whoever has the fewest open handovers: {people}.",
            de="Wer die wenigsten offenen Übergaben hat: {people}.",
        ),
    ),
    (
        RouteBy.PERSONA,
        Text(
            en="The persona's owner in sales; otherwise in turn: {people}.",
            de="Die für die Persona zuständige Person im Vertrieb, sonst reihum: {people}.",
        ),
    ),
)
MOST_OPEN = Text(
    en="Nobody has more than {most} open handovers.",
    de="Niemand hat mehr als {most} offene Übergaben.",
)
OVERFLOW_WORDS: tuple[tuple[Overflow, Text], ...] = (
    (
        Overflow.HOLD,
        Text(
            en="When nobody has room, the lead waits visibly in the queue.",
            de="Hat niemand Platz, wartet der Lead sichtbar in der Liste.",
        ),
    ),
    (
        Overflow.MQL,
        Text(
            en="When nobody has room, the lead stays with marketing as MQL.",
            de="Hat niemand Platz, bleibt der Lead als MQL beim Marketing.",
        ),
    ),
)
RECYCLING = Text(en="When a lead comes back", de="Wenn ein Lead zurückkommt")
COOL_OFF = Text(
    en="A recycled lead rests for {days} before a score lifts it again.",
    de="Ein zurückgestellter Lead ruht {days}, bevor ein Score ihn wieder aufsteigen lässt.",
)
FEEDBACK = Text(en="What we learn from ends", de="Was wir aus Abschlüssen lernen")
RESCORING = Text(en="When scores are made again", de="Wann Scores neu berechnet werden")
SCORED_AGAIN = Text(
    en="Open leads are scored again every {hours} h; a change of at most {points} is not passed on.",
    de="Offene Leads werden alle {hours} h neu bewertet; "
    "eine Änderung um höchstens {points} wird nicht weitergegeben.",
)
ONE_POINT, POINTS = Text(en="1 point", de="1 Punkt"), Text(en="{number} points", de="{number} Punkte")
CONTENT = Text(en="What we offer", de="Welche Inhalte wir anbieten")
CONTENT_HEAD = Text(en="| Stage | For | Content |", de="| Stufe | Für | Inhalt |")
PLEDGES = Text(en="What we promise each other", de="Was wir einander versprechen")
CAPACITY = Text(en="How much sales can do", de="Wie viel der Vertrieb schafft")
GOAL = Text(en="Our joint goal", de="Unser gemeinsames Ziel")
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
        said = tuple(render(policy, lang))
        if said:
            blocks += [f"## {title.in_language(lang)}", *said]
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
    if policy.expected_conversion is not None:
        yield EXPECTED_OF_ALL.in_language(lang).format(share=exact_percent(policy.expected_conversion, lang))
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
    if persona.expected_conversion is not None:
        yield EXPECTED.in_language(lang).format(share=exact_percent(persona.expected_conversion, lang))
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
    as_long = "" if policy.recycling else RESTS_AS_LONG.in_language(lang)
    yield DWELL.in_language(lang).format(dwell=dwell, valid=valid, as_long=as_long)
    if policy.most_moved is not None:
        yield MOST_MOVED.in_language(lang).format(share=exact_percent(policy.most_moved, lang))


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
    yield from _hours_lines(policy.hours, lang)
    for side, hours in ((Side.MARKETING, policy.hours_marketing), (Side.SALES, policy.hours_sales)):
        if hours is not None:
            yield HOURS_OF.in_language(lang).format(side=side_name(side, lang), zone=hours.zone)
            yield from _hours_lines(hours, lang)


def _hours_lines(hours: OpeningHours, lang: str) -> Iterator[str]:
    yield _bullets(_weekday_lines(hours, lang))
    if hours.holidays:
        yield HOLIDAYS.in_language(lang).format(days=_dates(hours.holidays, lang))
    if hours.public is not None:
        yield public_line(hours.public, lang)
    if hours.open_days:
        days = "; ".join(f"{date_text(one.date, lang)} ({_times(one.openings)})" for one in hours.open_days)
        yield OPEN_DAYS.in_language(lang).format(days=days)


def public_line(public: PublicHolidays, lang: str) -> str:
    """Return where the public holidays are from and, once they are looked up, each of them."""
    kinds = f" ({', '.join(public.holiday_kinds)})" if public.holiday_kinds else ""
    if public.holiday_years is None:
        days = PUBLIC_LATER.in_language(lang)
    else:
        first, last = public.holiday_years
        days = PUBLIC_YEARS.in_language(lang).format(days=_dates(public.dates, lang), first=first, last=last)
    return PUBLIC.in_language(lang).format(place=_line(f"{public.place}{kinds}"), days=days)


def _dates(days: Iterable[date], lang: str) -> str:
    return "; ".join(date_text(day, lang) for day in sorted(days)) or "–"


def _times(openings: tuple[Opening, ...]) -> str:
    return ", ".join(opening.text.replace("-", "–") for opening in openings)


def _clocks(policy: Policy, lang: str) -> Iterator[str]:
    lines = clock_lines(policy, lang)
    if lines:
        yield _bullets(lines)


def clock_lines(policy: Policy, lang: str) -> list[str]:
    """Return what is agreed about clocks, a sentence each."""
    limits = (
        (SYSTEM_WITHIN, getattr(policy.clocks, "system_within", None)),
        (DUE_SOON, getattr(policy.clocks, "due_soon", None)),
        (ESCALATE, getattr(policy.clocks, "escalate_after", None)),
    )
    return [
        words.in_language(lang).format(limit=working_time_text(limit, lang))
        for words, limit in limits
        if limit is not None
    ]


def _routing(policy: Policy, lang: str) -> Iterator[str]:
    lines = routing_lines(policy, lang)
    if lines:
        yield _bullets(lines)


def routing_lines(policy: Policy, lang: str) -> list[str]:
    """Return who gets a lead and what happens when everybody is full, a sentence each."""
    rule = policy.routing
    if rule is None:
        return []
    lines = [dict(ROUTE_WORDS)[rule.by].in_language(lang).format(people=", ".join(rule.people))]
    if rule.most_open is not None:
        lines.append(MOST_OPEN.in_language(lang).format(most=rule.most_open))
        lines.append(dict(OVERFLOW_WORDS)[rule.overflow].in_language(lang))
    return lines


def recycling_lines(policy: Policy, lang: str) -> list[str]:
    """Return how long a recycled lead rests."""
    if policy.recycling is None:
        return []
    return [COOL_OFF.in_language(lang).format(days=days_text(policy.cool_off_days, lang))]


def rescoring_lines(policy: Policy, lang: str) -> list[str]:
    """Return how often open leads are scored again, and which change counts."""
    rule = policy.rescoring
    if rule is None:
        return []
    words = ONE_POINT if rule.step_points == 1 else POINTS
    points = words.in_language(lang).format(number=rule.step_points)
    return [SCORED_AGAIN.in_language(lang).format(hours=rule.every_hours, points=points)]


def _weekday_lines(hours: OpeningHours, lang: str) -> Iterator[str]:
    for name, openings in zip(WEEKDAY_NAMES, hours.weekdays, strict=True):
        yield f"{name.in_language(lang)}: {_times(openings) or CLOSED.in_language(lang)}"


def _content(policy: Policy, lang: str) -> Iterator[str]:
    rows = tuple(
        (stage_name(one.stage, lang), _who(policy, one.persona, lang), _title(one.title, one.url))
        for one in policy.content
    )
    yield _table(CONTENT_HEAD.in_language(lang), rows) if rows else NOTHING.in_language(lang)


def _title(title: str, url: str | None) -> str:
    return title if url is None else f"[{title}]({url})"


def _feedback(policy: Policy, lang: str) -> Iterator[str]:
    lines = feedback_lines(policy.feedback, lang)
    if lines:
        yield _bullets(lines)


def _goal(policy: Policy, lang: str) -> Iterator[str]:
    if policy.goal is not None:
        yield _bullets(agreed_goal(policy.goal, lang))


def _pledges(policy: Policy, lang: str) -> Iterator[str]:
    lines = pledge_lines(policy, lang)
    if lines:
        yield _bullets(lines)


def _capacity(policy: Policy, lang: str) -> Iterator[str]:
    lines = capacity_lines(policy, lang)
    if lines:
        yield _bullets(lines)


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


_SECTIONS: tuple[tuple[Text, Callable[[Policy, str], Iterable[str]]], ...] = (
    (PERSONAS, _personas),
    (THRESHOLDS, _thresholds),
    (OVERRIDES, _overrides),
    (DISQUALIFIERS, _disqualifiers),
    (RESPONSES, _responses),
    (ATTEMPTS, _attempts),
    (CLOCKS, _clocks),
    (ROUTING, _routing),
    (RECYCLING, recycling_lines),
    (RESCORING, rescoring_lines),
    (HOURS, _hours),
    (FEEDBACK, _feedback),
    (CONTENT, _content),
    (PLEDGES, _pledges),
    (CAPACITY, _capacity),
    (GOAL, _goal),
    (SIGNATURES, _signatures),
)
