"""Remove a receiver: it gets nothing any more, and what was on its way to it is gone."""

from datetime import datetime

from sqlalchemy import Engine, delete

from serving.db.audited import audited_transaction
from serving.db.tables_messages import DeliveryRow, WebhookRow, WebhookSecretRow
from serving.webhooks import find_webhook


def remove_webhook(database: Engine, webhook_id: str, *, by: str, now: datetime) -> int:
    """Delete a webhook with its secrets and deliveries; return how many messages it had not got.

    Raises `InputError` for one that is not there.
    """
    with audited_transaction(database, now=now) as work:
        row = find_webhook(work.session, webhook_id)
        gone = delete(DeliveryRow).where(DeliveryRow.webhook_id == webhook_id).returning(DeliveryRow.ended_at)
        unsent = sum(ended_at is None for ended_at in work.session.scalars(gone).all())
        work.session.execute(delete(WebhookSecretRow).where(WebhookSecretRow.webhook_id == webhook_id))
        work.session.execute(delete(WebhookRow).where(WebhookRow.webhook_id == webhook_id))
        before = {"events": row.events}
        work.note("webhook.removed", who=by, what=f"webhook {webhook_id}", before=before)
        return unsent
