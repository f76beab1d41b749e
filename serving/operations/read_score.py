"""Read one stored score with the policy it was decided under."""

import math
from dataclasses import dataclass

from sqlalchemy import Engine

from features.errors import InputError
from serving.db.session import read_transaction
from serving.db.tables import PolicyRow, ScoreRow
from serving.operations.active_policy import ActivePolicy, read_stored
from serving.operations.record_scores import ScoreRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredScore:
    """A score as it was stored; `policy` is None when its text is not the signed one any more."""

    record: ScoreRecord
    policy: ActivePolicy | None


def read_score(database: Engine, score_id: str) -> StoredScore:
    """Return a score, or raise `InputError` when there is none of this id."""
    with read_transaction(database) as session:
        row = session.get(ScoreRow, score_id)
        if row is None:
            raise InputError(f"no score has the id {score_id!r}; GET /v1/leads/LEAD_ID/scores lists them")
        policy = session.get(PolicyRow, int(row.policy_version))
        return StoredScore(record=record_of_row(row), policy=_policy(policy, row.policy_hash))


def record_of_row(row: ScoreRow) -> ScoreRecord:
    """Return a stored row as the record it was made of."""
    values = {name: getattr(row, name) for name in ScoreRecord.__slots__}
    feature_row = tuple(math.nan if value is None else float(value) for value in row.feature_row)
    return ScoreRecord(**{**values, "feature_row": feature_row, "decided_from": row.decided_from or ""})


def _policy(row: PolicyRow | None, policy_hash: str) -> ActivePolicy | None:
    if row is None or row.content_hash != policy_hash:
        return None
    return ActivePolicy(
        policy=read_stored(row.content, row.version), version=row.version, policy_hash=row.content_hash
    )
