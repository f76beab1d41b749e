"""Revoke an API key; running services notice within seconds."""

from datetime import datetime

from sqlalchemy import Engine

from features.errors import InputError
from serving.db.audited import audited_transaction
from serving.db.tables import ApiKeyRow
from serving.operations.create_api_key import COMMAND_LINE


def revoke_api_key(database: Engine, prefix: str, *, now: datetime, by: str = COMMAND_LINE) -> None:
    """Mark the key of this prefix as revoked; again changes nothing; `InputError` for an unknown prefix."""
    with audited_transaction(database, now=now) as work:
        row = work.session.get(ApiKeyRow, prefix)
        if row is None:
            raise unknown_key(prefix)
        if row.revoked_at is None:
            row.revoked_at = now
            work.note("key.revoked", who=by, what=f"API key {prefix}", after={"revoked_at": now})


def unknown_key(prefix: str) -> InputError:
    """Return the error for a prefix that no key has."""
    return InputError(f"there is no API key with the prefix {prefix!r}")
