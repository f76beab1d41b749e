"""What every act on a policy shares: who acts, where a version stands, and the trace an act leaves.

What is allowed is decided by `sla.policy_life`; here a refusal becomes an error, and an allowed act becomes
rows: the new state, an event for people, a note in the audit log, all in the transaction of the act.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from features.errors import InputError
from features.problems import shorten
from serving.db.audited import AuditedWork
from serving.db.tables import PolicyEventRow, PolicyPersonRow, PolicyRow
from serving.errors import PolicyRefusedError, UnknownPolicyError
from sla.policy_file import Proposal
from sla.policy_life import LIVING_STATES, Act, Standing, State, next_state
from sla.signatures import person_key
from sla.stages import Side
from sla.texts import Text

LONGEST_NAME = 200
UNSEEN = ("Cc", "Cs", "Zl", "Zp")
"""Control characters, halves of characters and line ends: no part of a name."""

OTHER_PERSON = Text(
    en="{person} acts for {side} in policy version {version}; the other side needs another person",
    de="{person} handelt in Version {version} der Vereinbarung für die Seite {side}; "
    "die andere Seite braucht eine andere Person",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who acts, and for which side; None where nobody said."""

    name: str
    side: Side | None

    @property
    def key(self) -> str:
        """What all spellings of the name have in common."""
        return person_key(self.name)

    @property
    def signature(self) -> str:
        """The name with the side, as the audit log shows it."""
        return self.name if self.side is None else f"{self.name} ({self.side})"


def person_of(name: str, side: Side | None) -> Person:
    """Return who acts; `InputError` when the name is none."""
    return Person(name=person_name(name), side=side)


def person_name(text: str) -> str:
    """Return the name of a person, without outer spaces; `InputError` when it is none."""
    name = text.strip()
    if not 1 <= len(person_key(name)) <= LONGEST_NAME or len(name) > LONGEST_NAME:
        raise InputError(f"a person's name must have 1 to {LONGEST_NAME} characters; got {shorten(text)!r}")
    if any(unicodedata.category(one) in UNSEEN for one in name):
        raise InputError(f"a person's name must have no control characters; got {shorten(text)!r}")
    return name


def find_policy_row(session: Session, version: int) -> PolicyRow:
    """Return a version's row, or raise `UnknownPolicyError`."""
    row = session.get(PolicyRow, version)
    if row is None:
        raise UnknownPolicyError(version)
    return row


def standings_of(rows: Sequence[PolicyRow]) -> dict[int, Standing]:
    """Return where each version stands; `rows` are all of them, so that each knows what supersedes it."""
    agreed = sorted((row.effective_at, row.version) for row in rows if row.effective_at is not None)
    ends = {version: agreed[place + 1][0] for place, (_, version) in enumerate(agreed[:-1])}
    return {
        row.version: Standing(
            version=row.version,
            state=State(row.state),
            owner=None if row.side is None else Side(row.side),
            expires_at=row.expires_at,
            effective_at=row.effective_at,
            superseded_at=ends.get(row.version),
        )
        for row in rows
    }


def all_policy_rows(session: Session) -> Sequence[PolicyRow]:
    """Return every version, oldest first."""
    return session.scalars(select(PolicyRow).order_by(PolicyRow.version)).all()


def proposal_terms(session: Session, now: datetime) -> Proposal:
    """Return what a text that is proposed now must fit: the day, and the dates that are taken."""
    rows = all_policy_rows(session)
    standings = standings_of(rows)
    taken = tuple(
        (row.version, row.valid_from)
        for row in rows
        if row.valid_from is not None and standings[row.version].state_at(now) in LIVING_STATES
    )
    return Proposal(now=now, taken=taken)


def perform(work: AuditedWork, row: PolicyRow, act: Act, person: Person, *, note: str = "") -> State:
    """Do one act to a version: check it, bind the person to the side, leave event and audit note.

    Returns the state it led to. Raises `PolicyRefusedError` when the life of the policy does not foresee it,
    or when the person acts for the other side of this version.
    """
    standing = standings_of(all_policy_rows(work.session))[row.version]
    before = standing.state_at(work.now)
    after = next_state(standing, act, person.side, now=work.now)
    if isinstance(after, Text):
        raise PolicyRefusedError(after)
    if after is not before:
        row.state = after.value
    leave_trace(work, row, act, person, before=before, note=note)
    return after


def leave_trace(
    work: AuditedWork, row: PolicyRow, act: Act, person: Person, *, before: State | None, note: str = ""
) -> None:
    """Bind the person to the side, and write the event and the audit note of one act."""
    _bind_side(work.session, row.version, person)
    work.session.add(
        PolicyEventRow(
            version=row.version,
            act=act.value,
            side=person.side,
            person=person.name,
            at=work.now,
            content_hash=row.content_hash,
            note=note,
        )
    )
    work.note(
        f"policy.{act}",
        who=person.signature,
        what=policy_name(row.version),
        before=None if before is None else {"state": before.value},
        after={"state": row.state, "hash": row.content_hash} | ({"note": note} if note else {}),
    )
    work.session.flush()


def policy_name(version: int) -> str:
    """Name a version as the audit log does."""
    return f"policy version {version}"


def _bind_side(session: Session, version: int, person: Person) -> None:
    """Bind a person to a side for one version, at the first act; the other side is refused from then on."""
    if person.side is None:
        return
    bound = session.get(PolicyPersonRow, (version, person.key))
    if bound is None:
        session.add(PolicyPersonRow(version=version, person_key=person.key, side=person.side.value))
    elif bound.side != person.side:
        words = {"person": person.name, "side": bound.side, "version": version}
        raise PolicyRefusedError(Text(en=OTHER_PERSON.en.format(**words), de=OTHER_PERSON.de.format(**words)))
