"""Create an API key: its text is returned once, the database keeps prefix and keyed hash."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine

from features.errors import InputError
from serving.db.session import write_transaction
from serving.db.tables import ApiKeyRow
from serving.keys import NewKey, Scope, hash_key, make_key

LONGEST_NAME = 200


def create_api_key(
    database: Engine,
    *,
    name: str,
    scopes: Sequence[Scope],
    expires_at: datetime | None,
    secret: bytes,
    now: datetime,
) -> NewKey:
    """Store a new key and return it; raises `InputError` for an empty name, no scope or a past expiry."""
    _refuse_wrong(name, scopes, expires_at, now)
    key = make_key()
    row = ApiKeyRow(
        prefix=key.prefix,
        name=name.strip(),
        secret_hash=hash_key(key.text, secret),
        scopes=sorted(set(scopes)),
        created_at=now,
        expires_at=expires_at,
    )
    with write_transaction(database) as session:
        session.add(row)
    return key


def _refuse_wrong(name: str, scopes: Sequence[Scope], expires_at: datetime | None, now: datetime) -> None:
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise InputError(f"the name of a key must have 1 to {LONGEST_NAME} characters; got {name[:80]!r}")
    if not scopes:
        raise InputError(f"a key needs at least one scope of {', '.join(Scope)}")
    if expires_at is not None and expires_at <= now:
        raise InputError(f"a key must expire in the future; got {expires_at.isoformat()}")
