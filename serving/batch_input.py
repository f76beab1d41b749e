"""Where the leads of a batch come from: the history, a folder in canonical form, or one file of leads."""

from dataclasses import dataclass
from pathlib import Path

from features.crm import CrmSettings
from features.errors import InputError
from features.history.left_out import without_leads
from features.history.store import History
from features.importing.import_export import MAPPING_FILE, write_rejects
from features.importing.raw import RawExport
from features.importing.validation import validate
from features.problems import Problem
from features.sources.folder import OPENERS, read_export
from features.sources.mapping import read_mapping
from features.tables import LEADS, CanonicalTables
from features.workspace import Workspace
from serving.operations.object_to_scoring import OBJECTION

HISTORY = "history"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchInput:
    """The leads to score, what was wrong with others, and the file that holds those."""

    tables: CanonicalTables
    problems: tuple[Problem, ...] = ()
    rejects_file: Path | None = None


def read_batch(source: str, workspace: Workspace, *, timezone: str) -> BatchInput:
    """Read what IN names; InputError when it is nothing of the three or has no usable lead."""
    if source == HISTORY:
        history = History(workspace.history_dir)
        objecting = history.left_out().get(OBJECTION, ())
        return BatchInput(tables=without_leads(history.read(), objecting))
    path = Path(source)
    if path.is_dir():
        return _validated(_read_folder(path), workspace, timezone)
    if path.is_file() and path.suffix in OPENERS:
        return _validated(RawExport(tables=(OPENERS[path.suffix](path, LEADS).whole(),)), workspace, timezone)
    raise InputError(
        f"IN must be a folder, a file of leads ({' or '.join(OPENERS)}) or the word {HISTORY!r}; "
        f"got {source!r}"
    )


def _read_folder(folder: Path) -> RawExport:
    mapping = folder / MAPPING_FILE
    return read_export(folder, read_mapping(mapping) if mapping.is_file() else None)


def _validated(raw: RawExport, workspace: Workspace, timezone: str) -> BatchInput:
    found = validate(raw, raw.crm or CrmSettings(name="batch", timezone=timezone))
    rejects = write_rejects(found.rejects, workspace.rejects_dir) if found.rejects.num_rows else None
    return BatchInput(tables=found.tables, problems=found.all_problems, rejects_file=rejects)
