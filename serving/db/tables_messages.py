"""Tables of what leaves the service: answers kept for a repeated request, messages, and who gets them.

A message is written in the transaction of what it tells; a delivery is one message on its way to one webhook.
"""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from serving.db.tables import Base, UtcTime
from serving.db.tables_leads import ID_LENGTH

KEY_LENGTH = 255


class KeptAnswerRow(Base):
    """The answer to a request that named itself, written with its effect; null once its lead was erased."""

    __tablename__ = "kept_answers"
    __table_args__ = (Index(None, "answered_at"),)

    api_key: Mapped[str] = mapped_column(String(8), primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(String(KEY_LENGTH), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    answered_at: Mapped[datetime] = mapped_column(UtcTime)
    answer: Mapped[str | None] = mapped_column(Text)


class WebhookRow(Base):
    """One receiver of messages. One that answered 410, or was removed, gets nothing any more."""

    __tablename__ = "webhooks"

    webhook_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    rests_until: Mapped[datetime | None] = mapped_column(UtcTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    disabled_because: Mapped[str | None] = mapped_column(String(ID_LENGTH))


class WebhookSecretRow(Base):
    """One signing secret, sealed (`serving.crm.secrets`); an old one signs too until it expires."""

    __tablename__ = "webhook_secrets"
    __table_args__ = (Index(None, "webhook_id"),)

    secret_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.webhook_id"))
    sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)


class MessageRow(Base):
    """One message as it is sent, byte for byte; `position` is the order in which things happened here."""

    __tablename__ = "messages"
    __table_args__ = (Index(None, "lead_id"), Index(None, "written_at"))

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    message_id: Mapped[str] = mapped_column(String(40), unique=True)
    event: Mapped[str] = mapped_column(String(64))
    lead_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    written_at: Mapped[datetime] = mapped_column(UtcTime)
    body: Mapped[str] = mapped_column(Text)


class DeliveryRow(Base):
    """One message on its way to one webhook.

    `queue` is the lead, or the kind of thing, whose messages keep their order. A courier that takes it writes
    `lease` and `leased_until`; what it learnt counts only while that lease is its own.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index(None, "status", "next_at"),
        Index(None, "webhook_id", "queue", "status", "position"),
    )

    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.webhook_id"), primary_key=True)
    position: Mapped[int] = mapped_column(ForeignKey("messages.position"), primary_key=True)
    queue: Mapped[str] = mapped_column(String(ID_LENGTH))
    status: Mapped[str] = mapped_column(String(16))
    tries: Mapped[int]
    next_at: Mapped[datetime] = mapped_column(UtcTime)
    lease: Mapped[str | None] = mapped_column(String(32))
    leased_until: Mapped[datetime | None] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)
    last_result: Mapped[str | None] = mapped_column(String(ID_LENGTH))
