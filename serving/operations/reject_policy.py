"""Reject a policy: the side it was proposed to says no, and why."""

from datetime import datetime

from sqlalchemy import Engine

from serving.db.audited import audited_transaction
from serving.operations.comment_policy import words_of
from serving.policies import find_policy_row, perform, person_of
from sla.policy_life import Act
from sla.stages import Side


def reject_policy(
    database: Engine, version: int, *, by: str, side: Side | None, reason: str, now: datetime
) -> None:
    """End a proposal with a reason; raises `InputError` without one, else as every act on a policy."""
    person, note = person_of(by, side), words_of("reason", reason)
    with audited_transaction(database, now=now) as work:
        perform(work, find_policy_row(work.session, version), Act.REJECT, person, note=note)
