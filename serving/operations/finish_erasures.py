"""Finish erasures in the files of the workspace: history, rows set aside, what the database left.

Many erasures are one rewrite. Killed at any point it starts again: a mark is pending until all is done.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Engine, select, update

from features.history.store import History
from serving.db.session import clear_write_ahead_log, read_transaction, write_transaction
from serving.db.tables_leads import TombstoneRow
from serving.lead_marks import LeadMarks
from serving.operations.object_to_scoring import write_objections

IsMeant = Callable[[str], bool]


def finish_erasures(database: Engine, *, history: History, rejects_dir: Path, marks: LeadMarks) -> int:
    """Remove erased persons from every file; return how many erasures are finished by that.

    Raises `LeadPactError` while an import holds the history: it is tried again.
    """
    with read_transaction(database) as session:
        pending = set(session.scalars(select(TombstoneRow.mark).where(TombstoneRow.files_pending)))
    if not pending:
        return 0

    def is_meant(lead_id: str) -> bool:
        return marks.mark(lead_id) in pending

    history.erase(is_meant)
    for file in sorted(rejects_dir.glob("*.csv")):
        _rewrite_without(file, is_meant)
    write_objections(database, history)
    if not clear_write_ahead_log(database):
        return 0
    with write_transaction(database) as session:
        done = update(TombstoneRow).where(TombstoneRow.mark.in_(pending)).values(files_pending=False)
        session.execute(done)
    return len(pending)


def _rewrite_without(file: Path, is_meant: IsMeant) -> None:
    """Write a file of rows that were set aside anew without those of the leads meant; keep it if none was."""
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    kept = [row for place, row in enumerate(rows) if place == 0 or not any(map(is_meant, _texts(row)))]
    if len(kept) == len(rows):
        return
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(kept)
    draft = file.with_suffix(".new")
    draft.write_text(text.getvalue(), encoding="utf-8")
    draft.replace(file)


def _texts(row: list[str]) -> Iterator[str]:
    """Yield every text of a row that may be an id: its cells, and the values of a row kept as JSON."""
    for cell in row:
        plain = cell.removeprefix("'")
        yield plain
        try:
            content = json.loads(plain)
        except ValueError:
            yield from (part.strip().strip("\"'") for part in plain.replace(";", ",").split(","))
            continue
        if isinstance(content, dict):
            yield from (str(value) for value in content.values())
