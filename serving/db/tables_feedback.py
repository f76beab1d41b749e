"""Tables of closing feedback: answers to groups of reasons, disputed scores, notes, missed answers."""

from datetime import datetime

from sqlalchemy import Double, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from serving.db.tables import Base, UtcTime
from serving.db.tables_leads import ID_LENGTH


class FeedbackAnswerRow(Base):
    """What somebody answered for a group of reasons; `question_id` is the end that opened the question."""

    __tablename__ = "feedback_answers"
    __table_args__ = (Index(None, "reason_group", "answered_at"),)

    answer_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    reason_group: Mapped[str] = mapped_column(String(16))
    question_id: Mapped[str] = mapped_column(String(ID_LENGTH + 20))
    opened_at: Mapped[datetime] = mapped_column(UtcTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    answered_at: Mapped[datetime] = mapped_column(UtcTime)
    by: Mapped[str] = mapped_column(String(ID_LENGTH))
    answer: Mapped[str] = mapped_column(Text)
    policy_version: Mapped[int | None]


class DisputeRow(Base):
    """A score that somebody in sales does not believe, and what was answered."""

    __tablename__ = "disputes"
    __table_args__ = (Index(None, "lead_id"), Index(None, "recorded_at", "dispute_id"))

    dispute_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    lead_id: Mapped[str] = mapped_column(ForeignKey("leads.lead_id"))
    score_id: Mapped[str | None] = mapped_column(String(32))
    probability: Mapped[float] = mapped_column(Double)
    points: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(ID_LENGTH))
    occurred_at: Mapped[datetime] = mapped_column(UtcTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcTime)
    policy_version: Mapped[int | None]
    side: Mapped[str | None] = mapped_column(String(16))
    due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcTime)
    answered_by: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    verdict: Mapped[str | None] = mapped_column(String(16))
    answer: Mapped[str | None] = mapped_column(Text)


class NoteRow(Base):
    """What a seller noted about a lead: persona and stage as they were, objection and content as tagged."""

    __tablename__ = "notes"
    __table_args__ = (Index(None, "lead_id"), Index(None, "occurred_at"))

    note_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    lead_id: Mapped[str] = mapped_column(ForeignKey("leads.lead_id"))
    attempt_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    occurred_at: Mapped[datetime] = mapped_column(UtcTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcTime)
    by: Mapped[str] = mapped_column(String(ID_LENGTH))
    text: Mapped[str | None] = mapped_column(Text)
    persona: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    stage: Mapped[str] = mapped_column(String(16))
    objection: Mapped[str | None] = mapped_column(String(40))
    content: Mapped[str | None] = mapped_column(Text)


class MissedAnswerRow(Base):
    """An answer that did not come in time, raised once: its deadline `at`, and when that was seen."""

    __tablename__ = "missed_answers"
    __table_args__ = (Index(None, "raised_at"),)

    event_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str] = mapped_column(String(ID_LENGTH + 20))
    at: Mapped[datetime] = mapped_column(UtcTime)
    raised_at: Mapped[datetime] = mapped_column(UtcTime)
    policy_version: Mapped[int | None]
