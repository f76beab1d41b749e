"""Take deliveries that are due: at most so many per webhook, and only the first of each lead's queue.

A claim is a lease. A courier that dies loses it with time, and another takes the message over; it may then
arrive twice, never out of order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex

from sqlalchemy import ColumnElement, Engine, Select, exists, or_, select
from sqlalchemy.orm import Session, aliased

from serving.crm.retries import DeliveryStatus
from serving.db.session import read_transaction, write_transaction
from serving.db.tables_messages import DeliveryRow, MessageRow, WebhookRow
from serving.webhooks import valid_secrets

LEASE = timedelta(seconds=30)
MOST_PER_WEBHOOK = 4
"""A receiver that hangs holds up so many senders, not all of them."""

PENDING = DeliveryStatus.PENDING.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """One message to be sent now by whoever holds the lease; `secrets` are sealed, `tries` were before."""

    webhook_id: str
    position: int
    lease: str
    url: str
    secrets: tuple[str, ...]
    message_id: str
    body: str
    tries: int


def claim_deliveries(
    database: Engine, *, most: int, busy: Mapping[str, int], now: datetime
) -> tuple[Claimed, ...]:
    """Return up to `most` deliveries, leased to the caller; `busy` is what it has on the way per webhook."""
    with read_transaction(database) as session:
        if session.scalars(_due(now).limit(1)).first() is None:
            return ()
    with write_transaction(database) as session:
        return tuple(_claim(session, most, busy, now))


def _claim(session: Session, most: int, busy: Mapping[str, int], now: datetime) -> Iterator[Claimed]:
    webhooks = session.scalars(select(WebhookRow).where(*_is_ready(now))).all()
    left = most
    for webhook in sorted(webhooks, key=lambda one: (busy.get(one.webhook_id, 0), one.webhook_id)):
        room = min(left, MOST_PER_WEBHOOK - busy.get(webhook.webhook_id, 0))
        if room <= 0:
            continue
        secrets = valid_secrets(session, webhook.webhook_id, now=now)
        own = _due(now).where(DeliveryRow.webhook_id == webhook.webhook_id)
        taken = own.order_by(DeliveryRow.next_at, DeliveryRow.position).limit(room)
        for row in session.scalars(taken.with_for_update(of=DeliveryRow, skip_locked=True)).all():
            left -= 1
            row.lease, row.leased_until = token_hex(16), now + LEASE
            yield _claimed(session, row, webhook, secrets)


def _claimed(session: Session, row: DeliveryRow, webhook: WebhookRow, secrets: tuple[str, ...]) -> Claimed:
    message = session.get_one(MessageRow, row.position)
    return Claimed(
        webhook_id=row.webhook_id,
        position=row.position,
        lease=str(row.lease),
        url=webhook.url,
        secrets=secrets,
        message_id=message.message_id,
        body=message.body,
        tries=row.tries,
    )


def _due(now: datetime) -> Select[DeliveryRow]:
    """Select what may be sent: due, with nobody, its webhook ready, and no earlier one of its queue open."""
    earlier = aliased(DeliveryRow)
    is_behind = exists().where(
        earlier.webhook_id == DeliveryRow.webhook_id,
        earlier.queue == DeliveryRow.queue,
        earlier.status == PENDING,
        earlier.position < DeliveryRow.position,
    )
    return (
        select(DeliveryRow)
        .join(WebhookRow, WebhookRow.webhook_id == DeliveryRow.webhook_id)
        .where(
            DeliveryRow.status == PENDING,
            DeliveryRow.next_at <= now,
            or_(DeliveryRow.leased_until.is_(None), DeliveryRow.leased_until <= now),
            ~is_behind,
            *_is_ready(now),
        )
    )


def _is_ready(now: datetime) -> tuple[ColumnElement[bool], ...]:
    rests = or_(WebhookRow.rests_until.is_(None), WebhookRow.rests_until <= now)
    return WebhookRow.disabled_at.is_(None), rests
