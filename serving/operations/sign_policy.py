"""Sign a policy for one side. Nobody signs for both; a signature is never replaced."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from features.errors import InputError
from serving.db.session import write_transaction
from serving.db.tables import PolicyRow, PolicySignatureRow
from serving.errors import PolicyRefusedError
from serving.operations.propose_policy import person_name
from sla.signatures import person_key
from sla.stages import Side


def sign_policy(database: Engine, *, version: int, side: Side, person: str, now: datetime) -> None:
    """Store one side's signature under one version; the same person for the same side again changes nothing.

    Raises `InputError` for an unknown version or an empty name, `PolicyRefusedError` when the side has signed
    or the person signed for the other side. The table's constraints decide when two sign at once.
    """
    name = person_name(person)
    try:
        with write_transaction(database) as session:
            _add_signature(session, version, side, name, now)
    except IntegrityError as error:
        raise PolicyRefusedError(
            f"version {version} cannot be signed for {side} by {name}: the side or the person has just signed"
        ) from error


def _add_signature(session: Session, version: int, side: Side, person: str, now: datetime) -> None:
    policy = session.get(PolicyRow, version)
    if policy is None:
        raise InputError(f"there is no policy version {version}; propose it first")
    known = session.scalars(select(PolicySignatureRow).where(PolicySignatureRow.version == version)).all()
    if any(row.side == side and row.person_key == person_key(person) for row in known):
        return
    _refuse_second_signature(known, side, person, version)
    session.add(
        PolicySignatureRow(
            version=version,
            side=side.value,
            person=person,
            person_key=person_key(person),
            signed_at=now,
            policy_hash=policy.content_hash,
        )
    )


def _refuse_second_signature(
    known: Sequence[PolicySignatureRow], side: Side, person: str, version: int
) -> None:
    for row in known:
        if row.side == side:
            raise PolicyRefusedError(f"version {version} is already signed for {side} by {row.person}")
        if row.person_key == person_key(person):
            raise PolicyRefusedError(
                f"{person} signed version {version} for {row.side}; the other side needs another person"
            )
