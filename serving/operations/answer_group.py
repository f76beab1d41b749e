"""Answer for a group of reasons: who says when what is being done about it."""

from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from serving.db.audited import audited_transaction
from serving.db.tables_feedback import FeedbackAnswerRow
from serving.errors import ActProblem, AlreadyAnsweredError
from serving.feedback_questions import (
    AnswerView,
    OpenQuestion,
    answer_id,
    answer_view,
    last_answer,
    missed_group,
    open_question,
    store_missed,
)
from serving.reasons import agreed_now, refuse_not_agreed
from sla.feedback import AnswerStatus


def answer_group(database: Engine, group: str, answer: str, *, by: str, now: datetime) -> AnswerView:
    """Record the answer to the open question of a group; it covers everything recorded until now.

    The same words by the same person again change nothing. Raises `NotAgreedError` for a group nobody
    answers for in the agreement in force, `AlreadyAnsweredError` when nothing is open.
    """
    with audited_transaction(database, now=now) as work:
        question = open_question(work.session, group, now=now)
        if question is None:
            _refuse_unknown_group(work.session, group, now)
            return answer_view(_repeated(work.session, group, answer, by))
        row = _row(question, answer, by, now)
        work.session.add(row)
        if question.verdict.status is AnswerStatus.OVERDUE:
            store_missed(work.session, [missed_group(question, now=now)])
        after = {"due_at": row.due_at, "answered_at": now}
        work.note("feedback.answered", who=by, what=f"group {group}", after=after)
        return answer_view(row)


def _refuse_unknown_group(session: Session, group: str, now: datetime) -> None:
    rule = agreed_now(session, now=now).rule
    if rule is None or rule.group(group) is None:
        owned = ", ".join(one.group.value for one in (() if rule is None else rule.groups))
        words = f"must be a group of the agreement in force: {owned}"
        refuse_not_agreed([ActProblem(field="group", rule=words, value=group)])


def _repeated(session: Session, group: str, answer: str, by: str) -> FeedbackAnswerRow:
    last = last_answer(session, group)
    if last is None or (last.answer, last.by) != (answer, by):
        raise AlreadyAnsweredError(f"group {group} has no open question")
    return last


def _row(question: OpenQuestion, answer: str, by: str, now: datetime) -> FeedbackAnswerRow:
    return FeedbackAnswerRow(
        answer_id=answer_id(question),
        reason_group=question.group,
        question_id=question.question_id,
        opened_at=question.opened_at,
        due_at=question.verdict.due_at,
        answered_at=now,
        by=by,
        answer=answer,
        policy_version=question.end.policy,
    )
