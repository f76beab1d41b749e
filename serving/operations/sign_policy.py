"""Sign a policy for one side. Nobody signs for both; the second signature puts it in force."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, select

from serving.db.audited import AuditedWork, audited_transaction
from serving.db.tables import PolicyRow, PolicySignatureRow
from serving.errors import PolicyRefusedError
from serving.outbox import Event, News, tell
from serving.policies import Person, find_policy_row, perform, person_of, policy_name
from sla.policy_life import Act, State, effective_from
from sla.stages import Side
from sla.texts import Text

SIDE_HAS_SIGNED = Text(
    en="version {version} is already signed for {side} by {person}",
    de="Version {version} ist für die Seite {side} schon von {person} unterschrieben",
)
OTHER_TEXT = Text(
    en="version {version} has changed since it was read: its hash is {hash}",
    de="Version {version} wurde geändert, seit sie gelesen wurde: Ihre Prüfsumme ist {hash}",
)


def sign_policy(
    database: Engine, *, version: int, side: Side, person: str, now: datetime, policy_hash: str | None = None
) -> State:
    """Store one side's signature under one version and return the state it led to.

    The same person for the same side again changes nothing. `policy_hash` is the hash of what was read: when
    the text is another one by now, nothing is signed. Raises `UnknownPolicyError`, `InputError` for an empty
    name, `PolicyRefusedError` when the life of the policy or the other side forbids it.
    """
    signer = person_of(person, side)
    with audited_transaction(database, now=now) as work:
        row = find_policy_row(work.session, version)
        _refuse_other_text(row, policy_hash)
        known = work.session.scalars(
            select(PolicySignatureRow).where(PolicySignatureRow.version == version)
        ).all()
        if any(one.side == side and one.person_key == signer.key for one in known):
            return State(row.state)
        _refuse_second_signature(known, side)
        return _sign(work, row, signer, side)


def _sign(work: AuditedWork, row: PolicyRow, signer: Person, side: Side) -> State:
    after = perform(work, row, Act.SIGN, signer)
    work.session.add(
        PolicySignatureRow(
            version=row.version,
            side=side.value,
            person=signer.name,
            person_key=signer.key,
            signed_at=work.now,
            policy_hash=row.content_hash,
        )
    )
    if after is State.AGREED:
        row.effective_at = effective_from(row.valid_from, work.now)
        in_force = {"effective_at": row.effective_at, "hash": row.content_hash}
        work.note("policy.agreed", who=signer.signature, what=policy_name(row.version), after=in_force)
        _tell(work, row, row.effective_at)
    return after


def _tell(work: AuditedWork, row: PolicyRow, effective_at: datetime) -> None:
    """Tell that a policy is in force; before its day nobody is told. What both have signed cannot go back."""
    news = News(
        event=Event.POLICY_ACTIVATED,
        about=f"{row.version}\n{row.content_hash}",
        at=effective_at,
        not_before=effective_at,
        data={"policy_version": row.version, "policy_hash": row.content_hash, "effective_at": effective_at},
    )
    tell(work.session, news, now=work.now)


def _refuse_other_text(row: PolicyRow, policy_hash: str | None) -> None:
    if policy_hash is not None and policy_hash != row.content_hash:
        raise _refusal(OTHER_TEXT, version=row.version, hash=row.content_hash)


def _refuse_second_signature(known: Sequence[PolicySignatureRow], side: Side) -> None:
    for one in known:
        if one.side == side:
            raise _refusal(SIDE_HAS_SIGNED, version=one.version, side=one.side, person=one.person)


def _refusal(template: Text, **words: object) -> PolicyRefusedError:
    return PolicyRefusedError(Text(en=template.en.format(**words), de=template.de.format(**words)))
