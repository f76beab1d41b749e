"""Answer a disputed score: it stands, or it was wrong, and why."""

from datetime import datetime

from sqlalchemy import Engine

from features.words.reasons import Language
from serving.db.audited import audited_transaction
from serving.db.tables_feedback import DisputeRow
from serving.disputes import DisputeView, dispute_view, status_of
from serving.errors import AlreadyAnsweredError, UnknownDisputeError
from serving.feedback_questions import missed_dispute, store_missed
from serving.lead_marks import UNKEYED, LeadMarks
from sla.feedback import AnswerStatus, Verdict


def answer_dispute(
    database: Engine,
    dispute_id: str,
    verdict: Verdict,
    answer: str,
    *,
    by: str,
    now: datetime,
    lang: Language,
    marks: LeadMarks = UNKEYED,
) -> DisputeView:
    """Record the answer; the same again changes nothing.

    Raises `UnknownDisputeError`, `AlreadyAnsweredError` when another answer is there.
    """
    with audited_transaction(database, now=now) as work:
        row = work.session.get(DisputeRow, dispute_id)
        if row is None:
            raise UnknownDisputeError(dispute_id)
        if row.answered_at is not None:
            if (row.verdict, row.answer) != (verdict.value, answer):
                raise AlreadyAnsweredError(f"dispute {dispute_id} was answered by {row.answered_by}")
            return dispute_view(row, now=now, lang=lang)
        if status_of(row, now=now) is AnswerStatus.OVERDUE:
            store_missed(work.session, [missed_dispute(row, now=now)])
        row.answered_at, row.answered_by = now, by
        row.verdict, row.answer = verdict.value, answer
        after = {"verdict": verdict.value, "due_at": row.due_at, "answered_at": now}
        work.note("score.dispute_answered", who=by, what=marks.name(row.lead_id), after=after)
        return dispute_view(row, now=now, lang=lang)
