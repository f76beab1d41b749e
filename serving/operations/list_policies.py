"""List the versions of the agreement: where each stands and who has signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from serving.db.session import read_transaction
from serving.db.tables import PolicyRow, PolicySignatureRow
from serving.policies import all_policy_rows, standings_of
from sla.policy_life import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPolicy:
    """One version as people see it; `signed_marketing` and `signed_sales` are who signed, or empty."""

    version: int
    name: str
    state: str
    side: str
    drafted_by: str
    proposed_by: str
    policy_hash: str
    valid_from: datetime | None
    expires_at: datetime | None
    effective_at: datetime | None
    signed_marketing: str
    signed_sales: str


def list_policies(database: Engine, *, now: datetime) -> tuple[ListedPolicy, ...]:
    """Return every version, newest first."""
    with read_transaction(database) as session:
        rows = all_policy_rows(session)
        standings = standings_of(rows)
        signatures = session.scalars(select(PolicySignatureRow)).all()
        return tuple(_listed(row, standings[row.version], signatures, now) for row in reversed(rows))


def _listed(
    row: PolicyRow, standing: Standing, signatures: Sequence[PolicySignatureRow], now: datetime
) -> ListedPolicy:
    signed = {one.side: one.person for one in signatures if one.version == row.version}
    return ListedPolicy(
        version=row.version,
        name=row.name,
        state=standing.state_at(now).value,
        side=row.side or "",
        drafted_by=row.drafted_by,
        proposed_by=row.proposed_by or "",
        policy_hash=row.content_hash,
        valid_from=row.valid_from,
        expires_at=row.expires_at,
        effective_at=row.effective_at,
        signed_marketing=signed.get("marketing", ""),
        signed_sales=signed.get("sales", ""),
    )
