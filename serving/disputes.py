"""A disputed score as people read it: what was scored, who answers until when, and what was answered."""

from dataclasses import dataclass
from datetime import datetime

from features.words.reasons import Language
from serving.db.tables_feedback import DisputeRow
from sla.feedback import AnswerStatus
from sla.words_feedback import status_text, verdict_text


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeView:
    """One dispute; the order of the fields is the order in JSON."""

    dispute_id: str
    lead_id: str
    score_id: str
    probability: float
    points: int
    reason: str
    by: str
    occurred_at: datetime
    recorded_at: datetime
    side: str
    due_at: datetime | None
    status: str
    text: str
    verdict: str
    verdict_text: str
    answer: str
    answered_by: str
    answered_at: datetime | None


def status_of(row: DisputeRow, *, now: datetime) -> AnswerStatus:
    """Return how a dispute stands; its deadline was set when it was recorded."""
    if row.due_at is None:
        return AnswerStatus.UNTIMED
    if row.answered_at is None:
        return AnswerStatus.OVERDUE if now > row.due_at else AnswerStatus.OPEN
    return AnswerStatus.LATE if row.answered_at > row.due_at else AnswerStatus.IN_TIME


def dispute_view(row: DisputeRow, *, now: datetime, lang: Language) -> DisputeView:
    """Return one dispute as it stands at `now`."""
    status = status_of(row, now=now)
    return DisputeView(
        dispute_id=row.dispute_id,
        lead_id=row.lead_id,
        score_id=row.score_id or "",
        probability=row.probability,
        points=row.points,
        reason=row.reason,
        by=row.by,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        side=row.side or "",
        due_at=row.due_at,
        status=status.value,
        text=status_text(status, lang),
        verdict=row.verdict or "",
        verdict_text=verdict_text(row.verdict, lang),
        answer=row.answer or "",
        answered_by=row.answered_by or "",
        answered_at=row.answered_at,
    )
