"""Raise every answer that did not come in time, once: for a group of reasons, or for a disputed score."""

from datetime import datetime

from sqlalchemy import Engine

from serving.db.audited import audited_transaction
from serving.db.session import read_transaction
from serving.feedback_questions import overdue_questions, store_missed
from serving.operations.sweep_clocks import WORKER


def raise_missed_answers(database: Engine, *, now: datetime) -> int:
    """Return how many were new; looking again, late, or from two workers raises each once."""
    with read_transaction(database) as session:
        if next(overdue_questions(session, now=now), None) is None:
            return 0
    with audited_transaction(database, now=now) as work:
        found = list(overdue_questions(work.session, now=now))
        store_missed(work.session, found)
        if found:
            after = {"raised": [{"kind": one.kind, "due_at": one.at} for one in found]}
            work.note("answers.missed", who=WORKER, what=f"{len(found)} answers", after=after)
        return len(found)
