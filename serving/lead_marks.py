"""A lead's mark: what stays of an erased person, and how the audit log names a lead.

A keyed hash of the lead's id. Whoever has the workspace's secret file can tell that a lead that comes again
is one that was erased; nobody can read from a mark who it was, and without the key nobody can try ids.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.db.tables_leads import TombstoneRow
from serving.errors import ErasedLeadError

USE = b"leadpact lead marks 1"
SHOWN_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadMarks:
    """Makes marks under one key."""

    key: bytes

    @classmethod
    def of_workspace(cls, secret: bytes) -> "LeadMarks":
        """Return the marks of a workspace: keyed with its secret, for this use only."""
        return cls(key=hmac.new(secret, USE, hashlib.sha256).digest())

    def mark(self, lead_id: str) -> str:
        """Return the mark of a lead, 64 hex digits; blanks around an id are none of it, as in the history."""
        return hmac.new(self.key, lead_id.strip().encode(), hashlib.sha256).hexdigest()

    def name(self, lead_id: str) -> str:
        """Return how the audit log, which keeps everything for ever, names a lead."""
        return f"lead #{self.mark(lead_id)[:SHOWN_DIGITS]}"


UNKEYED = LeadMarks(key=b"")
"""For callers without a workspace, such as tests of single operations."""


def erased_of(session: Session, lead_ids: Iterable[str], marks: LeadMarks) -> tuple[str, ...]:
    """Return those of the ids whose persons were erased, sorted."""
    by_mark = {marks.mark(lead_id): lead_id for lead_id in lead_ids}
    found = session.scalars(select(TombstoneRow.mark).where(TombstoneRow.mark.in_(by_mark)))
    return tuple(sorted(by_mark[mark] for mark in found))


def refuse_erased(session: Session, lead_ids: Iterable[str], marks: LeadMarks) -> None:
    """Raise `ErasedLeadError` when the person of one of the ids was erased."""
    erased = erased_of(session, lead_ids, marks)
    if erased:
        raise ErasedLeadError(erased)
