"""Read why leads ended without a win in a period: coded, counted, held against the one before, answered."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from features.history.store import History
from features.words.reasons import Language
from serving.db.session import read_transaction
from serving.db.tables_feedback import MissedAnswerRow
from serving.ends import END_KINDS, StoredEnd, count_ends_after, ends_between
from serving.feedback_questions import (
    GROUP,
    AnswerView,
    OpenQuestion,
    answer_view,
    last_answer,
    open_question,
)
from serving.periods import ReportPeriod
from serving.reasons import agreed_now
from serving.report_views import (
    MOST_ROWS,
    CountView,
    LeadPage,
    LeadsAsked,
    Numbers,
    PeriodView,
    by_cell,
    cell_key,
    period_view,
)
from serving.touches import UNTOUCHED, LeadTouches, touches_of
from sla.clauses_feedback import UNMAPPED, FeedbackRule
from sla.feedback import (
    Dimension,
    Ended,
    code_end,
    groups_in_order,
    names_of,
    overdue_id,
    tally,
)
from sla.words_feedback import end_name, group_name, reason_name, status_text

NOTHING_AGREED = FeedbackRule()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionView:
    """What a group has to answer: `raised_at` is when it was raised as missed."""

    question_id: str
    opened_at: datetime
    due_at: datetime | None
    status: str
    text: str
    ends: int
    raised_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """One group: who answers for it, how many ends it has, what is open and what was answered last."""

    group: str
    label: str
    side: str
    owner: str
    counted: CountView
    question: QuestionView | None
    answer: AnswerView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonView:
    """One reason; `code` is "unmapped" for texts no code stands for."""

    code: str
    label: str
    group: str
    bad_data: bool
    counted: CountView


@dataclass(frozen=True, slots=True, kw_only=True)
class KindView:
    """One way to end: rejected, recycled, never reached, lost."""

    kind: str
    label: str
    counted: CountView


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """Ends of one group under one name of a dimension; an empty name: nobody knows, or no content."""

    dimension: str
    name: str
    group: str
    label: str
    counted: CountView


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmappedText:
    """A text no code stands for, and how often it came in the period."""

    text: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LossReport:
    """The whole report; the order of the fields is the order in JSON."""

    period: PeriodView
    before: PeriodView
    total: CountView
    unmapped: CountView
    bad_data: CountView
    kinds: tuple[KindView, ...]
    groups: tuple[GroupView, ...]
    reasons: tuple[ReasonView, ...]
    rows: tuple[RowView, ...]
    rows_left_out: int
    unmapped_texts: tuple[UnmappedText, ...]
    leads: LeadPage | None


def read_losses(
    database: Engine,
    history: History,
    period: ReportPeriod,
    asked: LeadsAsked,
    *,
    now: datetime,
    lang: Language,
) -> LossReport:
    """Count the ends of a period by reason and group, persona, source and content.

    Codes that were recorded stay; a text that had none is mapped by the agreement in force now.
    """
    with read_transaction(database) as session:
        rule = agreed_now(session, now=now).rule
        ends = [ends_between(session, one.since, one.until) for one in (period, period.before)]
        texts = _unmapped_texts(rule, ends[0])
        known = touches_of(
            session, history, (one.lead_id for some in ends for one in some), rule or NOTHING_AGREED
        )
        pair = _Pair(*(tuple(_ended(one, rule, known) for one in some) for some in ends))
        numbers = Numbers()
        rows, left_out = _rows(pair, numbers, lang)
        return LossReport(
            period=period_view(period),
            before=period_view(period.before),
            total=pair.count(numbers, "all", type, Ended),
            unmapped=pair.count(numbers, "unmapped", lambda one: one.coded.code, None),
            bad_data=pair.count(numbers, "bad_data", lambda one: one.coded.is_bad_data, value=True),
            kinds=tuple(_kinds(pair, numbers, lang)),
            groups=tuple(_groups(session, rule, pair, numbers, now=now, lang=lang)),
            reasons=tuple(_reasons(rule, pair, numbers, lang)),
            rows=rows,
            rows_left_out=left_out,
            unmapped_texts=texts,
            leads=numbers.page(asked),
        )


@dataclass(frozen=True, slots=True)
class _Pair:
    """The ends of a period and of the one before."""

    now: tuple[Ended, ...]
    before: tuple[Ended, ...]

    def count(self, numbers: Numbers, key: str, trait: Callable[[Ended], object], value: object) -> CountView:
        """Count the ends of both periods whose trait has this value."""
        now, before = ((one for one in ends if trait(one) == value) for ends in (self.now, self.before))
        return numbers.view(key, tally(now, before))


def _ended(end: StoredEnd, rule: FeedbackRule | None, known: Mapping[str, LeadTouches]) -> Ended:
    look_back = timedelta(days=(rule or NOTHING_AGREED).look_back_days)
    lead = known.get(end.lead_id, UNTOUCHED)
    return Ended(
        end_id=end.end_id,
        lead_id=end.lead_id,
        kind=end.kind,
        at=end.at,
        coded=code_end(rule, group=end.group, code=end.code, text=end.text),
        persona=end.persona,
        source=lead.source,
        content=tuple(one.asset for one in lead.content_before(end.at, look_back)),
    )


def _unmapped_texts(rule: FeedbackRule | None, ends: Sequence[StoredEnd]) -> tuple[UnmappedText, ...]:
    """Return the texts no code stands for, the most frequent first: what the next agreement may map."""
    found: dict[str, int] = {}
    for one in ends:
        if code_end(rule, group=one.group, code=one.code, text=one.text).code is None and one.text:
            found[one.text] = found.get(one.text, 0) + 1
    ordered = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(UnmappedText(text=text, count=count) for text, count in ordered[:MOST_ROWS])


def _kinds(pair: _Pair, numbers: Numbers, lang: Language) -> Iterator[KindView]:
    for kind in END_KINDS:
        counted = pair.count(numbers, f"kind:{kind}", lambda one: one.kind, kind)
        yield KindView(kind=kind, label=end_name(kind, lang), counted=counted)


def _groups(
    session: Session,
    rule: FeedbackRule | None,
    pair: _Pair,
    numbers: Numbers,
    *,
    now: datetime,
    lang: Language,
) -> Iterator[GroupView]:
    for group in groups_in_order():
        owner = None if rule is None else rule.group(group)
        question = open_question(session, group, now=now) if group else None
        answer = last_answer(session, group) if group else None
        yield GroupView(
            group=group,
            label=group_name(group, lang),
            side="" if owner is None else owner.side.value,
            owner="" if owner is None else owner.person,
            counted=pair.count(numbers, f"group:{group}", lambda one: one.coded.group or "", group),
            question=None if question is None else _question(session, question, lang),
            answer=None if answer is None else answer_view(answer),
        )


def _question(session: Session, question: OpenQuestion, lang: Language) -> QuestionView:
    last = last_answer(session, question.group)
    missed = session.get(MissedAnswerRow, overdue_id(GROUP, question.question_id))
    ends = count_ends_after(session, question.group, None if last is None else last.answered_at)
    return QuestionView(
        question_id=question.question_id,
        opened_at=question.opened_at,
        due_at=question.verdict.due_at,
        status=question.verdict.status.value,
        text=status_text(question.verdict.status, lang),
        ends=ends,
        raised_at=None if missed is None else missed.raised_at,
    )


def _reasons(
    rule: FeedbackRule | None, pair: _Pair, numbers: Numbers, lang: Language
) -> Iterator[ReasonView]:
    """Yield every reason that is agreed or was recorded, by group, then by code."""
    agreed = {(one.group.value, one.code) for one in (() if rule is None else rule.reasons)}
    recorded = {_reason_of(one) for one in (*pair.now, *pair.before)}
    order = groups_in_order().index
    for group, code in sorted(agreed | recorded, key=lambda one: (order(one[0]), one[1])):
        reason = None if rule is None else rule.reason(code)
        counted = pair.count(numbers, f"reason:{group}:{code}", _reason_of, (group, code))
        yield ReasonView(
            code=code,
            label=reason_name(rule, code, lang),
            group=group,
            bad_data=reason is not None and reason.bad_data,
            counted=counted,
        )


def _reason_of(end: Ended) -> tuple[str, str]:
    return end.coded.group or "", end.coded.code or UNMAPPED


def _rows(pair: _Pair, numbers: Numbers, lang: Language) -> tuple[tuple[RowView, ...], int]:
    """Return the rows per persona, source and content, and how many were left out for their small numbers."""
    shown: list[RowView] = []
    left_out = 0
    for dimension in Dimension:
        cells = by_cell(_cells(pair.now, dimension), _cells(pair.before, dimension))
        ordered = sorted(cells, key=lambda cell: (-len(cells[cell][0]), -len(cells[cell][1]), cell))
        left_out += max(0, len(ordered) - MOST_ROWS)
        shown += [_row(dimension, cell, cells[cell], numbers, lang) for cell in ordered[:MOST_ROWS]]
    return tuple(shown), left_out


def _cells(ends: Iterable[Ended], dimension: Dimension) -> Iterator[tuple[tuple[str, str], Ended]]:
    """Yield each end under its (name, group)."""
    for one in ends:
        for name in names_of(one, dimension):
            yield (name, one.coded.group or ""), one


def _row(
    dimension: Dimension,
    cell: tuple[str, str],
    ends: tuple[Iterable[Ended], Iterable[Ended]],
    numbers: Numbers,
    lang: Language,
) -> RowView:
    name, group = cell
    counted = numbers.view(cell_key(dimension, group, name), tally(*ends))
    return RowView(
        dimension=dimension.value, name=name, group=group, label=group_name(group, lang), counted=counted
    )
