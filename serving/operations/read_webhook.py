"""Read one receiver: where it is and the secrets that sign for it now, sealed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from serving.db.session import read_transaction
from serving.webhooks import find_webhook, valid_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where messages of a webhook go, and what signs them."""

    webhook_id: str
    url: str
    secrets: tuple[str, ...]


def read_webhook(database: Engine, webhook_id: str, *, now: datetime) -> Receiver:
    """Return a receiver; raises `InputError` when it is not there."""
    with read_transaction(database) as session:
        row = find_webhook(session, webhook_id)
        secrets = valid_secrets(session, webhook_id, now=now)
        return Receiver(webhook_id=webhook_id, url=row.url, secrets=secrets)
