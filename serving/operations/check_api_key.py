"""Check an API key: who it is and what it may do. Whatever is wrong with it, the answer is the same."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, update

from serving.db.session import read_transaction, write_transaction
from serving.db.tables import ApiKeyRow
from serving.errors import KeyRefusedError
from serving.keys import Scope, hash_key, key_prefix

LAST_USED_STEP = timedelta(minutes=1)
REFUSAL = "the API key is missing, unknown, expired or revoked"
NO_HASH = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedKey:
    """A key that was good when it was checked."""

    prefix: str
    name: str
    scopes: frozenset[Scope]
    expires_at: datetime | None
    person: str | None = None


def check_api_key(database: Engine, text: str, *, secret: bytes, now: datetime) -> VerifiedKey:
    """Return the owner of a key, or raise `KeyRefusedError`; notes the use, at most once a minute.

    An unknown prefix takes the same path as a wrong secret: one hash, one constant-time comparison.
    A refused key writes nothing, so that guessing cannot hold up writers.
    """
    with read_transaction(database) as session:
        row = session.get(ApiKeyRow, key_prefix(text) or "")
    stored = NO_HASH if row is None else row.secret_hash
    same = hmac.compare_digest(stored, hash_key(text, secret))
    if row is None or not same or row.revoked_at is not None or has_expired(row, now):
        raise KeyRefusedError(REFUSAL)
    if row.last_used_at is None or now - row.last_used_at >= LAST_USED_STEP:
        _note_use(database, row.prefix, now)
    return VerifiedKey(
        prefix=row.prefix,
        name=row.name,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        expires_at=row.expires_at,
        person=row.person,
    )


def has_expired(key: VerifiedKey | ApiKeyRow, now: datetime) -> bool:
    """Say whether a key is past its time."""
    return key.expires_at is not None and key.expires_at <= now


def _note_use(database: Engine, prefix: str, now: datetime) -> None:
    with write_transaction(database) as session:
        session.execute(update(ApiKeyRow).where(ApiKeyRow.prefix == prefix).values(last_used_at=now))
