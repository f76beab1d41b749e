"""Revoke an API key; running services notice within seconds."""

from datetime import datetime

from sqlalchemy import Engine

from features.errors import InputError
from serving.db.session import write_transaction
from serving.db.tables import ApiKeyRow


def revoke_api_key(database: Engine, prefix: str, *, now: datetime) -> None:
    """Mark the key of this prefix as revoked; again changes nothing; `InputError` for an unknown prefix."""
    with write_transaction(database) as session:
        row = session.get(ApiKeyRow, prefix)
        if row is None:
            raise unknown_key(prefix)
        row.revoked_at = row.revoked_at or now


def unknown_key(prefix: str) -> InputError:
    """Return the error for a prefix that no key has."""
    return InputError(f"there is no API key with the prefix {prefix!r}")
