"""Questions to the owners of groups of reasons, and to whoever answers disputes: open, missed, answered.

A question is computed from stored ends and answers each time; only answers, and what was missed, are rows.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.db.inserts import insert_new
from serving.db.tables_feedback import DisputeRow, FeedbackAnswerRow, MissedAnswerRow
from serving.ends import StoredEnd, first_end_after
from serving.handovers import policy_of
from sla.clauses_feedback import FeedbackGroup
from sla.feedback import AnswerStatus, AnswerVerdict, Question, judge_question, overdue_id
from sla.handover import ReasonGroup

GROUP, DISPUTE = "group", "dispute"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """A group's open question: the end that opened it, who was to answer, and how it stands."""

    group: str
    end: StoredEnd
    owner: FeedbackGroup | None
    opened_at: datetime
    verdict: AnswerVerdict

    @property
    def question_id(self) -> str:
        """The identity of the question: the end that opened it."""
        return self.end.end_id


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """What was answered for a group, by whom and when; `in_time` is null where nothing was promised."""

    answer_id: str
    answer: str
    by: str
    answered_at: datetime
    due_at: datetime | None
    in_time: bool | None


def last_answer(session: Session, group: str) -> FeedbackAnswerRow | None:
    """Return the newest answer for a group."""
    query = (
        select(FeedbackAnswerRow)
        .where(FeedbackAnswerRow.reason_group == group)
        .order_by(FeedbackAnswerRow.answered_at.desc(), FeedbackAnswerRow.answer_id)
        .limit(1)
    )
    return session.scalars(query).first()


def open_question(session: Session, group: str, *, now: datetime) -> OpenQuestion | None:
    """Return what a group has to answer, by the agreement under which it was asked; None: nothing."""
    last = last_answer(session, group)
    end = first_end_after(session, group, None if last is None else last.answered_at)
    if end is None or end.recorded_at is None:
        return None
    policy = None if end.policy is None else policy_of(session, end.policy)
    rule = None if policy is None else policy.feedback
    owner = None if rule is None else rule.group(group)
    verdict = AnswerVerdict(status=AnswerStatus.UNTIMED, due_at=None)
    if owner is not None and policy is not None:
        hours = policy.hours_of(owner.side)
        asked = Question(opened_at=end.recorded_at, within=owner.within, hours=hours)
        verdict = judge_question(asked, now=now)
    return OpenQuestion(group=group, end=end, owner=owner, opened_at=end.recorded_at, verdict=verdict)


def answer_id(question: OpenQuestion) -> str:
    """Return the identity of the answer to a question: there is one."""
    return hashlib.sha256(f"{question.group}\n{question.question_id}".encode()).hexdigest()[:32]


def answer_view(row: FeedbackAnswerRow) -> AnswerView:
    """Return an answer as it is shown."""
    return AnswerView(
        answer_id=row.answer_id,
        answer=row.answer,
        by=row.by,
        answered_at=row.answered_at,
        due_at=row.due_at,
        in_time=None if row.due_at is None else row.answered_at <= row.due_at,
    )


def overdue_questions(session: Session, *, now: datetime) -> Iterator[MissedAnswerRow]:
    """Yield what is overdue at `now` and was not raised yet, of groups and of disputes."""
    found = [*_overdue_groups(session, now), *_overdue_disputes(session, now)]
    ids = [one.event_id for one in found]
    known = set(session.scalars(select(MissedAnswerRow.event_id).where(MissedAnswerRow.event_id.in_(ids))))
    yield from (one for one in found if one.event_id not in known)


def store_missed(session: Session, missed: list[MissedAnswerRow]) -> None:
    """Store what was missed; what is there already stays as it is."""
    names = ("event_id", "kind", "subject_id", "at", "raised_at", "policy_version")
    rows = [{name: getattr(one, name) for name in names} for one in missed]
    insert_new(session, MissedAnswerRow, rows, "event_id")


def missed_group(question: OpenQuestion, *, now: datetime) -> MissedAnswerRow:
    """Return the row that says that a group's answer did not come in time."""
    return _missed(GROUP, question.question_id, question.verdict.due_at or now, now, question.end.policy)


def missed_dispute(row: DisputeRow, *, now: datetime) -> MissedAnswerRow:
    """Return the row that says that a dispute was not answered in time."""
    return _missed(DISPUTE, row.dispute_id, row.due_at or now, now, row.policy_version)


def _overdue_groups(session: Session, now: datetime) -> Iterator[MissedAnswerRow]:
    for group in ReasonGroup:
        question = open_question(session, group.value, now=now)
        if question is not None and question.verdict.status is AnswerStatus.OVERDUE:
            yield missed_group(question, now=now)


def _overdue_disputes(session: Session, now: datetime) -> Iterator[MissedAnswerRow]:
    query = select(DisputeRow).where(DisputeRow.answered_at.is_(None), DisputeRow.due_at < now)
    for row in session.scalars(query):
        yield missed_dispute(row, now=now)


def _missed(
    kind: str, subject_id: str, at: datetime, raised_at: datetime, policy: int | None
) -> MissedAnswerRow:
    return MissedAnswerRow(
        event_id=overdue_id(kind, subject_id),
        kind=kind,
        subject_id=subject_id,
        at=at,
        raised_at=raised_at,
        policy_version=policy,
    )
