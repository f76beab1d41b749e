"""Propose a policy: its text becomes a version that both sides can sign and nobody can change."""

from datetime import datetime

from sqlalchemy import Engine

from features.errors import InputError
from features.problems import shorten
from serving.db.session import write_transaction
from serving.db.tables import PolicyRow
from serving.errors import PolicyRefusedError
from sla.policy import Policy
from sla.policy_file import policy_hash, read_policy
from sla.signatures import person_key

LONGEST_NAME = 200


def propose_policy(
    database: Engine, text: str, *, by: str, now: datetime, source: str = "policy.toml"
) -> int:
    """Store a policy under the version its text names, and return that version.

    The same policy again changes nothing. Raises `PolicyProblems` with every mistake of the text, and
    `PolicyRefusedError` when another policy already has this version.
    """
    person = person_name(by)
    policy = read_policy(text, source=source)
    with write_transaction(database) as session:
        known = session.get(PolicyRow, policy.version)
        if known is None:
            session.add(_new_row(policy, text, person, now))
        elif known.content_hash != policy_hash(policy):
            raise PolicyRefusedError(
                f"version {policy.version} was already proposed by {known.proposed_by} with other content; "
                "raise the version number in the file"
            )
    return policy.version


def person_name(text: str) -> str:
    """Return the name of who proposes or signs, without outer spaces; `InputError` when it is none."""
    name = text.strip()
    if not 1 <= max(len(name), len(person_key(name))) <= LONGEST_NAME:
        raise InputError(f"a person's name must have 1 to {LONGEST_NAME} characters; got {shorten(text)!r}")
    return name


def _new_row(policy: Policy, text: str, by: str, now: datetime) -> PolicyRow:
    return PolicyRow(
        version=policy.version,
        name=policy.name,
        content=text,
        content_hash=policy_hash(policy),
        valid_from=policy.valid_from,
        proposed_by=by,
        proposed_at=now,
    )
