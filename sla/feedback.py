"""Closing feedback: which reason an end has, what is to be answered by when, and what has changed.

Decides how a free text becomes a code, when a group of reasons has an open question, how long its owner has,
and how counts of two periods are held against each other. The first reason that comes after the last answer
opens a question; an answer covers everything that was known when it was given.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sla.business_time import OpeningHours, add_business_time
from sla.clauses_feedback import FeedbackRule, Reason, plain
from sla.handover import ReasonGroup


class AnswerStatus(StrEnum):
    """How a question stands."""

    OPEN = "open"
    OVERDUE = "overdue"
    IN_TIME = "in_time"
    LATE = "late"
    UNTIMED = "untimed"


class Verdict(StrEnum):
    """What a disputed score turns out to be."""

    SCORE_STANDS = "score_stands"
    SCORE_WRONG = "score_wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """What an end counts as: its group and its code; None where nothing is known."""

    group: str | None = None
    code: str | None = None
    is_bad_data: bool = False


NOT_CODED = Coded()


def code_end(rule: FeedbackRule | None, *, group: str | None, code: str | None, text: str | None) -> Coded:
    """Return what an end counts as.

    A code says it all, and its group is the agreement's. Without one the text is looked up
    (`reason_of_text`), within the group where one is given. What has neither keeps the group it came with.
    """
    if rule is None:
        return Coded(group=group, code=code)
    reason = rule.reason(code)
    if reason is None and code is None and text:
        reason = reason_of_text(rule, text, group=group)
    if reason is None:
        return Coded(group=group, code=code)
    return Coded(group=reason.group.value, code=reason.code, is_bad_data=reason.bad_data)


def reason_of_text(rule: FeedbackRule, text: str, *, group: str | None = None) -> Reason | None:
    """Return the reason a free text means, or None.

    It means a reason when it is its code, its words in one language or one of its `matches`; else the reason
    whose match occurs in it as whole words, the longest first. Case, signs and blanks do not count.
    """
    written = plain(text)
    reasons = [one for one in rule.reasons if group in (None, one.group.value)]
    for one in reasons:
        if written in (plain(word) for word in (one.code, one.de, one.en, *one.matches)):
            return one
    found = [
        (len(match), one) for one in reasons for match in map(plain, one.matches) if _holds(written, match)
    ]
    return max(found, key=lambda pair: pair[0], default=(0, None))[1]


def _holds(written: str, match: str) -> bool:
    return f" {match} " in f" {written} "


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something somebody has to answer: since when, within how much open time, and when it was answered.

    `within` None: nothing is promised.
    """

    opened_at: datetime
    within: timedelta | None
    hours: OpeningHours
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerVerdict:
    """How a question stands; `due_at` is None where nothing is promised."""

    status: AnswerStatus
    due_at: datetime | None


def judge_question(question: Question, *, now: datetime) -> AnswerVerdict:
    """Return how a question stands at `now`; answering on the deadline is in time."""
    if question.within is None:
        return AnswerVerdict(status=AnswerStatus.UNTIMED, due_at=None)
    due_at = add_business_time(question.opened_at, question.within, question.hours)
    seen = question.answered_at or now
    if question.answered_at is None:
        status = AnswerStatus.OVERDUE if seen > due_at else AnswerStatus.OPEN
    else:
        status = AnswerStatus.LATE if seen > due_at else AnswerStatus.IN_TIME
    return AnswerVerdict(status=status, due_at=due_at)


def overdue_id(kind: str, subject_id: str) -> str:
    """Return the identity of a missed answer: who computes it again computes the same."""
    digest = hashlib.sha256()
    for part in (kind, subject_id, AnswerStatus.OVERDUE.value):
        digest.update(len(part.encode()).to_bytes(8, "big") + part.encode())
    return digest.hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """One end of a lead as it is counted: when, what it counts as, and what it is counted by."""

    end_id: str
    lead_id: str
    kind: str
    at: datetime
    coded: Coded
    persona: str | None = None
    source: str | None = None
    content: tuple[str, ...] = ()


class Dimension(StrEnum):
    """By what ends are counted beside their group."""

    PERSONA = "persona"
    SOURCE = "source"
    CONTENT = "content"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many ends of one kind there are in two periods, with the leads of the later one, by id."""

    count: int
    before: int
    lead_ids: tuple[str, ...]

    @property
    def change(self) -> int:
        """How many more there are than in the period before."""
        return self.count - self.before


def tally(ends: Iterable[Ended], before: Iterable[Ended]) -> Tally:
    """Count ends and name their leads once each."""
    now = tuple(ends)
    leads = tuple(sorted({one.lead_id for one in now}))
    return Tally(count=len(now), before=sum(1 for _ in before), lead_ids=leads)


def names_of(end: Ended, dimension: Dimension) -> tuple[str, ...]:
    """Return under which names of a dimension an end is counted; "" is where nothing is known.

    An end is counted once under each content, so rows of contents overlap.
    """
    if dimension is Dimension.CONTENT:
        return tuple(dict.fromkeys(end.content)) or ("",)
    return ((end.persona if dimension is Dimension.PERSONA else end.source) or "",)


def groups_in_order() -> tuple[str, ...]:
    """Return the groups in their order, and "" for what has none."""
    return (*(group.value for group in ReasonGroup), "")
