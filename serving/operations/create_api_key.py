"""Create an API key: its text is returned once, the database keeps prefix and keyed hash.

A key with a policy scope acts for one named person and one side: nobody holds usable keys for both.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from features.errors import InputError
from serving.db.audited import audited_transaction
from serving.db.tables import ApiKeyRow
from serving.keys import POLICY_SCOPES, NewKey, Scope, hash_key, make_key
from serving.policies import person_name
from sla.signatures import same_person

LONGEST_NAME = 200
COMMAND_LINE = "command line"


def create_api_key(
    database: Engine,
    *,
    name: str,
    scopes: Sequence[Scope],
    expires_at: datetime | None,
    secret: bytes,
    now: datetime,
    person: str | None = None,
    by: str = COMMAND_LINE,
) -> NewKey:
    """Store a new key and return it; `by` is who creates it, `person` whom it acts for.

    Raises `InputError` for an empty name, no scope, a past expiry, a policy scope without a person or for
    both sides, and for a person who has a usable key of the other side.
    """
    _refuse_wrong(name, scopes, expires_at, now)
    owner = _owner(scopes, person)
    key = make_key()
    row = ApiKeyRow(
        prefix=key.prefix,
        name=name.strip(),
        secret_hash=hash_key(key.text, secret),
        scopes=sorted(set(scopes)),
        created_at=now,
        expires_at=expires_at,
        person=owner,
    )
    with audited_transaction(database, now=now) as work:
        _refuse_both_sides(work.session, row, now)
        work.session.add(row)
        created = {"name": row.name, "scopes": row.scopes, "expires_at": expires_at, "person": owner}
        work.note("key.created", who=by, what=f"API key {key.prefix}", after=created)
    return key


def _refuse_wrong(name: str, scopes: Sequence[Scope], expires_at: datetime | None, now: datetime) -> None:
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise InputError(f"the name of a key must have 1 to {LONGEST_NAME} characters; got {name[:80]!r}")
    if not scopes:
        raise InputError(f"a key needs at least one scope of {', '.join(Scope)}")
    if expires_at is not None and expires_at <= now:
        raise InputError(f"a key must expire in the future; got {expires_at.isoformat()}")


def _owner(scopes: Sequence[Scope], person: str | None) -> str | None:
    """Return the person a key acts for; one side and a name belong together."""
    sides = [scope for scope in POLICY_SCOPES if scope in scopes]
    if len(sides) > 1:
        raise InputError(f"a key acts for one side; got {' and '.join(sides)}")
    if sides and person is None:
        raise InputError(f"a key with the scope {sides[0]} acts for one person: name the person")
    if person is not None and not sides:
        raise InputError(f"a key acts for a person only with a scope of {', '.join(POLICY_SCOPES)}")
    return None if person is None else person_name(person)


def _refuse_both_sides(session: Session, new: ApiKeyRow, now: datetime) -> None:
    """Refuse a key for the other side while the person has a usable one."""
    others = session.scalars(
        select(ApiKeyRow).where(ApiKeyRow.person.is_not(None), ApiKeyRow.revoked_at.is_(None))
    )
    for row in others:
        is_usable = row.expires_at is None or row.expires_at > now
        is_same = same_person(row.person or "", new.person or "")
        if is_usable and is_same and not set(POLICY_SCOPES) & set(row.scopes) & set(new.scopes):
            raise InputError(
                f"{new.person} has the key {row.prefix} for the other side; revoke it before, "
                "and what was signed stays signed"
            )
