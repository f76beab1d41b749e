"""Draft a policy, or edit a version that is not agreed yet. An edit voids the signatures it had."""

from datetime import datetime

from sqlalchemy import Engine, delete

from features.errors import InputError
from serving.db.audited import AuditedWork, audited_transaction
from serving.db.tables import PolicyRow, PolicySignatureRow
from serving.policies import Person, leave_trace, perform, person_of, proposal_terms
from serving.public_holidays import freeze_dates, says_the_same
from sla.policy import Policy
from sla.policy_file import policy_hash, read_policy
from sla.policy_life import Act, State
from sla.stages import Side


def draft_policy(
    database: Engine, text: str, *, by: str, side: Side | None, now: datetime, source: str = "policy.toml"
) -> int:
    """Store a text as a draft under the version it names, and return that version.

    A version that is there is edited: its text and hash change, its signatures are void, and a proposal stays
    a proposal. The same text again changes nothing. Raises `PolicyProblems` with every mistake, and
    `PolicyRefusedError` when the version is agreed, over, or the other side's.
    """
    person = person_of(by, side)
    with audited_transaction(database, now=now) as work:
        written = read_policy(text, source=source, proposal=proposal_terms(work.session, now))
        policy, text = freeze_dates(written, text, now=now)
        row = work.session.get(PolicyRow, policy.version)
        if row is None:
            row = new_policy_row(work, policy, text, person)
            work.session.flush()
            leave_trace(work, row, Act.DRAFT, person, before=None)
        elif not says_the_same(read_policy(row.content), policy):
            _edit(work, row, policy, text, person)
    return policy.version


def new_policy_row(work: AuditedWork, policy: Policy, text: str, person: Person) -> PolicyRow:
    """Add the row of a version that is new, as a draft."""
    row = PolicyRow(
        version=policy.version,
        state=State.DRAFT.value,
        side=person.side,
        drafted_by=person.name,
        drafted_at=work.now,
    )
    put_text(row, policy, text)
    work.session.add(row)
    return row


def put_text(row: PolicyRow, policy: Policy, text: str) -> None:
    """Give a version its text and what follows from it."""
    row.name, row.content, row.content_hash = policy.name, text, policy_hash(policy)
    row.valid_from = policy.valid_from


def refuse_past_expiry(expires_at: datetime | None, now: datetime) -> None:
    """Raise `InputError` for a last day that is over."""
    if expires_at is not None and expires_at <= now:
        raise InputError(f"a proposal must expire in the future; got {expires_at.isoformat()}")


def _edit(work: AuditedWork, row: PolicyRow, policy: Policy, text: str, person: Person) -> None:
    put_text(row, policy, text)
    perform(work, row, Act.EDIT, person)
    work.session.execute(delete(PolicySignatureRow).where(PolicySignatureRow.version == row.version))
