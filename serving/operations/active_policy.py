"""Find the policy in force: the one that came into force last, with two signatures under its very text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from serving.db.migrate import find_database
from serving.db.session import read_transaction
from serving.db.tables import PolicyRow, PolicySignatureRow
from serving.errors import Missing
from serving.policies import all_policy_rows, standings_of
from sla.errors import PolicyProblems
from sla.policy import Policy
from sla.policy_file import read_policy
from sla.policy_life import LIVING_STATES, State
from sla.signatures import Signature, is_active
from sla.stages import Side

NO_POLICY = Missing(
    thing="policy",
    reason="there is no policy",
    fix="write one and run `leadpact policy propose FILE --by NAME`, then have marketing and sales sign it",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivePolicy:
    """The agreement in force, with the hash both sides signed."""

    policy: Policy
    version: int
    policy_hash: str


def active_policy(database: Engine, *, now: datetime) -> ActivePolicy | Missing:
    """Return the policy in force at `now`, or what the newest living version still lacks."""
    with read_transaction(database) as session:
        return active_policy_in(session, now=now)


def active_policy_in(session: Session, *, now: datetime) -> ActivePolicy | Missing:
    """Return the same inside a transaction."""
    first_lack: Missing | None = None
    for row in _candidates(session, now):
        judged = _judge(row, _signatures(session, row.version), now)
        if isinstance(judged, ActivePolicy):
            return judged
        first_lack = first_lack or judged
    return first_lack or NO_POLICY


def policy_in_force(database: Engine, *, at: datetime) -> Policy | None:
    """Return the policy that was in force at an instant; None when none was."""
    found = active_policy(database, now=at)
    return found.policy if isinstance(found, ActivePolicy) else None


def find_policy(url: str, *, now: datetime) -> ActivePolicy | Missing:
    """Return the same for the database of a URL, and create none where there is none."""
    database = find_database(url)
    if database is None:
        return NO_POLICY
    try:
        return active_policy(database, now=now)
    finally:
        database.dispose()


def _candidates(session: Session, now: datetime) -> list[PolicyRow]:
    """Return the versions in force, the one that came last first, then the living ones, newest first.

    A version whose text is damaged counts for nothing; then the one it superseded goes on.
    """
    rows = all_policy_rows(session)
    standings = standings_of(rows)
    in_force = [
        row for row in rows if standings[row.version].state_at(now) in (State.ACTIVE, State.SUPERSEDED)
    ]
    in_force.sort(key=lambda row: (row.effective_at, row.version), reverse=True)
    waiting = [row for row in rows if standings[row.version].state_at(now) in LIVING_STATES]
    return in_force + [row for row in reversed(waiting) if row not in in_force]


def _judge(row: PolicyRow, signatures: Sequence[Signature], now: datetime) -> ActivePolicy | Missing:
    try:
        policy = read_stored(row.content, row.version)
    except PolicyProblems as error:
        return Missing(thing="policy", reason=error.text(), fix="propose a new version of it")
    verdict = is_active(tuple(signatures), policy, now)
    if verdict.active:
        return ActivePolicy(policy=policy, version=row.version, policy_hash=row.content_hash)
    return Missing(thing="policy", reason=verdict.reason, fix=_fix(row.version, signatures))


@lru_cache(maxsize=16)  # one text is one policy, and the service asks every two seconds
def read_stored(content: str, version: int) -> Policy:
    """Return the policy of a stored text; `PolicyProblems` when it cannot be read any more."""
    return read_policy(content, source=f"policy version {version}")


def _fix(version: int, signatures: Sequence[Signature]) -> str:
    unsigned = [side for side in Side if all(signature.side is not side for signature in signatures)]
    return " and ".join(
        f"have {side} sign with `leadpact policy sign --side {side} --by NAME --version {version}`"
        for side in unsigned
    )


def _signatures(session: Session, version: int) -> tuple[Signature, ...]:
    rows = session.scalars(select(PolicySignatureRow).where(PolicySignatureRow.version == version))
    return tuple(
        Signature(
            side=Side(row.side), person=row.person, signed_at=row.signed_at, policy_hash=row.policy_hash
        )
        for row in rows
    )
