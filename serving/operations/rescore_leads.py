"""Score open leads again though nothing happened, as often as the policy says; keep what changed enough.

The scores are computed while nobody waits; only leads that changed are scored once more, with what is known
of them then, in the transaction that stores it. A lead moves by the same rules as after any other score, so
hysteresis holds. Two workers at once, or one that comes late, store each change once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, and_, or_, select, update
from sqlalchemy.orm import Session

from features.history.store import History
from serving.db.audited import audited_transaction
from serving.db.session import read_transaction
from serving.db.tables_leads import LeadRow
from serving.lead_book import OpenLead, lead_rows, open_leads
from serving.lead_scoring import Cause, request_of, score_and_settle, scored_event, state_of_open
from serving.scorer import Judged, Scorer
from sla.decision import REFUSALS
from sla.lifecycle import LeadState, fold_events
from sla.stages import FINAL_STAGES, Stage

MOST_PER_BATCH = 100
"""So many leads hold up nobody else who writes, even if all of them have changed."""

WORKER = "worker"
OPEN_STAGES = tuple(sorted(stage.value for stage in Stage if stage not in FINAL_STAGES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescored:
    """How many leads were looked at, and how many had changed and were stored."""

    looked_at: int
    changed: int


NOTHING_DUE = Rescored(looked_at=0, changed=0)


def rescore_leads(
    database: Engine, *, history: History, scorer: Scorer, now: datetime, most: int = MOST_PER_BATCH
) -> Rescored:
    """Look at up to `most` leads that are due; nothing is due under a policy that does not say how often."""
    rule = scorer.active.policy.rescoring
    if rule is None:
        return NOTHING_DUE
    due_at = now - timedelta(hours=rule.every_hours)
    with read_transaction(database) as session:
        due = _due(session, due_at, most)
        leads = open_leads(session, history, {row.lead_id: row for row in due})
        changed = _changed(leads, scorer, step=rule.step_points, now=now)
    if not due:
        return NOTHING_DUE
    return _store(database, [row.lead_id for row in due], changed, history, scorer, now=now, due_at=due_at)


def is_worth_telling(lead: OpenLead, state: LeadState, judged: Judged, scorer: Scorer, *, step: int) -> bool:
    """Say whether a score differs by more than the step, or moves the lead or the versions it rests on."""
    before = lead.row.probability
    if lead.row.score_id is None or before is None:
        return True
    if abs(judged.predicted.points - _points(before)) > step:
        return True
    if judged.decision.rule in REFUSALS:
        return False
    event = scored_event(judged, scorer, stage=judged.decision.stage, now=judged.facts.as_of)
    after = fold_events((*lead.events, event), created_at=lead.row.created_at)
    return (after.stage, after.held, after.basis) != (state.stage, state.held, state.basis)


def _points(probability: float) -> float:
    """Return points, neither rounded nor cut; what is certain has no end of them."""
    if probability in (0.0, 1.0):
        return math.copysign(math.inf, probability - 0.5)
    return 50.0 + 5.0 * math.log2(probability / (1.0 - probability))


def _due(session: Session, due_at: datetime, most: int) -> Sequence[LeadRow]:
    """Return the leads that nobody has looked at for so long, those never looked at first; none objects."""
    is_open = and_(LeadRow.stage.in_(OPEN_STAGES), LeadRow.objected_at.is_(None))
    never = select(LeadRow).where(is_open, LeadRow.looked_at.is_(None)).limit(most)
    found = list(session.scalars(never))
    if len(found) < most:
        longest = select(LeadRow).where(is_open, LeadRow.looked_at <= due_at).order_by(LeadRow.looked_at)
        found += session.scalars(longest.limit(most - len(found)))
    return found


def _changed(leads: Sequence[OpenLead], scorer: Scorer, *, step: int, now: datetime) -> frozenset[str]:
    states = [state_of_open(lead) for lead in leads]
    asked = [request_of(lead, state, now) for lead, state in zip(leads, states, strict=True)]
    judged = scorer.judge_all(asked)
    return frozenset(
        lead.row.lead_id
        for lead, state, score in zip(leads, states, judged, strict=True)
        if is_worth_telling(lead, state, score, scorer, step=step)
    )


def _store(
    database: Engine,
    due: Sequence[str],
    changed: frozenset[str],
    history: History,
    scorer: Scorer,
    *,
    now: datetime,
    due_at: datetime,
) -> Rescored:
    """Store the scores that changed; leads another worker has looked at meanwhile are left to it."""
    with audited_transaction(database, now=now) as work:
        session = work.session
        query = select(LeadRow.lead_id).where(LeadRow.lead_id.in_(due), _is_due(due_at))
        still = frozenset(session.scalars(query))
        rows = lead_rows(session, history, still & changed, now=now)
        causes = {lead_id: Cause(at=now) for lead_id in rows}
        score_and_settle(session, open_leads(session, history, rows), scorer, now=now, causes=causes)
        same = update(LeadRow).where(LeadRow.lead_id.in_(still - changed))
        session.execute(same.values(looked_at=now), execution_options={"synchronize_session": False})
        found = Rescored(looked_at=len(still), changed=len(rows))
        what = f"{found.looked_at} leads"
        work.note("scores.refreshed", who=WORKER, what=what, after={"changed": found.changed})
        return found


def _is_due(due_at: datetime) -> ColumnElement[bool]:
    return or_(LeadRow.looked_at.is_(None), LeadRow.looked_at <= due_at)
