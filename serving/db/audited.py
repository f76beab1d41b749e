"""The one way to write for a person: a transaction that leaves its trace in the audit log, or does nothing.

Everybody waits for the head of the log, so acts are one after the other on both databases: what an act reads
stays true until it commits, and the chain has no branches.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import Engine, event
from sqlalchemy.orm import ORMExecuteState, Session

from features.errors import LeadPactError
from serving.audit import AuditEntry, AuditHead, Values, seal_entry
from serving.db.session import write_transaction
from serving.db.tables import AuditHeadRow, AuditRow

THE_HEAD = 1
LONGEST_WORD = 300


class UnauditedWriteError(LeadPactError):
    """An operation changed something and noted nothing: a mistake of ours, and nothing was stored."""


@dataclass(slots=True, kw_only=True)
class AuditedWork:
    """One unit of work: `session` to write with, `note` to say what was done. Nothing noted, nothing kept."""

    session: Session
    now: datetime
    head: AuditHead
    entries: list[AuditEntry] = field(default_factory=list)
    has_written: bool = False

    def note(
        self, act: str, *, who: str, what: str, before: Values | None = None, after: Values | None = None
    ) -> None:
        """Add one entry: `act` is a stable code such as policy.sign, `what` names the thing, `who` acts.

        `before` and `after` hold plain JSON values and aware times; personal data belongs elsewhere.
        """
        entry = seal_entry(
            self.head,
            at=self.now,
            who=who[:LONGEST_WORD],
            act=act,
            what=what[:LONGEST_WORD],
            before=before,
            after=after,
        )
        self.entries.append(entry)
        self.head = entry.head


@contextmanager
def audited_transaction(database: Engine, *, now: datetime) -> Iterator[AuditedWork]:
    """Give a unit of work; its changes and its notes are committed together, or neither is.

    Raises `UnauditedWriteError` when rows were written and nothing was noted.
    """
    with write_transaction(database) as session:
        row = session.get_one(AuditHeadRow, THE_HEAD, with_for_update=True)
        work = AuditedWork(
            session=session, now=now, head=AuditHead(number=row.number, entry_hash=row.entry_hash)
        )
        _watch(work)
        yield work
        session.flush()
        _append(work, row)


def _watch(work: AuditedWork) -> None:
    """Remember whether the session wrote anything, through objects or statements."""

    def wrote(*_: object) -> None:
        work.has_written = True

    def executed(state: ORMExecuteState) -> None:
        if not state.is_select:
            wrote()

    event.listen(work.session, "after_flush", wrote)
    event.listen(work.session, "do_orm_execute", executed)


def _append(work: AuditedWork, row: AuditHeadRow) -> None:
    if work.has_written and not work.entries:
        raise UnauditedWriteError("an operation wrote without a note in the audit log; nothing was stored")
    work.session.add_all(AuditRow(**asdict(entry)) for entry in work.entries)
    row.number, row.entry_hash = work.head.number, work.head.entry_hash
