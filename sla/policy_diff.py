"""What changes between two policies, in words: every promise as a fact with a name and a value, compared.

Decides from the rules and not from the texts: two files that promise the same have no difference, and a
promise that differs in any way has one. Words are rendered from the values in German and English alike.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sla.business_time import WEEKDAYS
from sla.clauses import Content
from sla.personas import Condition, Persona
from sla.policy import Policy
from sla.stages import Stage
from sla.texts import LANGUAGES, Text
from sla.words_numbers import (
    date_text,
    days_text,
    exact_percent,
    stage_name,
    working_time_text,
)
from sla.words_policy import CLOSED, EVERYONE, WEEKDAY_NAMES, condition_text, effective_text

Path = tuple[str, ...]


class ChangeKind(StrEnum):
    """What happened to a promise."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REORDERED = "reordered"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One promise that differs; `before` or `after` is None where it is not there."""

    kind: ChangeKind
    path: Path
    label: Text
    before: Text | None
    after: Text | None
    direction: int = 0

    def text(self, lang: str) -> str:
        """Return the change in one line: "SQL threshold for everyone: until now 30 %, then 35 % (higher)"."""
        words = dict(CHANGE_WORDS)[self.kind].in_language(lang)
        before = "" if self.before is None else self.before.in_language(lang)
        after = "" if self.after is None else self.after.in_language(lang)
        line = words.format(label=self.label.in_language(lang), before=before, after=after)
        if self.direction == 0:
            return line
        return f"{line} ({(HIGHER if self.direction > 0 else LOWER).in_language(lang)})"


CHANGE_WORDS: tuple[tuple[ChangeKind, Text], ...] = (
    (ChangeKind.ADDED, Text(en="new: {label}: {after}", de="neu: {label}: {after}")),
    (ChangeKind.REMOVED, Text(en="no longer: {label}: {before}", de="entfällt: {label}: {before}")),
    (
        ChangeKind.CHANGED,
        Text(en="{label}: until now {before}, then {after}", de="{label}: bisher {before}, künftig {after}"),
    ),
    (
        ChangeKind.REORDERED,
        Text(en="{label}: now in the order {after}", de="{label}: jetzt in der Folge {after}"),
    ),
)
HIGHER, LOWER = Text(en="higher", de="höher"), Text(en="lower", de="niedriger")
SECTION_NAMES: tuple[tuple[str, Text], ...] = (
    ("personas", Text(en="Personas", de="Personas")),
    ("thresholds", Text(en="Thresholds", de="Schwellen")),
    ("overrides", Text(en="Overrides", de="Sofort-Regeln")),
    ("disqualifiers", Text(en="Disqualifiers", de="Ausschlüsse")),
    ("responses", Text(en="Response times", de="Antwortzeiten")),
    ("content", Text(en="Content", de="Inhalte")),
)


def compare_policies(before: Policy, after: Policy) -> tuple[Change, ...]:
    """Return what changes from one policy to the other, in the order of the agreement.

    A version number is a name and no promise.
    """
    return (*_changes(before, after), *_reordered(before, after))


def _changes(before: Policy, after: Policy) -> Iterator[Change]:
    old = {fact.path: fact for fact in policy_facts(before)}
    new = {fact.path: fact for fact in policy_facts(after)}
    for path in dict.fromkeys([*new, *old]):
        if path not in old:
            yield _only(ChangeKind.ADDED, new[path])
        elif path not in new:
            yield _only(ChangeKind.REMOVED, old[path])
        elif old[path].exact != new[path].exact:
            yield _changed(old[path], new[path])


def policy_facts(policy: Policy) -> Iterator[Fact]:
    """Yield every promise of a policy."""
    for section in _SECTIONS:
        yield from section(policy)


def _only(kind: ChangeKind, fact: Fact) -> Change:
    is_new = kind is ChangeKind.ADDED
    before, after = (None, fact.value) if is_new else (fact.value, None)
    return Change(kind=kind, path=fact.path, label=fact.label, before=before, after=after)


def _changed(old: Fact, new: Fact) -> Change:
    direction = 0
    if old.number is not None and new.number is not None:
        direction = (new.number > old.number) - (new.number < old.number)
    return Change(
        kind=ChangeKind.CHANGED,
        path=new.path,
        label=new.label,
        before=old.value,
        after=new.value,
        direction=direction,
    )


def _reordered(before: Policy, after: Policy) -> Iterator[Change]:
    """Yield the lists whose clauses are the same in another order: on a tie the first one counts."""
    for name, label in SECTION_NAMES:
        old, new = ([_clause_name(one) for one in getattr(policy, name)] for policy in (before, after))
        old, new = [one for one in old if one in new], [one for one in new if one in old]
        if old != new:
            yield Change(
                kind=ChangeKind.REORDERED, path=(name,), label=label, before=_list(old), after=_list(new)
            )


def _clause_name(clause: object) -> str:
    """Return what identifies a clause in its list."""
    parts = (getattr(clause, part, None) for part in ("name", "stage", "title", "persona"))
    return " ".join(str(part) for part in parts if part is not None)


def _list(names: list[str]) -> Text:
    return _both(lambda _lang: ", ".join(names))


def _head(policy: Policy) -> Iterator[Fact]:
    yield _fact(("policy", "name"), Text(en="Name", de="Name"), policy.name, lambda _lang: policy.name)
    valid = Text(en="Valid from", de="Gültig ab")
    path = ("policy", "valid_from")
    yield _fact(path, valid, policy.valid_from, lambda lang: effective_text(policy, lang))
    rest = Text(en="Least time in a stage", de="Mindestzeit in einer Stufe")
    yield _days(("policy", "least_dwell_days"), rest, policy.least_dwell_days)
    age = Text(en="Oldest score that counts", de="Ältester Score, der zählt")
    yield _days(("policy", "score_valid_days"), age, policy.score_valid_days)


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
    hours = policy.hours
    yield _fact(("hours", "zone"), Text(en="Time zone", de="Zeitzone"), hours.zone, lambda _lang: hours.zone)
    for name, label, openings in zip(WEEKDAYS, WEEKDAY_NAMES, hours.weekdays, strict=True):
        written = ", ".join(opening.text for opening in openings)
        value = Text(en=written, de=written) if written else CLOSED
        minutes = float(sum(opening.minutes for opening in openings))
        yield Fact(path=("hours", name), label=label, value=value, exact=openings, number=minutes)
    for day in sorted(hours.holidays):
        closed = Text(en="closed on", de="geschlossen am")
        value = Text(en=date_text(day, "en"), de=date_text(day, "de"))
        yield Fact(path=("hours", "holidays", day.isoformat()), label=closed, value=value, exact=day)


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
    value = _both(lambda lang: days_text(days, lang))
    return Fact(path=path, label=label, value=value, exact=days, number=float(days))


def _number(path: Path, label: Text, number: int) -> Fact:
    value = _both(lambda _lang: str(number))
    return Fact(path=path, label=label, value=value, exact=number, number=float(number))


def _percent(probability: float) -> Text:
    return _both(lambda lang: exact_percent(probability, lang))


def _exact(conditions: Iterable[Condition]) -> tuple[tuple[object, ...], ...]:
    """Return conditions so that only equal ones are equal: to Python true is 1, to an agreement it is not."""
    return tuple(
        (one.attribute, one.operator, *((isinstance(value, bool), value) for value in one.values))
        for one in conditions
    )


def _fact(path: Path, label: Text, exact: object, words: Callable[[str], str]) -> Fact:
    return Fact(path=path, label=label, value=_both(words), exact=exact)


def _both(words: Callable[[str], str]) -> Text:
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
    _content,
)
