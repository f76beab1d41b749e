"""Delete what was kept long enough, class by class, or only count it.

How long is in the settings (`LEADPACT_KEEP_…_DAYS`); nobody is deleted for silence unless they say so. A lead
deleted for its age leaves no tombstone: when it is heard of again, it is a new one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, Engine, delete, exists, func, select

from features.history.stale import stale_leads
from features.history.store import History
from serving.crm.retries import DeliveryStatus
from serving.db.audited import audited_transaction
from serving.db.session import read_transaction, write_transaction
from serving.db.tables import ScoreRow
from serving.db.tables_leads import ActivityRow, DealRow, LeadAttributeRow, LeadRow, StageEventRow
from serving.db.tables_messages import DeliveryRow, KeptAnswerRow, MessageRow
from serving.lead_rows import delete_rows_of_lead
from serving.settings import Settings

ANSWERS_DAYS = 1
MOST_LEADS = 1_000
"""So many leads in one run hold up nobody; the rest goes with the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionCount:
    """One class: how long it is kept (days, None for ever), and how much is, or was, older."""

    what: str
    keep_days: int | None
    count: int


def run_retention(
    database: Engine, settings: Settings, *, by: str, now: datetime, dry_run: bool
) -> tuple[RetentionCount, ...]:
    """Return what is kept too long per class; without `dry_run` it is deleted, and the audit log says so."""
    counts = _clear(database, settings, now=now, dry_run=dry_run)
    gone = {one.what: one.count for one in counts if one.count}
    if gone and not dry_run:
        with audited_transaction(database, now=now) as work:
            work.note("retention.deleted", who=by, what="what was kept long enough", after=gone)
    return counts


def _clear(
    database: Engine, settings: Settings, *, now: datetime, dry_run: bool
) -> tuple[RetentionCount, ...]:

    def counted(what: str, keep_days: int | None, clear: Callable[[datetime], int]) -> RetentionCount:
        count = 0 if keep_days is None else clear(now - timedelta(days=keep_days))
        return RetentionCount(what=what, keep_days=keep_days, count=count)

    history, rejects_dir = History(settings.workspace.history_dir), settings.workspace.rejects_dir
    return (
        counted("answers", ANSWERS_DAYS, lambda at: _clear_answers(database, at, dry_run=dry_run)),
        counted(
            "messages", settings.keep_messages_days, lambda at: _clear_messages(database, at, dry_run=dry_run)
        ),
        counted("scores", settings.keep_scores_days, lambda at: _clear_scores(database, at, dry_run=dry_run)),
        counted(
            "rejects", settings.keep_rejects_days, lambda at: _clear_files(rejects_dir, at, dry_run=dry_run)
        ),
        counted(
            "leads", settings.keep_leads_days, lambda at: _clear_leads(database, history, at, dry_run=dry_run)
        ),
    )


def _clear_answers(database: Engine, before: datetime, *, dry_run: bool) -> int:
    is_old = KeptAnswerRow.answered_at < before
    with read_transaction(database) as session:
        count = session.scalar(select(func.count()).select_from(KeptAnswerRow).where(is_old)) or 0
    if count and not dry_run:
        with write_transaction(database) as session:
            session.execute(delete(KeptAnswerRow).where(is_old))
    return count


def _clear_messages(database: Engine, before: datetime, *, dry_run: bool) -> int:
    """Clear messages that nobody waits for any more, with what became of them."""
    is_awaited = exists().where(
        DeliveryRow.position == MessageRow.position, DeliveryRow.status == DeliveryStatus.PENDING.value
    )
    is_over = (MessageRow.written_at < before) & ~is_awaited
    with read_transaction(database) as session:
        positions = session.scalars(select(MessageRow.position).where(is_over)).all()
    if positions and not dry_run:
        with write_transaction(database) as session:
            over = select(MessageRow.position).where(is_over)
            session.execute(delete(DeliveryRow).where(DeliveryRow.position.in_(over)))
            session.execute(delete(MessageRow).where(is_over))
    return len(positions)


def _clear_scores(database: Engine, before: datetime, *, dry_run: bool) -> int:
    """Clear scores that are no lead's newest."""
    is_newest = exists().where(LeadRow.score_id == ScoreRow.score_id)
    is_old = (ScoreRow.scored_at < before) & ~is_newest
    with read_transaction(database) as session:
        count = session.scalar(select(func.count()).select_from(ScoreRow).where(is_old)) or 0
    if count and not dry_run:
        with write_transaction(database) as session:
            session.execute(delete(ScoreRow).where(is_old))
    return count


def _clear_files(folder: Path, before: datetime, *, dry_run: bool) -> int:
    old = [file for file in folder.glob("*.csv") if _changed_at(file) < before]
    for file in old if not dry_run else ():
        file.unlink()
    return len(old)


def _clear_leads(database: Engine, history: History, before: datetime, *, dry_run: bool) -> int:
    """Clear leads of which neither the database nor the history has heard since."""
    imported = stale_leads(history.read(), before) if history.exists() else frozenset()
    with read_transaction(database) as session:
        silent = set(session.scalars(select(LeadRow.lead_id).where(*_is_silent(before)).limit(MOST_LEADS)))
        known = set(session.scalars(select(LeadRow.lead_id)))
        silent = {one for one in silent if not history.exists() or _is_stale(history, one, imported)}
    gone = silent | {one for one in imported if one not in known}
    if gone and not dry_run:
        with write_transaction(database) as session:
            for lead_id in sorted(silent):
                delete_rows_of_lead(session, lead_id)
        history.erase(lambda lead_id: lead_id in gone)
    return len(gone)


def _is_stale(history: History, lead_id: str, stale: frozenset[str]) -> bool:
    return lead_id in stale or history.read_lead(lead_id) is None


def _is_silent(before: datetime) -> Iterator[ColumnElement[bool]]:
    """Yield that nothing about a lead is younger: itself, what it did, what it became."""
    yield LeadRow.created_at < before
    for table, column in (
        (ActivityRow, ActivityRow.occurred_at),
        (LeadAttributeRow, LeadAttributeRow.changed_at),
        (DealRow, DealRow.changed_at),
        (StageEventRow, StageEventRow.occurred_at),
    ):
        yield ~exists().where(table.lead_id == LeadRow.lead_id, column >= before)


def _changed_at(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)
