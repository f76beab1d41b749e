"""Add a receiver of messages: where, and for which events. Its secret is returned once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex

from sqlalchemy import Engine

from serving.crm.addresses import read_target
from serving.db.audited import audited_transaction
from serving.db.tables_messages import WebhookRow
from serving.outbox import USUAL_EVENTS, Event
from serving.webhooks import new_secret


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook:
    """A webhook just added: the only moment at which its secret can be read."""

    webhook_id: str
    url: str
    events: tuple[str, ...]
    secret: str


def add_webhook(
    database: Engine,
    url: str,
    events: Sequence[Event] = (),
    *,
    secret: bytes,
    by: str,
    now: datetime,
    allow_local: bool = False,
) -> NewWebhook:
    """Store a webhook for these events (all but those on request), and return it with its secret.

    Raises `InputError` for a URL that breaks a rule (`serving.crm.addresses`).
    """
    target = read_target(url, allow_local=allow_local)
    wanted = tuple(sorted({event.value for event in events or USUAL_EVENTS}))
    webhook_id = f"wh_{token_hex(8)}"
    with audited_transaction(database, now=now) as work:
        row = WebhookRow(webhook_id=webhook_id, url=url, events=list(wanted), created_at=now)
        work.session.add(row)
        work.session.flush()
        text = new_secret(work.session, webhook_id, secret=secret, now=now)
        after = {"host": target.authority, "events": list(wanted)}
        work.note("webhook.added", who=by, what=f"webhook {webhook_id}", after=after)
    return NewWebhook(webhook_id=webhook_id, url=url, events=wanted, secret=text)
