"""Dispute a score: somebody in sales does not believe it, and gets an answer within its own time limit."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from features.history.store import History
from features.words.reasons import Language
from serving.acts import BEFORE_TOLERANCE, refuse_problems
from serving.db.audited import audited_transaction
from serving.db.tables import ScoreRow
from serving.db.tables_feedback import DisputeRow
from serving.db.tables_leads import LeadRow
from serving.disputes import DisputeView, dispute_view
from serving.errors import ActProblem, ActRefusedError, UnknownLeadError
from serving.lead_book import lead_rows
from serving.lead_marks import UNKEYED, LeadMarks, refuse_erased
from serving.leads import unknown_leads
from serving.reasons import Agreed, agreed_now
from sla.feedback import Question, judge_question


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDispute:
    """What is disputed: a score of the lead (None: its newest), why, when; no `dispute_id`: made of both."""

    lead_id: str
    reason: str
    at: datetime
    score_id: str | None = None
    dispute_id: str | None = None


def dispute_score(
    database: Engine,
    history: History,
    new: NewDispute,
    *,
    by: str,
    now: datetime,
    lang: Language,
    marks: LeadMarks = UNKEYED,
) -> DisputeView:
    """Store a dispute with its deadline in open time of the side that answers.

    The same id, or without ids the same score again, is the dispute already there. Raises
    `UnknownLeadError`, `ErasedLeadError`, and `ActRefusedError` for a lead without such a score, a time
    before it, or an id of another lead's dispute.
    """
    with audited_transaction(database, now=now) as work:
        session = work.session
        refuse_erased(session, [new.lead_id], marks)
        if unknown_leads(session.connection(), history, [new.lead_id]):
            raise UnknownLeadError(new.lead_id)
        score = _score(session, new)
        dispute_id = new.dispute_id or _dispute_id(new.lead_id, score.score_id)
        row = session.get(DisputeRow, dispute_id)
        refuse_problems(_problems(new, score, row))
        if row is None:
            lead_rows(session, history, [new.lead_id], now=now)
            row = _row(dispute_id, new, score, agreed_now(session, now=now), by=by, now=now)
            session.add(row)
            after = {"score_id": row.score_id, "due_at": row.due_at}
            work.note("score.disputed", who=by, what=marks.name(new.lead_id), after=after)
        return dispute_view(row, now=now, lang=lang)


def _score(session: Session, new: NewDispute) -> ScoreRow:
    """Return the score that is disputed, or raise `ActRefusedError`.

    Of several as of one instant the lead's present one is its newest.
    """
    query = select(ScoreRow).where(ScoreRow.lead_id == new.lead_id)
    if new.score_id is not None:
        query = query.where(ScoreRow.score_id == new.score_id)
    present = select(LeadRow.score_id).where(LeadRow.lead_id == new.lead_id).scalar_subquery()
    newest = (ScoreRow.as_of.desc(), (ScoreRow.score_id == present).desc(), ScoreRow.score_id)
    found = session.scalars(query.order_by(*newest).limit(1)).first()
    if found is None and new.score_id is not None:
        problem = ActProblem(field="score_id", rule="must be a score of this lead", value=new.score_id)
        raise ActRefusedError((problem,))
    if found is None:
        raise ActRefusedError((ActProblem(field="lead_id", rule="must have been scored", value=new.lead_id),))
    return found


def _problems(new: NewDispute, score: ScoreRow, known: DisputeRow | None) -> Iterator[ActProblem]:
    if new.at < score.as_of - BEFORE_TOLERANCE:
        rule = f"must not lie before the score, {score.as_of.isoformat()}"
        yield ActProblem(field="occurred_at", rule=rule, value=new.at.isoformat())
    if known is not None and known.lead_id != new.lead_id:
        rule = "must not be the id of another lead's dispute"
        yield ActProblem(field="dispute_id", rule=rule, value=new.dispute_id)


def _row(
    dispute_id: str, new: NewDispute, score: ScoreRow, agreed: Agreed, *, by: str, now: datetime
) -> DisputeRow:
    rule, policy = agreed.rule, agreed.policy
    due_at = None
    if rule is not None and policy is not None:
        hours = policy.hours_of(rule.dispute_side)
        question = Question(opened_at=now, within=rule.dispute_within, hours=hours)
        due_at = judge_question(question, now=now).due_at
    return DisputeRow(
        dispute_id=dispute_id,
        lead_id=new.lead_id,
        score_id=score.score_id,
        probability=score.probability,
        points=score.points,
        reason=new.reason,
        by=by,
        occurred_at=new.at,
        recorded_at=now,
        policy_version=agreed.version,
        side=None if rule is None else rule.dispute_side.value,
        due_at=due_at,
    )


def _dispute_id(lead_id: str, score_id: str) -> str:
    return hashlib.sha256(f"{lead_id}\n{score_id}".encode()).hexdigest()[:32]
