"""What is told to the outside: one message per thing that happened, in the transaction in which it happened.

A message is a CloudEvents 1.0 envelope with ids, stages and numbers, no text about a person; who needs more
asks the API. It is written once, with a delivery for every webhook that wants it; `serving.courier` sends.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.crm.retries import DeliveryStatus
from serving.db.tables_messages import DeliveryRow, MessageRow, WebhookRow

SOURCE = "urn:leadpact"
NO_LEAD = "policies"
"""The queue of messages that are about no lead."""


class Event(StrEnum):
    """What can be told."""

    LEAD_SCORED = "lead.scored"
    LEAD_STAGE_CHANGED = "lead.stage_changed"
    HANDOVER_CREATED = "handover.created"
    HANDOVER_DUE_SOON = "handover.due_soon"
    HANDOVER_BREACHED = "handover.breached"
    HANDOVER_ESCALATED = "handover.escalated"
    DEAL_WON = "deal.won"
    DEAL_LOST = "deal.lost"
    POLICY_ACTIVATED = "policy.activated"


ON_REQUEST = frozenset({Event.LEAD_SCORED})
"""Told only to webhooks that ask for them by name, and stored only then: there is one per changed score."""

USUAL_EVENTS = tuple(event for event in Event if event not in ON_REQUEST)
CLOCK_EVENTS = {
    "due_soon": Event.HANDOVER_DUE_SOON,
    "breached": Event.HANDOVER_BREACHED,
    "escalated": Event.HANDOVER_ESCALATED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something that happened at an instant: `about` names it among all of its kind, once and for all."""

    event: Event
    about: str
    at: datetime
    data: Mapping[str, object] = field(hash=False)
    lead_id: str | None = None
    not_before: datetime | None = None


def tell(session: Session, news: News, *, now: datetime) -> None:
    """Write a message and its deliveries into the transaction under way; nothing is told twice."""
    receivers = _receivers(session, news.event)
    message_id = _message_id(news)
    if news.event in ON_REQUEST and not receivers:
        return
    if session.scalars(select(MessageRow.position).where(MessageRow.message_id == message_id)).first():
        return
    row = MessageRow(
        message_id=message_id,
        event=news.event.value,
        lead_id=news.lead_id,
        written_at=now,
        body=_envelope(news, message_id).decode(),
    )
    session.add(row)
    session.flush()
    session.add_all(
        new_delivery(webhook_id, row, next_at=max(now, news.not_before or now)) for webhook_id in receivers
    )


def new_delivery(webhook_id: str, message: MessageRow, *, next_at: datetime) -> DeliveryRow:
    """Return the delivery of one message to one webhook, not tried yet."""
    return DeliveryRow(
        webhook_id=webhook_id,
        position=message.position,
        queue=NO_LEAD if message.lead_id is None else f"lead {message.lead_id}"[:200],
        status=DeliveryStatus.PENDING.value,
        tries=0,
        next_at=next_at,
    )


def envelope(
    *, message_id: str, event: str, subject: str | None, at: datetime, data: Mapping[str, object]
) -> bytes:
    """Return a CloudEvents 1.0 message in its structured JSON form."""
    said: dict[str, object] = {
        "specversion": "1.0",
        "id": message_id,
        "source": SOURCE,
        "type": event,
        "time": at,
        "datacontenttype": "application/json",
        "data": data,
    }
    return msgspec.json.encode(said if subject is None else said | {"subject": subject})


def probe_message(webhook_id: str, *, now: datetime) -> tuple[str, bytes]:
    """Return id and body of a message that says nothing, to see whether a receiver takes it."""
    message_id = "msg_test_" + hashlib.sha256(f"{webhook_id}\n{now.isoformat()}".encode()).hexdigest()[:24]
    data = {"webhook_id": webhook_id}
    return message_id, envelope(message_id=message_id, event="webhook.test", subject=None, at=now, data=data)


def _envelope(news: News, message_id: str) -> bytes:
    return envelope(
        message_id=message_id, event=news.event.value, subject=news.lead_id, at=news.at, data=news.data
    )


def _message_id(news: News) -> str:
    return "msg_" + hashlib.sha256(f"{news.event}\n{news.about}".encode()).hexdigest()[:32]


def _receivers(session: Session, event: Event) -> Sequence[str]:
    living = select(WebhookRow).where(WebhookRow.disabled_at.is_(None)).order_by(WebhookRow.webhook_id)
    return [row.webhook_id for row in session.scalars(living) if event in row.events]
