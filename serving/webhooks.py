"""What the operations on webhooks share: finding one, reading its secrets."""

from datetime import datetime
from secrets import token_hex

from sqlalchemy import select
from sqlalchemy.orm import Session

from features.errors import InputError
from serving.crm.sealing import seal
from serving.crm.signatures import make_secret
from serving.db.tables_messages import WebhookRow, WebhookSecretRow


def find_webhook(session: Session, webhook_id: str) -> WebhookRow:
    """Return a webhook, or raise `InputError`."""
    row = session.get(WebhookRow, webhook_id)
    if row is None:
        raise InputError(f"there is no webhook {webhook_id[:80]!r}; `leadpact webhooks list` shows them")
    return row


def new_secret(session: Session, webhook_id: str, *, secret: bytes, now: datetime) -> str:
    """Draw a signing secret, store it sealed, and return it: the only moment at which it is readable."""
    text = make_secret()
    session.add(
        WebhookSecretRow(
            secret_id=token_hex(16),
            webhook_id=webhook_id,
            sealed=seal(text, webhook_id=webhook_id, secret=secret),
            created_at=now,
        )
    )
    return text


def valid_secrets(session: Session, webhook_id: str, *, now: datetime) -> tuple[str, ...]:
    """Return the sealed secrets that sign now, the newest first."""
    query = (
        select(WebhookSecretRow)
        .where(WebhookSecretRow.webhook_id == webhook_id)
        .order_by(WebhookSecretRow.created_at.desc(), WebhookSecretRow.secret_id)
    )
    rows = session.scalars(query)
    return tuple(row.sealed for row in rows if row.expires_at is None or row.expires_at > now)
