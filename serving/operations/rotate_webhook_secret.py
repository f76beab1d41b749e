"""Give a webhook a new signing secret; the old one signs beside it until the receiver has changed over."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, select

from serving.db.audited import audited_transaction
from serving.db.tables_messages import WebhookSecretRow
from serving.webhooks import find_webhook, new_secret


def rotate_webhook_secret(
    database: Engine, webhook_id: str, *, keep_old: timedelta, secret: bytes, by: str, now: datetime
) -> str:
    """Return the new secret, once; those valid so far sign for `keep_old` more.

    A webhook that answered 410 stays disabled. Raises `InputError` for one that is not there.
    """
    with audited_transaction(database, now=now) as work:
        find_webhook(work.session, webhook_id)
        old = select(WebhookSecretRow).where(WebhookSecretRow.webhook_id == webhook_id)
        until = now + keep_old
        for row in work.session.scalars(old):
            row.expires_at = until if row.expires_at is None else min(row.expires_at, until)
        text = new_secret(work.session, webhook_id, secret=secret, now=now)
        work.note("webhook.rotated", who=by, what=f"webhook {webhook_id}", after={"old_until": until})
        return text
