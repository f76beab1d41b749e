"""Record what CRMs send about leads: any number of changes, then each lead scored once, in one transaction.

What one change means is said by its own operation; here each becomes an audit entry, in one commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from features.errors import LeadPactError
from features.history.store import History
from serving.audit import Values
from serving.db.audited import AuditedWork, audited_transaction
from serving.db.tables_leads import LeadRow
from serving.errors import ErasedLeadError, UnknownLeadError
from serving.lead_book import lead_rows, open_leads
from serving.lead_marks import UNKEYED, LeadMarks, erased_of
from serving.lead_scoring import Cause, score_and_settle
from serving.lead_work import Standing
from serving.leads import unknown_leads
from serving.scorer import Scorer


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a batch led to: how many rows were new, how many were known, and where its leads stand."""

    stored: int
    repeated: int
    leads: tuple[Standing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownLeads:
    """Why a change was not stored: it names leads that were neither put nor imported."""

    lead_ids: frozenset[str]


Refused = UnknownLeads | LeadPactError
"""Why a change was not stored; others of the same commit were."""


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

    @property
    def creates_leads(self) -> bool:
        """Whether a lead that nobody knows begins with it."""

    def refusal(self, session: Session, *, now: datetime) -> LeadPactError | None:
        """Return what is wrong with it beside its leads, if anything."""

    @classmethod
    def store_all(
        cls, session: Session, changes: Sequence[Self], leads: Mapping[str, LeadRow], *, now: datetime
    ) -> Sequence[Stored]:
        """Store the rows of changes of this kind, in order; the leads they are about have theirs."""

    def note(self, stored: Stored, marks: LeadMarks) -> Note:
        """Return its name for the audit log, which names leads by their marks."""


def record_changes(
    database: Engine,
    changes: Sequence[Change],
    *,
    history: History,
    scorer: Scorer | None,
    now: datetime,
    marks: LeadMarks = UNKEYED,
) -> tuple[Recorded | Refused, ...]:
    """Store changes, score the leads they changed as of now, and return for each where its leads stand.

    A lead that two of the changes are about is scored once, with both. A change of leads that nobody knows,
    of an erased person, or that breaks the agreement is left out, and its refusal says so.
    """
    with audited_transaction(database, now=now) as work:
        refused = _refused(work.session, changes, history, marks, now)
        kept = [change for change, refusal in zip(changes, refused, strict=True) if refusal is None]
        recorded = iter(_record(work, kept, history, scorer, marks))
        return tuple(next(recorded) if refusal is None else refusal for refusal in refused)


def record_change(
    database: Engine,
    change: Change,
    *,
    history: History,
    scorer: Scorer | None,
    now: datetime,
    marks: LeadMarks = UNKEYED,
) -> Recorded:
    """Do the same with one change, and raise its refusal; `UnknownLeadError` names a lead nobody knows."""
    (done,) = record_changes(database, [change], history=history, scorer=scorer, now=now, marks=marks)
    if isinstance(done, UnknownLeads):
        raise UnknownLeadError(min(done.lead_ids))
    if isinstance(done, LeadPactError):
        raise done
    return done


def _refused(
    session: Session, changes: Sequence[Change], history: History, marks: LeadMarks, now: datetime
) -> list[Refused | None]:
    """Return for each change why it cannot be stored."""
    everyone = frozenset[str]().union(*(one.lead_ids for one in changes))
    erased = frozenset(erased_of(session, everyone, marks))
    found: list[Refused | None] = []
    for change, lacks in zip(changes, _unknown(session, changes, history), strict=True):
        if change.lead_ids & erased:
            found.append(ErasedLeadError(tuple(sorted(change.lead_ids & erased))))
        elif lacks:
            found.append(UnknownLeads(lead_ids=lacks))
        else:
            found.append(change.refusal(session, now=now))
    return found


def _unknown(session: Session, changes: Sequence[Change], history: History) -> list[frozenset[str]]:
    """Return for each change the leads it needs and nobody knows; one before it may have begun them."""
    begun = {lead_id for one in changes if one.creates_leads for lead_id in one.lead_ids}
    needed = {lead_id for one in changes if not one.creates_leads for lead_id in one.lead_ids}
    missing = unknown_leads(session.connection(), history, needed) - begun if needed else frozenset()
    return [frozenset() if one.creates_leads else one.lead_ids & missing for one in changes]


def _record(
    work: AuditedWork,
    changes: Sequence[Change],
    history: History,
    scorer: Scorer | None,
    marks: LeadMarks,
) -> list[Recorded]:
    wanted = frozenset[str]().union(*(one.lead_ids for one in changes))
    rows = lead_rows(work.session, history, wanted, now=work.now)
    stored = _store(work.session, changes, rows, work.now)
    causes = _joined(stored)
    leads = open_leads(work.session, history, {lead_id: rows[lead_id] for lead_id in sorted(causes)})
    standings = score_and_settle(work.session, leads, scorer, now=work.now, causes=causes)
    where = {one.lead_id: one for one in standings}
    for change, done in zip(changes, stored, strict=True):
        note = change.note(done, marks)
        work.note(note.act, who=note.who, what=note.what, after=done.counts)
    return [_recorded(done, where) for done in stored]


def _store(
    session: Session, changes: Sequence[Change], rows: Mapping[str, LeadRow], now: datetime
) -> list[Stored]:
    """Store changes kind by kind; kinds have tables of their own, so only the order within one counts."""
    stored: dict[int, Stored] = {}
    for kind in dict.fromkeys(type(one) for one in changes):
        places = [place for place, one in enumerate(changes) if type(one) is kind]
        done = kind.store_all(session, [changes[place] for place in places], rows, now=now)
        stored |= dict(zip(places, done, strict=True))
    return [stored[place] for place in range(len(changes))]


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
