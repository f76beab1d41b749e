"""Read the life of one version: its text and every act on it, in their order."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from serving.db.session import read_transaction
from serving.db.tables import PolicyEventRow
from serving.policies import find_policy_row


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEvent:
    """One act: who, for which side (empty where nobody said), when, under which text, and the words to it."""

    at: datetime
    act: str
    side: str
    person: str
    policy_hash: str
    note: str


def read_policy_history(database: Engine, version: int) -> tuple[str, tuple[PolicyEvent, ...]]:
    """Return the text of a version and its acts; raises `UnknownPolicyError`."""
    with read_transaction(database) as session:
        text = find_policy_row(session, version).content
        rows = session.scalars(
            select(PolicyEventRow).where(PolicyEventRow.version == version).order_by(PolicyEventRow.event_id)
        )
        return text, tuple(_event(row) for row in rows)


def _event(row: PolicyEventRow) -> PolicyEvent:
    return PolicyEvent(
        at=row.at,
        act=row.act,
        side=row.side or "",
        person=row.person,
        policy_hash=row.content_hash,
        note=row.note,
    )
