"""Record scores of known leads, many in one transaction. The same score again changes nothing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from serving.db.inserts import insert_new
from serving.db.session import write_transaction
from serving.db.tables import ScoreRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRecord:
    """One score with all it takes to compute it again; `feature_row` has NaN where a value is missing."""

    score_id: str
    lead_id: str
    as_of: datetime
    probability: float
    probability_low: float
    probability_high: float
    points: int
    stage: str
    rule: str
    model_version: str
    model_hash: str
    policy_version: str
    policy_hash: str
    feature_set_hash: str
    feature_row: tuple[float, ...]
    decided_from: str


def record_scores(database: Engine, records: Sequence[ScoreRecord], *, now: datetime) -> None:
    """Store scores; their ids are made from their content, so a repeated one is the one already there."""
    if records:
        with write_transaction(database) as session:
            add_scores(session, records, now=now)


def add_scores(session: Session, records: Sequence[ScoreRecord], *, now: datetime) -> None:
    """Store scores in a transaction that is under way."""
    insert_new(session, ScoreRow, [_values(record, now) for record in records], "score_id")


def _values(record: ScoreRecord, now: datetime) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in ScoreRecord.__slots__}
    row = [None if math.isnan(value) else value for value in record.feature_row]
    return {**values, "feature_row": row, "scored_at": now}
