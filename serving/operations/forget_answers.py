"""Forget the answers kept for repeated requests once nobody repeats them any more."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, delete

from serving.db.session import write_transaction
from serving.db.tables_messages import KeptAnswerRow

KEPT_FOR = timedelta(hours=24)


def forget_answers(database: Engine, *, now: datetime) -> int:
    """Delete answers older than a day; return how many."""
    old = delete(KeptAnswerRow).where(KeptAnswerRow.answered_at < now - KEPT_FOR)
    with write_transaction(database) as session:
        return len(session.scalars(old.returning(KeptAnswerRow.idempotency_key)).all())
