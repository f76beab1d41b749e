"""Read the scores of one lead, the newest first, with what each change is told from."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, and_, or_, select
from sqlalchemy.orm import Session

from features.history.store import History
from serving.db.session import read_transaction
from serving.db.tables import PolicyRow, ScoreRow
from serving.errors import UnknownLeadError
from serving.leads import KnownLead, find_lead
from serving.operations.active_policy import read_stored
from serving.operations.read_score import record_of_row
from serving.operations.record_scores import ScoreRecord
from sla.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class PastScore:
    """A stored score and when it was stored."""

    record: ScoreRecord
    scored_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeadScores:
    """Scores of a lead, the newest first; the last one may be shown only as what came before."""

    known: KnownLead
    scores: tuple[PastScore, ...]
    has_more: bool
    policies: tuple[tuple[str, Policy], ...]

    def policy(self, version: str) -> Policy | None:
        """Return a policy one of the scores names."""
        return dict(self.policies).get(version)


def list_scores(
    database: Engine, history: History, lead_id: str, *, limit: int, after: str | None
) -> LeadScores:
    """Return up to `limit` scores behind `after` and the one before them, or raise `UnknownLeadError`.

    An unknown `after` begins at the newest.
    """
    with read_transaction(database) as session:
        known = find_lead(session, history, lead_id)
        if known is None:
            raise UnknownLeadError(lead_id)
        query = select(ScoreRow).where(ScoreRow.lead_id == lead_id)
        last = session.get(ScoreRow, after) if after else None
        if last is not None:
            query = query.where(_behind(last))
        order = (ScoreRow.as_of.desc(), ScoreRow.scored_at.desc(), ScoreRow.score_id.desc())
        rows = session.scalars(query.order_by(*order).limit(limit + 1)).all()
        scores = tuple(PastScore(record=record_of_row(row), scored_at=row.scored_at) for row in rows)
        return LeadScores(
            known=known, scores=scores, has_more=len(rows) > limit, policies=_policies(session, scores)
        )


def _behind(last: ScoreRow) -> ColumnElement[bool]:
    """Return the rows that come after one in the order of the list."""
    return or_(
        ScoreRow.as_of < last.as_of,
        and_(ScoreRow.as_of == last.as_of, ScoreRow.scored_at < last.scored_at),
        and_(
            ScoreRow.as_of == last.as_of,
            ScoreRow.scored_at == last.scored_at,
            ScoreRow.score_id < last.score_id,
        ),
    )


def _policies(session: Session, scores: tuple[PastScore, ...]) -> tuple[tuple[str, Policy], ...]:
    versions = {int(one.record.policy_version) for one in scores}
    rows = session.scalars(select(PolicyRow).where(PolicyRow.version.in_(versions)))
    return tuple((str(row.version), read_stored(row.content, row.version)) for row in rows)
