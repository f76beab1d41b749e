"""Every promise of a policy as a fact: where it stands, what it is called, and its value in words.

Decides what counts as one promise. What differs between two policies is `policy_diff.py`'s.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from sla.business_time import WEEKDAYS, OpeningHours
from sla.clauses import Content
from sla.personas import Condition, Persona
from sla.policy import Policy
from sla.stages import Side, Stage
from sla.texts import LANGUAGES, Text
from sla.words_feedback import feedback_parts
from sla.words_goal import agreed_goal
from sla.words_numbers import (
    date_text,
    days_text,
    exact_percent,
    number_text,
    side_name,
    stage_name,
    working_time_text,
)
from sla.words_pledges import (
    CAPACITY_LABELS,
    COUNT_LABELS,
    PLEDGED_PER,
    PLEDGED_STAGE,
    SHARE_LABELS,
    period_name,
)
from sla.words_policy import (
    CLOSED,
    EVERYONE,
    WEEKDAY_NAMES,
    clock_lines,
    condition_text,
    effective_text,
    public_line,
    recycling_lines,
    rescoring_lines,
    routing_lines,
)

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One promise: its place, its name and its value in words, and the number behind it where there is one.

    `exact` tells values apart that read alike: the text "50" and the number.
    """

    path: Path
    label: Text
    value: Text
    exact: object
    number: float | None = None


def policy_facts(policy: Policy) -> Iterator[Fact]:
    """Yield every promise of a policy."""
    for section in _SECTIONS:
        yield from section(policy)


def _head(policy: Policy) -> Iterator[Fact]:
    yield _fact(("policy", "name"), Text(en="Name", de="Name"), policy.name, lambda _lang: policy.name)
    valid = Text(en="Valid from", de="Gültig ab")
    path = ("policy", "valid_from")
    yield _fact(path, valid, policy.valid_from, lambda lang: effective_text(policy, lang))
    rest = Text(en="Least time in a stage", de="Mindestzeit in einer Stufe")
    yield _days(("policy", "least_dwell_days"), rest, policy.least_dwell_days)
    age = Text(en="Oldest score that counts", de="Ältester Score, der zählt")
    yield _days(("policy", "score_valid_days"), age, policy.score_valid_days)
    shares = (
        ("expected_conversion", Text(en="Expected to be won", de="Erwartet gewonnen")),
        ("most_moved", Text(en="Leads a new model may move", de="Leads, die ein neues Modell bewegen darf")),
    )
    for name, label in shares:
        if getattr(policy, name) is not None:
            yield _share(("policy", name), label, getattr(policy, name))


def _thresholds(policy: Policy) -> Iterator[Fact]:
    ends = (
        ("enter", Text(en="{stage} threshold for {who}", de="{stage}-Schwelle für {who}")),
        ("exit", Text(en="{stage} exit for {who}", de="{stage}-Ausstieg für {who}")),
    )
    for one in policy.thresholds:
        for end, words in ends:
            number = float(getattr(one, end))
            path = ("thresholds", one.stage.value, one.persona or "", end)
            label = _named(words, policy, one.stage, one.persona)
            yield Fact(path=path, label=label, value=_percent(number), exact=number, number=number)


def _responses(policy: Policy) -> Iterator[Fact]:
    words = Text(en="{stage} answered, {who}", de="{stage} beantwortet, {who}")
    within = Text(en="within {time}", de="innerhalb von {time}")
    for one in policy.responses:
        yield Fact(
            path=("responses", one.stage.value, one.persona or ""),
            label=_named(words, policy, one.stage, one.persona),
            value=Text(
                en=within.en.format(time=working_time_text(one.within, "en")),
                de=within.de.format(time=working_time_text(one.within, "de")),
            ),
            exact=one.within,
            number=one.within.total_seconds(),
        )


def _attempts(policy: Policy) -> Iterator[Fact]:
    rule = policy.attempts
    labels = (
        ("least", Text(en="Fewest attempts", de="Wenigste Kontaktversuche")),
        ("most", Text(en="Most attempts", de="Meiste Kontaktversuche")),
        ("spacing_hours", Text(en="Hours between attempts", de="Stunden zwischen Versuchen")),
    )
    for name, label in labels:
        yield _number(("attempts", name), label, getattr(rule, name))
    channels = Text(en="Channels of attempts", de="Kanäle der Kontaktversuche")
    yield _fact(("attempts", "channels"), channels, rule.channels, lambda _lang: ", ".join(rule.channels))


def _personas(policy: Policy) -> Iterator[Fact]:
    for persona in policy.personas:
        yield from _persona(persona)


def _persona(persona: Persona) -> Iterator[Fact]:
    owners = (
        ("owner_marketing", Text(en="looked after in marketing by", de="im Marketing betreut von")),
        ("owner_sales", Text(en="looked after in sales by", de="im Vertrieb betreut von")),
    )
    start = ("personas", persona.name)
    called = Text(en="called", de="heißt")
    names = (persona.en, persona.de)
    yield _fact((*start, "label"), _of_persona(persona, called), names, lambda _lang: " / ".join(names))
    rules = Text(en="recognised by", de="erkennbar an")
    yield _fact(
        (*start, "rules"),
        _of_persona(persona, rules),
        _exact(persona.rules),
        lambda lang: _conditions(persona.rules, lang),
    )
    if persona.pains:
        pains = Text(en="what hurts", de="Herausforderungen")
        yield _fact(
            (*start, "pains"),
            _of_persona(persona, pains),
            persona.pains,
            lambda _lang: "; ".join(f"{pain.en} / {pain.de}" for pain in persona.pains),
        )
    for name, words in owners:
        owner: str = getattr(persona, name)
        value = Text(en=owner, de=owner)
        yield Fact(path=(*start, name), label=_of_persona(persona, words), value=value, exact=owner)

    if persona.expected_conversion is not None:
        won = _of_persona(persona, Text(en="expected to be won", de="erwartet gewonnen"))
        yield _share((*start, "expected_conversion"), won, persona.expected_conversion)


def _of_persona(persona: Persona, words: Text) -> Text:
    return Text(en=f"persona {persona.name}, {words.en}", de=f"Persona {persona.name}, {words.de}")


def _conditions(conditions: Iterable[Condition], lang: str) -> str:
    return "; ".join(condition_text(one, lang) for one in conditions)


def _overrides(policy: Policy) -> Iterator[Fact]:
    for one in policy.overrides:
        label = Text(en=f"at once by {one.name}", de=f"sofort durch {one.name}")
        value = Text(
            en=f"{one.en} / {one.de} (`{one.activity_kind}`), not more than "
            f"{days_text(one.within_days, 'en')} ago: {stage_name(one.stage, 'en')}",
            de=f"{one.de} / {one.en} (`{one.activity_kind}`), Alter höchstens "
            f"{days_text(one.within_days, 'de')}: {stage_name(one.stage, 'de')}",
        )
        yield Fact(path=("overrides", one.name), label=label, value=value, exact=one)


def _disqualifiers(policy: Policy) -> Iterator[Fact]:
    for one in policy.disqualifiers:
        label = Text(en=f"taken out by {one.name}", de=f"ausgeschlossen durch {one.name}")
        value = Text(
            en=f"{one.en} / {one.de}: {_conditions(one.conditions, 'en')}",
            de=f"{one.de} / {one.en}: {_conditions(one.conditions, 'de')}",
        )
        exact = (one.en, one.de, _exact(one.conditions))
        yield Fact(path=("disqualifiers", one.name), label=label, value=value, exact=exact)


def _hours(policy: Policy) -> Iterator[Fact]:
    yield from _hours_facts("hours", policy.hours, None)
    yield from _hours_facts("hours_marketing", policy.hours_marketing, Side.MARKETING)
    yield from _hours_facts("hours_sales", policy.hours_sales, Side.SALES)


def _hours_facts(section: str, hours: OpeningHours | None, side: Side | None) -> Iterator[Fact]:
    """Yield the hours of both sides, or of one side where they differ."""
    if hours is None:
        return
    zone = _of_side(Text(en="Time zone", de="Zeitzone"), side)
    yield _fact((section, "zone"), zone, hours.zone, lambda _lang: hours.zone)
    for name, label, openings in zip(WEEKDAYS, WEEKDAY_NAMES, hours.weekdays, strict=True):
        written = ", ".join(opening.text for opening in openings)
        value = Text(en=written, de=written) if written else CLOSED
        minutes = float(sum(opening.minutes for opening in openings))
        own = _of_side(label, side)
        yield Fact(path=(section, name), label=own, value=value, exact=openings, number=minutes)
    for day in sorted(hours.holidays):
        closed = _of_side(Text(en="closed on", de="geschlossen am"), side)
        value = Text(en=date_text(day, "en"), de=date_text(day, "de"))
        yield Fact(path=(section, "holidays", day.isoformat()), label=closed, value=value, exact=day)
    yield from _calendar(section, hours, side)


def _calendar(section: str, hours: OpeningHours, side: Side | None) -> Iterator[Fact]:
    """Yield the days open by agreement, and the public holidays."""
    opened = _of_side(Text(en="open all the same", de="trotzdem geöffnet"), side)
    for one in hours.open_days:
        times = ", ".join(opening.text for opening in one.openings)
        value = Text(en=f"{date_text(one.date, 'en')} ({times})", de=f"{date_text(one.date, 'de')} ({times})")
        yield Fact(path=(section, "open_days", one.date.isoformat()), label=opened, value=value, exact=one)
    public = hours.public
    if public is not None:
        label = _of_side(Text(en="Public holidays", de="Gesetzliche Feiertage"), side)
        yield _fact((section, "public"), label, public, lambda lang: public_line(public, lang))


def _of_side(words: Text, side: Side | None) -> Text:
    if side is None:
        return words
    return both(lambda lang: f"{side_name(side, lang)}, {words.in_language(lang)}")


def _work(policy: Policy) -> Iterator[Fact]:
    """Yield what is agreed about work on a lead, each part as the document says it."""
    parts = (
        ("clocks", Text(en="Clocks", de="Uhren"), policy.clocks, clock_lines),
        ("routing", Text(en="Who gets a lead", de="Wer einen Lead bekommt"), policy.routing, routing_lines),
        ("recycling", Text(en="Rest", de="Ruhezeit"), policy.recycling, recycling_lines),
        ("rescoring", Text(en="Scored again", de="Neu bewertet"), policy.rescoring, rescoring_lines),
    )
    for name, label, exact, lines in parts:
        if exact is not None:
            yield _fact((name,), label, exact, partial(_joined, lines, policy))


def _joined(lines: Callable[[Policy, str], list[str]], policy: Policy, lang: str) -> str:
    return "; ".join(lines(policy, lang)) or "–"


def _feedback(policy: Policy) -> Iterator[Fact]:
    for path, label, value, exact, number in feedback_parts(policy.feedback) if policy.feedback else ():
        yield Fact(path=path, label=label, value=value, exact=exact, number=number)


def _pledges(policy: Policy) -> Iterator[Fact]:
    """Yield what both sides promise per period, number by number."""
    pledges = policy.pledges
    if pledges is not None:
        path, period, stage = ("pledges",), pledges.period, pledges.marketing.stage
        yield _fact((*path, "period"), PLEDGED_PER, period, lambda lang: period_name(period, lang))
        yield _fact((*path, "stage"), PLEDGED_STAGE, stage, lambda lang: stage_name(stage, lang))
        for side, name, label in COUNT_LABELS:
            number = getattr(getattr(pledges, side), name)
            if number is not None:
                yield _number((*path, side, name), label, number)
        for side, name, label in SHARE_LABELS:
            yield _share((*path, side, name), label, getattr(getattr(pledges, side), name))
    if policy.capacity is not None:
        for name, label in CAPACITY_LABELS:
            yield _number(("capacity", name), label, getattr(policy.capacity, name))


def _goal(policy: Policy) -> Iterator[Fact]:
    goal = policy.goal
    if goal is not None:
        label = Text(en="Joint goal", de="Gemeinsames Ziel")
        yield _fact(("goal",), label, goal, lambda lang: "; ".join(agreed_goal(goal, lang)))


def _content(policy: Policy) -> Iterator[Fact]:
    words = Text(en="content for {stage}, {who}", de="Inhalt für {stage}, {who}")
    for one in policy.content:
        label = _named(words, policy, one.stage, one.persona)
        path = ("content", one.stage.value, one.persona or "", one.title)
        value = Text(en=_content_text(one), de=_content_text(one))
        yield Fact(path=path, label=label, value=value, exact=one.url)


def _content_text(content: Content) -> str:
    return content.title if content.url is None else f"{content.title} ({content.url})"


def _named(words: Text, policy: Policy, stage: Stage, persona: str | None) -> Text:
    """Name a clause by its stage and persona."""
    texts = {
        lang: words.in_language(lang).format(stage=stage_name(stage, lang), who=_who(policy, persona, lang))
        for lang in LANGUAGES
    }
    return Text(en=texts["en"], de=texts["de"])


def _who(policy: Policy, persona: str | None, lang: str) -> str:
    known = {one.name: one.label.in_language(lang) for one in policy.personas}
    return EVERYONE.in_language(lang) if persona is None else known.get(persona, persona)


def _days(path: Path, label: Text, days: int) -> Fact:
    value = both(lambda lang: days_text(days, lang))
    return Fact(path=path, label=label, value=value, exact=days, number=float(days))


def _number(path: Path, label: Text, number: float) -> Fact:
    value = both(lambda lang: number_text(number, lang))
    return Fact(path=path, label=label, value=value, exact=number, number=float(number))


def _share(path: Path, label: Text, share: float) -> Fact:
    return Fact(path=path, label=label, value=_percent(share), exact=share, number=share)


def _percent(probability: float) -> Text:
    return both(lambda lang: exact_percent(probability, lang))


def _exact(conditions: Iterable[Condition]) -> tuple[tuple[object, ...], ...]:
    """Return conditions so that only equal ones are equal: to Python true is 1, to an agreement it is not."""
    return tuple(
        (one.attribute, one.operator, *((isinstance(value, bool), value) for value in one.values))
        for one in conditions
    )


def _fact(path: Path, label: Text, exact: object, words: Callable[[str], str]) -> Fact:
    return Fact(path=path, label=label, value=both(words), exact=exact)


def both(words: Callable[[str], str]) -> Text:
    """Return a text made in each language."""
    return Text(en=words("en"), de=words("de"))


_SECTIONS: tuple[Callable[[Policy], Iterator[Fact]], ...] = (
    _head,
    _thresholds,
    _overrides,
    _disqualifiers,
    _responses,
    _attempts,
    _hours,
    _personas,
    _work,
    _feedback,
    _content,
    _pledges,
    _goal,
)
