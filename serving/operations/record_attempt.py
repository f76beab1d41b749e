"""Record an attempt to reach a lead; after the agreed most without contact marketing has it back."""

import hashlib
from datetime import datetime
from itertools import chain

from sqlalchemy import Engine

from serving.acts import (
    accept_if_open,
    find_handover,
    refuse_marketings,
    refuse_problems,
    take_act,
    time_problems,
)
from serving.db.audited import AuditedWork, audited_transaction
from serving.db.tables_leads import AttemptRow, HandoverRow, LeadRow
from serving.handovers import RUNNING_WORDS, attempts_of, policy_of, refresh_clocks
from serving.notes import NO_TAGS, Tags, add_note, made_note_id, tag_problems
from serving.reasons import agreed_now
from sla.clauses_feedback import NO_CONTACT
from sla.handover import Attempt, AttemptResult, ReasonGroup, is_exhausted
from sla.lifecycle import EventKind


def record_attempt(
    database: Engine,
    handover_id: str,
    attempt: Attempt,
    *,
    by: str,
    note: str | None,
    now: datetime,
    tags: Tags = NO_TAGS,
) -> None:
    """Store an attempt; the same id again changes nothing. It answers the lead, so the seller's clock ends.

    An attempt after the end of the handover moves nothing, but it was made and is judged with the others.
    With an objection or content it is a note, too. Raises `UnknownHandoverError`, `HandoverOverError` for
    what marketing has back, `ActRefusedError` for an attempt before the handover or tags nobody agreed.
    """
    with audited_transaction(database, now=now) as work:
        row = find_handover(work.session, handover_id)
        if work.session.get(AttemptRow, attempt.attempt_id) is not None:
            return
        refuse_marketings(row)
        problems = tag_problems(agreed_now(work.session, now=now), tags)
        refuse_problems(chain(time_problems(row, "occurred_at", attempt.at), problems))
        if not tags.is_empty:
            _note(work, row, attempt, by, note, tags)
        _store(work, row, attempt, by, note)
        if row.status in RUNNING_WORDS:
            name = hashlib.sha256(attempt.attempt_id.encode()).hexdigest()[:32]
            take_act(work, row, EventKind.ATTEMPTED, at=attempt.at, name=name)
            _give_back_if_exhausted(work, row, at=attempt.at)
        refresh_clocks(work.session, row, now=now)
        after = {"channel": attempt.channel, "result": attempt.result.value}
        work.note("handover.attempted", who=by, what=f"handover {handover_id}", after=after)


def sent_attempts(work_attempts: tuple[AttemptRow, ...]) -> tuple[Attempt, ...]:
    """Return stored attempts as the rules read them."""
    return tuple(
        Attempt(
            attempt_id=one.attempt_id,
            at=one.occurred_at,
            channel=one.channel,
            result=AttemptResult(one.result),
        )
        for one in work_attempts
    )


def _store(work: AuditedWork, row: HandoverRow, attempt: Attempt, by: str, note: str | None) -> None:
    at = max(attempt.at, row.created_at)
    work.session.add(
        AttemptRow(
            attempt_id=attempt.attempt_id,
            handover_id=row.handover_id,
            occurred_at=at,
            channel=attempt.channel,
            result=attempt.result.value,
            by=by,
            note=note,
        )
    )
    accept_if_open(row, by)
    row.assigned_at = row.assigned_at or at
    row.answered_at = at if row.answered_at is None else min(row.answered_at, at)
    work.session.flush()


def _note(
    work: AuditedWork, row: HandoverRow, attempt: Attempt, by: str, note: str | None, tags: Tags
) -> None:
    add_note(
        work.session,
        work.session.get_one(LeadRow, row.lead_id),
        tags,
        note_id=made_note_id("attempt", attempt.attempt_id),
        text=note,
        by=by,
        at=max(attempt.at, row.created_at),
        now=work.now,
        attempt_id=attempt.attempt_id,
    )


def _give_back_if_exhausted(work: AuditedWork, row: HandoverRow, *, at: datetime) -> None:
    rule = policy_of(work.session, row.policy_version).attempts
    attempts = sent_attempts(attempts_of(work.session, row))
    if is_exhausted(attempts, rule):
        agreed = agreed_now(work.session, now=work.now)
        is_listed = agreed.rule is not None and agreed.rule.reason(NO_CONTACT) is not None
        why = agreed.why(
            group=ReasonGroup.DATA.value,
            code=NO_CONTACT if is_listed else None,
            text=f"no contact after {len(attempts)} attempts",
        )
        take_act(work, row, EventKind.NO_CONTACT, at=at, name=row.handover_id, why=why)
