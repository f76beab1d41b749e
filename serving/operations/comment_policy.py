"""Comment on a policy: both sides can, as long as it is not over."""

from datetime import datetime

from sqlalchemy import Engine

from features.errors import InputError
from features.problems import shorten
from serving.db.audited import audited_transaction
from serving.policies import find_policy_row, perform, person_of
from sla.policy_life import Act
from sla.stages import Side

LONGEST_COMMENT = 4_000


def comment_policy(
    database: Engine, version: int, *, by: str, side: Side | None, text: str, now: datetime
) -> None:
    """Add a comment; raises `InputError` for an empty one, `UnknownPolicyError`, `PolicyRefusedError`."""
    person, note = person_of(by, side), words_of("comment", text)
    with audited_transaction(database, now=now) as work:
        perform(work, find_policy_row(work.session, version), Act.COMMENT, person, note=note)


def words_of(thing: str, text: str) -> str:
    """Return what a person wrote, without outer spaces; `InputError` when it is nothing or too long."""
    words = text.strip()
    is_storable = "\x00" not in words and words == words.encode("utf-8", "replace").decode()
    if not 1 <= len(words) <= LONGEST_COMMENT or not is_storable:
        rule = f"must be a text of 1 to {LONGEST_COMMENT:,} characters"
        raise InputError(f"the {thing} {rule}; got {shorten(text)!r}")
    return words
