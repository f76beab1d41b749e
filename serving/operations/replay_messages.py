"""Send messages to a webhook again: those that were parked, or everything since an instant."""

from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from serving.crm.retries import DeliveryStatus
from serving.db.audited import audited_transaction
from serving.db.tables_messages import DeliveryRow, MessageRow
from serving.outbox import new_delivery
from serving.webhooks import find_webhook


def replay_messages(
    database: Engine, webhook_id: str, *, since: datetime | None, by: str, now: datetime
) -> int:
    """Make messages due again, in their order, and return how many; a disabled webhook is enabled.

    Without `since` those that are parked; with it every message since then that the webhook wants, delivered
    or written before it was there. Raises `InputError` for a webhook that is not there.
    """
    with audited_transaction(database, now=now) as work:
        row = find_webhook(work.session, webhook_id)
        row.disabled_at = row.disabled_because = row.rests_until = None
        if since is None:
            again = _parked(work.session, webhook_id)
        else:
            again = _since(work.session, webhook_id, tuple(row.events), since, now)
        for delivery in again:
            delivery.status, delivery.tries, delivery.next_at = DeliveryStatus.PENDING.value, 0, now
            delivery.lease = delivery.leased_until = delivery.ended_at = None
        after = {"messages": len(again), "since": since}
        work.note("webhook.replayed", who=by, what=f"webhook {webhook_id}", after=after)
        return len(again)


def _parked(session: Session, webhook_id: str) -> list[DeliveryRow]:
    query = select(DeliveryRow).where(
        DeliveryRow.webhook_id == webhook_id, DeliveryRow.status == DeliveryStatus.PARKED.value
    )
    return list(session.scalars(query))


def _since(
    session: Session, webhook_id: str, events: tuple[str, ...], since: datetime, now: datetime
) -> list[DeliveryRow]:
    """Return the deliveries of every wanted message since an instant; missing ones are made."""
    wanted = select(MessageRow).where(MessageRow.written_at >= since, MessageRow.event.in_(events))
    found: list[DeliveryRow] = []
    for message in session.scalars(wanted.order_by(MessageRow.position)).all():
        known = session.get(DeliveryRow, (webhook_id, message.position))
        if known is None:
            known = new_delivery(webhook_id, message, next_at=now)
            session.add(known)
        found.append(known)
    return found
