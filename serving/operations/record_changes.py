"""Record what CRMs send about leads: any number of changes, then each lead scored once, in one transaction.

What one change means is said by its own operation; here each becomes an audit entry, in one commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from features.history.store import History
from serving.audit import Values
from serving.db.audited import audited_transaction
from serving.db.tables_leads import LeadRow
from serving.lead_book import lead_rows, open_leads
from serving.lead_scoring import Cause, score_and_settle
from serving.lead_work import Standing
from serving.scorer import Scorer


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a batch led to: how many rows were new, how many were known, and where its leads stand."""

    stored: int
    repeated: int
    leads: tuple[Standing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What a change stored: the leads it changed with the cause of each; `counts` are for the audit log."""

    causes: Mapping[str, Cause]
    counts: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """How a change is named in the audit log."""

    act: str
    who: str
    what: str


class Change(Protocol):
    """Something a CRM sends about leads."""

    @property
    def lead_ids(self) -> frozenset[str]:
        """The leads it is about."""

    def store(self, session: Session, leads: Mapping[str, LeadRow], *, now: datetime) -> Stored:
        """Store its rows; the leads it is about have theirs."""

    def note(self, stored: Stored) -> Note:
        """Return its name for the audit log."""


def record_changes(
    database: Engine,
    changes: Sequence[Change],
    *,
    history: History,
    scorer: Scorer | None,
    now: datetime,
) -> tuple[Recorded, ...]:
    """Store changes, score the leads they changed as of now, and return for each where its leads stand.

    A lead that two of the changes are about is scored once, with both.
    """
    with audited_transaction(database, now=now) as work:
        wanted = frozenset[str]().union(*(one.lead_ids for one in changes))
        rows = lead_rows(work.session, history, wanted, now=now)
        stored = [one.store(work.session, rows, now=now) for one in changes]
        causes = _joined(stored)
        leads = open_leads(work.session, history, {lead_id: rows[lead_id] for lead_id in sorted(causes)})
        standings = score_and_settle(work.session, leads, scorer, now=now, causes=causes)
        where = {one.lead_id: one for one in standings}
        for change, done in zip(changes, stored, strict=True):
            note = change.note(done)
            work.note(note.act, who=note.who, what=note.what, after=done.counts)
        return tuple(_recorded(done, where) for done in stored)


def _joined(stored: Sequence[Stored]) -> dict[str, Cause]:
    """Return the newest cause of each lead."""
    found: dict[str, Cause] = {}
    for lead_id, cause in (pair for one in stored for pair in one.causes.items()):
        if lead_id not in found or found[lead_id].at <= cause.at:
            found[lead_id] = cause
    return found


def _recorded(done: Stored, where: Mapping[str, Standing]) -> Recorded:
    numbers = {name: value for name, value in done.counts.items() if isinstance(value, int)}
    return Recorded(
        stored=numbers.get("stored", 0),
        repeated=numbers.get("repeated", 0),
        leads=tuple(where[lead_id] for lead_id in sorted(done.causes)),
    )
