"""Withdraw a policy: the side whose version it is takes it back before both have signed."""

from datetime import datetime

from sqlalchemy import Engine

from serving.db.audited import audited_transaction
from serving.policies import find_policy_row, perform, person_of
from sla.policy_life import Act
from sla.stages import Side


def withdraw_policy(database: Engine, version: int, *, by: str, side: Side | None, now: datetime) -> None:
    """Take a version back; raises `UnknownPolicyError` or `PolicyRefusedError`."""
    person = person_of(by, side)
    with audited_transaction(database, now=now) as work:
        perform(work, find_policy_row(work.session, version), Act.WITHDRAW, person)
