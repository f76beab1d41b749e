"""List the receivers of messages: what each wants, what it waits for, and what could not be delivered."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from serving.crm.retries import DeliveryStatus
from serving.db.session import read_transaction
from serving.db.tables_messages import DeliveryRow, MessageRow, WebhookRow

MOST_PARKED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedMessage:
    """A message that was tried for three days, or whose receiver is gone, and why."""

    message_id: str
    event: str
    subject: str
    written_at: datetime
    tries: int
    last_result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedWebhook:
    """One receiver and how its messages stand; `parked_first` are the oldest that are parked."""

    webhook_id: str
    url: str
    events: tuple[str, ...]
    created_at: datetime
    disabled_at: datetime | None
    disabled_because: str
    rests_until: datetime | None
    pending: int
    delivered: int
    parked: int
    oldest_pending_at: datetime | None
    parked_first: tuple[ParkedMessage, ...]


def list_webhooks(database: Engine) -> tuple[ListedWebhook, ...]:
    """Return every webhook, the oldest first."""
    with read_transaction(database) as session:
        rows = session.scalars(select(WebhookRow).order_by(WebhookRow.created_at, WebhookRow.webhook_id))
        return tuple(_listed(session, row) for row in rows.all())


def _listed(session: Session, row: WebhookRow) -> ListedWebhook:
    own = DeliveryRow.webhook_id == row.webhook_id
    by_status = select(DeliveryRow.status, func.count()).where(own).group_by(DeliveryRow.status)
    counts = {status: count for status, count in session.execute(by_status)}  # noqa: C416 - rows, not pairs
    oldest = session.scalar(
        select(func.min(MessageRow.written_at))
        .join(DeliveryRow, DeliveryRow.position == MessageRow.position)
        .where(own, DeliveryRow.status == DeliveryStatus.PENDING.value)
    )
    return ListedWebhook(
        webhook_id=row.webhook_id,
        url=row.url,
        events=tuple(row.events),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        disabled_because=row.disabled_because or "",
        rests_until=row.rests_until,
        pending=counts.get(DeliveryStatus.PENDING, 0),
        delivered=counts.get(DeliveryStatus.DELIVERED, 0),
        parked=counts.get(DeliveryStatus.PARKED, 0),
        oldest_pending_at=oldest,
        parked_first=_parked(session, row.webhook_id),
    )


def _parked(session: Session, webhook_id: str) -> tuple[ParkedMessage, ...]:
    query = (
        select(DeliveryRow, MessageRow)
        .join(MessageRow, DeliveryRow.position == MessageRow.position)
        .where(DeliveryRow.webhook_id == webhook_id, DeliveryRow.status == DeliveryStatus.PARKED.value)
        .order_by(DeliveryRow.position)
        .limit(MOST_PARKED)
    )
    return tuple(
        ParkedMessage(
            message_id=message.message_id,
            event=message.event,
            subject=message.lead_id or "",
            written_at=message.written_at,
            tries=delivery.tries,
            last_result=delivery.last_result or "",
        )
        for delivery, message in session.execute(query)
    )
