"""The words of closing feedback: groups, reasons, objections, answers; and what a policy agrees about them.

Decides nothing: every name and number is read from the rules.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from sla.clauses_feedback import UNMAPPED, FeedbackGroup, FeedbackRule, Reason
from sla.feedback import AnswerStatus, Verdict
from sla.handover import ReasonGroup
from sla.lifecycle import EventKind
from sla.stages import Side
from sla.texts import LANGUAGES, Text
from sla.words_numbers import days_text, side_name, working_time_text

GROUP_NAMES: tuple[tuple[ReasonGroup, Text], ...] = (
    (ReasonGroup.TARGETING, Text(en="Targeting", de="Zielgruppe")),
    (ReasonGroup.TIMING, Text(en="Timing", de="Zeitpunkt")),
    (ReasonGroup.DATA, Text(en="Data", de="Daten")),
    (ReasonGroup.OFFER, Text(en="Offer", de="Angebot")),
    (ReasonGroup.CONTENT, Text(en="Content", de="Inhalte")),
    (ReasonGroup.MODEL, Text(en="Score", de="Score")),
)
END_NAMES: tuple[tuple[EventKind, Text], ...] = (
    (EventKind.REJECTED, Text(en="rejected by sales", de="vom Vertrieb abgelehnt")),
    (EventKind.RECYCLED, Text(en="given back for later", de="für später zurückgegeben")),
    (EventKind.NO_CONTACT, Text(en="never reached", de="nie erreicht")),
    (EventKind.LOST, Text(en="deal lost", de="Abschluss verloren")),
)
UNMAPPED_NAME = Text(en="not mapped to a code", de="keinem Code zugeordnet")
STATUS_NAMES: tuple[tuple[AnswerStatus, Text], ...] = (
    (AnswerStatus.OPEN, Text(en="is to be answered", de="ist zu beantworten")),
    (AnswerStatus.OVERDUE, Text(en="should have been answered", de="ist überfällig")),
    (AnswerStatus.IN_TIME, Text(en="was answered in time", de="wurde rechtzeitig beantwortet")),
    (AnswerStatus.LATE, Text(en="was answered late", de="wurde zu spät beantwortet")),
    (AnswerStatus.UNTIMED, Text(en="has no time limit", de="hat keine Frist")),
)

VERDICT_NAMES: tuple[tuple[Verdict, Text], ...] = (
    (Verdict.SCORE_STANDS, Text(en="the score stands", de="der Score bleibt")),
    (Verdict.SCORE_WRONG, Text(en="the score was wrong", de="der Score war falsch")),
)

ANSWERS = Text(
    en="{group}: {person} ({side}) answers within {within}",
    de="{group}: {person} ({side}) antwortet innerhalb von {within}",
)
REASON = Text(en="{group}, `{code}`: {label}{matches}{bad}", de="{group}, `{code}`: {label}{matches}{bad}")
MATCHES = Text(en="; written as {texts}", de="; geschrieben als {texts}")
BAD_DATA = Text(en="; no lead, teaches nothing", de="; kein Lead, lehrt nichts")
OBJECTION = Text(en="Objection `{code}`: {label}", de="Einwand `{code}`: {label}")
LOOK_BACK = Text(
    en="What a lead touched within {days} before it was won or lost counts as content before it.",
    de="Was ein Lead vor Gewinn oder Verlust berührt hat, zählt als Inhalt davor, höchstens {days} zurück.",
)
SOURCE = Text(en="Where a lead came from: `{name}`.", de="Woher ein Lead kam: `{name}`.")
DISPUTE = Text(
    en="A disputed score is answered by {side} within {within}.",
    de="Ein beanstandeter Score wird von {side} beantwortet, innerhalb von {within}.",
)
GROUP_LABEL = Text(en="Answers for {name}", de="Antwortet für {name}")
REASON_LABEL = Text(en="Reason `{name}`", de="Grund `{name}`")
OBJECTION_LABEL = Text(en="Objection `{name}`", de="Einwand `{name}`")
LOOK_BACK_LABEL = Text(en="Content before an end", de="Inhalte vor einem Ende")
SOURCE_LABEL = Text(en="Where leads come from", de="Woher Leads kommen")
DISPUTE_LABEL = Text(en="Disputed scores", de="Beanstandete Scores")

Part = tuple[tuple[str, ...], Text, Text, object, float | None]
"""One promise: its path, its name, its value in words, what it is compared by, the number behind it."""


def group_name(group: ReasonGroup | str | None, lang: str) -> str:
    """Return the name of a group; of none, that nothing was mapped."""
    known = {one.value: name for one, name in GROUP_NAMES}
    return known.get(str(group), UNMAPPED_NAME).in_language(lang)


def end_name(kind: str, lang: str) -> str:
    """Return how a lead ended, in words."""
    return dict(END_NAMES)[EventKind(kind)].in_language(lang)


def reason_name(rule: FeedbackRule | None, code: str, lang: str) -> str:
    """Return a reason in words; a code the agreement no longer lists is its own name."""
    reason = None if rule is None else rule.reason(code)
    if code == UNMAPPED:
        return UNMAPPED_NAME.in_language(lang)
    return code if reason is None else reason.label.in_language(lang)


def objection_name(rule: FeedbackRule | None, code: str, lang: str) -> str:
    """Return an objection in words; a code the agreement no longer lists is its own name."""
    objection = None if rule is None else rule.objection(code)
    return code if objection is None else objection.label.in_language(lang)


def verdict_text(verdict: str | None, lang: str) -> str:
    """Return what a disputed score turned out to be; nothing while nobody has said."""
    return "" if verdict is None else dict(VERDICT_NAMES)[Verdict(verdict)].in_language(lang)


def status_text(status: AnswerStatus, lang: str) -> str:
    """Return how a question stands: "was answered late"."""
    return dict(STATUS_NAMES)[status].in_language(lang)


def feedback_lines(rule: FeedbackRule | None, lang: str) -> list[str]:
    """Return what is agreed, a sentence or a reason each; nothing where nothing is."""
    if rule is None:
        return []
    lines = [_answers(one, lang) for one in rule.groups]
    lines += [_reason(one, lang) for one in rule.reasons]
    for one in rule.objections:
        words = OBJECTION.in_language(lang)
        lines.append(words.format(code=one.code, label=one.label.in_language(lang)))
    return [*lines, *_sentences(rule, lang)]


def feedback_parts(rule: FeedbackRule) -> Iterator[Part]:
    """Yield each promise about closing feedback by itself, so that two policies can be held together."""
    for one in rule.groups:
        name = Text(en=group_name(one.group, "en"), de=group_name(one.group, "de"))
        exact = (one.side, one.person, one.within)
        value = _both([_answers(one, lang) for lang in LANGUAGES])
        yield _part(("groups", one.group.value), _named(GROUP_LABEL, name), value, exact, one.within)
    for reason in rule.reasons:
        value = _both([_reason(reason, lang) for lang in LANGUAGES])
        label = _named(REASON_LABEL, Text(en=reason.code, de=reason.code))
        yield _part(("reasons", reason.code), label, value, reason)
    for objection in rule.objections:
        label = _named(OBJECTION_LABEL, Text(en=objection.code, de=objection.code))
        yield _part(("objections", objection.code), label, objection.label, objection)
    yield from _head_parts(rule)


def _head_parts(rule: FeedbackRule) -> Iterator[Part]:
    days = _both([days_text(rule.look_back_days, lang) for lang in LANGUAGES])
    yield _part(("look_back_days",), LOOK_BACK_LABEL, days, rule.look_back_days, rule.look_back_days)
    if rule.source_attribute is not None:
        name = Text(en=rule.source_attribute, de=rule.source_attribute)
        yield _part(("source_attribute",), SOURCE_LABEL, name, rule.source_attribute)
    side, within = rule.dispute_side, rule.dispute_within
    words = [side_name(side, lang) if within is None else _dispute(side, within, lang) for lang in LANGUAGES]
    yield _part(("dispute",), DISPUTE_LABEL, _both(words), (side, within), within)


def _sentences(rule: FeedbackRule, lang: str) -> Iterator[str]:
    yield LOOK_BACK.in_language(lang).format(days=days_text(rule.look_back_days, lang))
    if rule.source_attribute is not None:
        yield SOURCE.in_language(lang).format(name=rule.source_attribute)
    if rule.dispute_within is not None:
        yield _dispute(rule.dispute_side, rule.dispute_within, lang)


def _dispute(side: Side, within: timedelta, lang: str) -> str:
    limit = working_time_text(within, lang)
    return DISPUTE.in_language(lang).format(side=side_name(side, lang), within=limit)


def _answers(one: FeedbackGroup, lang: str) -> str:
    return ANSWERS.in_language(lang).format(
        group=group_name(one.group, lang),
        person=one.person,
        side=side_name(one.side, lang),
        within=working_time_text(one.within, lang),
    )


def _reason(one: Reason, lang: str) -> str:
    texts = ", ".join(one.matches)
    return REASON.in_language(lang).format(
        group=group_name(one.group, lang),
        code=one.code,
        label=one.label.in_language(lang),
        matches=MATCHES.in_language(lang).format(texts=texts) if texts else "",
        bad=BAD_DATA.in_language(lang) if one.bad_data else "",
    )


def _part(
    path: tuple[str, ...], label: Text, value: Text, exact: object, number: object | None = None
) -> Part:
    counted = number if isinstance(number, int) else getattr(number, "total_seconds", lambda: None)()
    return ("feedback", *path), label, value, exact, None if counted is None else float(counted)


def _named(label: Text, name: Text) -> Text:
    return Text(en=label.en.format(name=name.en), de=label.de.format(name=name.de))


def _both(words: Iterable[str]) -> Text:
    english, german = words
    return Text(en=english, de=german)
