"""Propose a policy: from then on both sides can comment and sign, and it has a last day."""

from datetime import datetime

from sqlalchemy import Engine

from serving.db.audited import audited_transaction
from serving.db.tables import PolicyRow
from serving.errors import PolicyRefusedError
from serving.operations.draft_policy import new_policy_row, put_text, refuse_past_expiry
from serving.policies import Person, find_policy_row, leave_trace, perform, person_of, proposal_terms
from serving.public_holidays import freeze_dates, says_the_same
from sla.policy import Policy
from sla.policy_file import read_policy
from sla.policy_life import Act, State, expiry_of
from sla.stages import Side
from sla.texts import Text

TAKEN = Text(
    en="version {version} was already proposed by {person} with other content; "
    "raise the version number in the file",
    de="Version {version} hat schon {person} mit anderem Inhalt vorgeschlagen; "
    "erhöhen Sie die Versionsnummer in der Datei",
)


def propose_policy(
    database: Engine,
    text: str,
    *,
    by: str,
    now: datetime,
    source: str = "policy.toml",
    side: Side | None = None,
    expires_at: datetime | None = None,
) -> int:
    """Store a policy under the version its text names, propose it, and return that version.

    The same policy again changes nothing; a draft of this version is replaced and proposed. Raises
    `PolicyProblems` with every mistake of the text, a date that is over or taken among them, and
    `PolicyRefusedError` when another policy was already proposed under this version.
    """
    person = person_of(by, side)
    refuse_past_expiry(expires_at, now)
    with audited_transaction(database, now=now) as work:
        known = read_policy(text, source=source)
        row = work.session.get(PolicyRow, known.version)
        if row is not None and row.state != State.DRAFT:
            _refuse_other_content(row, known)
            return known.version
        written = read_policy(text, source=source, proposal=proposal_terms(work.session, now))
        policy, text = freeze_dates(written, text, now=now)
        if row is None:
            row = new_policy_row(work, policy, text, person)
            row.state = State.PROPOSED.value
            work.session.flush()
            leave_trace(work, row, Act.PROPOSE, person, before=None)
        else:
            put_text(row, policy, text)
            perform(work, row, Act.PROPOSE, person)
        _open(row, person, now, expires_at)
    return policy.version


def propose_draft(
    database: Engine,
    version: int,
    *,
    by: str,
    now: datetime,
    side: Side | None = None,
    expires_at: datetime | None = None,
) -> None:
    """Propose a draft that is stored; its date is checked again.

    Raises `UnknownPolicyError`, `PolicyProblems` or `PolicyRefusedError`.
    """
    person = person_of(by, side)
    refuse_past_expiry(expires_at, now)
    with audited_transaction(database, now=now) as work:
        row = find_policy_row(work.session, version)
        source = f"policy version {version}"
        if row.state == State.DRAFT:
            read_policy(row.content, source=source, proposal=proposal_terms(work.session, now))
        perform(work, row, Act.PROPOSE, person)
        _open(row, person, now, expires_at)


def _open(row: PolicyRow, person: Person, now: datetime, expires_at: datetime | None) -> None:
    row.proposed_by, row.proposed_at = person.name, now
    row.expires_at = expires_at or expiry_of(now)


def _refuse_other_content(row: PolicyRow, policy: Policy) -> None:
    if not says_the_same(read_policy(row.content), policy):
        words = {"version": row.version, "person": row.proposed_by or row.drafted_by}
        raise PolicyRefusedError(Text(en=TAKEN.en.format(**words), de=TAKEN.de.format(**words)))
