"""One import, from folder to history: read, validate, set aside, merge, report. The rules are elsewhere.

Everything that can refuse happens before the first byte is written.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from features.crm import CrmSettings
from features.errors import InputError, LeadPactError
from features.files import disk_failures_named, draft_of
from features.history.merge import MergeCounts
from features.history.store import History
from features.importing.raw import REJECTS_SCHEMA
from features.importing.validation import KNOWN_LEAD_COLUMNS, Validated, validate
from features.importing.withheld import IsWithheld, without_withheld
from features.problems import Problem
from features.sources.folder import read_export
from features.sources.mapping import Mapping, read_mapping
from features.tables import DEALS, LEADS

MAPPING_FILE = "crm.toml"
UNNAMED_CRM = "crm"
END_OF_TODAY = timedelta(days=1)
"""An exported_at that is a date means until the end of that day."""
FORMULA_START = r"^([=+@\t\r]|-[^0-9.])"
"""A spreadsheet would run such a text as a formula; a quote before it keeps it a text (OWASP)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCounts:
    """One table of one import: read = added + changed + unchanged + rejected + repeated."""

    table: str
    read: int
    added: int
    changed: int
    unchanged: int
    rejected: int
    repeated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What one import did. `problems` has the first twenty of each kind; `rejects_file` has all rows."""

    crm_name: str
    counts: tuple[ImportCounts, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    rejects_file: Path | None
    is_unchanged: bool
    outcomes: tuple[tuple[str, int], ...]
    """Won and lost deals in the history after this import."""

    @property
    def rejected(self) -> int:
        """Rows set aside, over all tables."""
        return sum(each.rejected for each in self.counts)

    def to_dict(self) -> dict[str, object]:
        """JSON-able form."""
        counted = ("read", "added", "changed", "unchanged", "rejected", "repeated")
        return {
            "crm": self.crm_name,
            "unchanged": self.is_unchanged,
            "tables": {each.table: {name: getattr(each, name) for name in counted} for each in self.counts},
            "outcomes": dict(self.outcomes),
            "rejected": self.rejected,
            "rejects_file": None if self.rejects_file is None else str(self.rejects_file),
            "problems": [problem.to_dict() for problem in self.problems],
            "notes": list(self.notes),
        }


def import_export(
    folder: Path,
    *,
    mapping_file: Path | None,
    history: History,
    strict: bool,
    rejects_dir: Path,
    now: datetime | None = None,
    is_withheld: IsWithheld | None = None,
) -> ImportReport:
    """Add the export in `folder` to the history.

    Parameters
    ----------
    mapping_file : None takes `crm.toml` of the folder when there is one.
    strict : refuse the whole export when anything in it breaks a rule.
    rejects_dir : where rows that break a rule are set aside, one readable file per content.
    now : what happened must not lie after this (aware); None does not ask.
    is_withheld : says of a lead id that its person was erased; such rows are left out and counted.

    Raises
    ------
    InputError
        The mapping is broken or of the future, a file or query cannot be read, no lead is usable, the export
        does not fit the history, or `strict` and there are problems. Nothing has been changed then.
    LeadPactError
        The history cannot be read, another import is writing to it, or the disk refuses.
    """
    default = folder / MAPPING_FILE
    file = default if mapping_file is None and default.is_file() else mapping_file
    mapping = None if file is None else read_mapping(file)
    with _consequence_named():
        found = _read_and_validate(folder, mapping, history, now, is_withheld)
        if strict and found.all_problems:
            raise InputError("the export breaks rules and --strict is given", found.all_problems)
    rejects_file, merged = _store(found, history, rejects_dir)
    return _report(found, merged, rejects_file, history.read_table(DEALS))


@contextmanager
def _consequence_named() -> Iterator[None]:
    """Say of everything the block refuses that nothing was imported."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{error.summary}; nothing was imported", error.problems) from error


def _read_and_validate(
    folder: Path,
    mapping: Mapping | None,
    history: History,
    now: datetime | None,
    is_withheld: IsWithheld | None,
) -> Validated:
    raw, withheld = without_withheld(read_export(folder, mapping), is_withheld)
    crm = raw.crm or _settings_without_mapping(history)
    refuse_future_export(crm, now)
    known_leads = history.read_table(LEADS).select(KNOWN_LEAD_COLUMNS) if history.exists() else None
    found = validate(raw, crm, known_leads, now)
    note = f"{withheld:,} lead(s) of the export were erased earlier and are not brought back"
    return replace(found, notes=(*found.notes, note)) if withheld else found


def refuse_future_export(crm: CrmSettings, now: datetime | None) -> None:
    """Refuse an exported_at that is yet to come: all leads still open would seem lost by then."""
    if now is not None and crm.exported_at is not None and crm.exported_at > now + END_OF_TODAY:
        raise InputError(f"[label] exported_at must not lie in the future; got {crm.exported_at.isoformat()}")


def _settings_without_mapping(history: History) -> CrmSettings:
    """Keep what an earlier crm.toml said, except its exported_at: this export is another one."""
    if not history.exists():
        return CrmSettings(name=UNNAMED_CRM)
    return replace(history.read_settings(), exported_at=None)


def _store(found: Validated, history: History, rejects_dir: Path) -> tuple[Path | None, MergeCounts]:
    """Set rejects aside first: a row that is neither in the history nor in the file would be lost.

    The history is held meanwhile, so that an import that fails removes no file another one has just written.
    """
    with history.held() as merge:
        existing = set(rejects_dir.glob("*.csv"))
        rejects_file = write_rejects(found.rejects, rejects_dir) if found.rejects.num_rows else None
        try:
            return rejects_file, merge(found.tables)
        except (LeadPactError, OSError):
            if rejects_file is not None and rejects_file not in existing:
                rejects_file.unlink()
            raise


def write_rejects(rejects: pa.Table, rejects_dir: Path) -> Path:
    """Write all rejects as one CSV file named by its content, safe to open in a spreadsheet.

    LeadPactError when the disk refuses.
    """
    return write_rejects_in_parts((rejects,), rejects_dir)


def write_rejects_in_parts(parts: Iterable[pa.Table], rejects_dir: Path) -> Path:
    """Write what `write_rejects` does of rejects that come in parts."""
    with disk_failures_named(rejects_dir, "rows could not be set aside"):
        rejects_dir.mkdir(parents=True, exist_ok=True)
        with draft_of(rejects_dir / "rejects.csv") as draft:
            with arrow_csv.CSVWriter(draft, REJECTS_SCHEMA) as writer:
                for part in parts:
                    writer.write_table(_without_formulas(part))
            with draft.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            return draft.replace(rejects_dir / f"rejects-{digest[:16]}.csv")


def _without_formulas(rejects: pa.Table) -> pa.Table:
    for place, name in enumerate(rejects.column_names):
        if pa.types.is_string(rejects.schema.field(name).type):
            safe = pc.replace_substring_regex(rejects[name], pattern=FORMULA_START, replacement=r"'\1")
            rejects = rejects.set_column(place, name, safe)
    return rejects


def _report(
    found: Validated, merged: MergeCounts, rejects_file: Path | None, deals: pa.Table
) -> ImportReport:
    done = {each.table: each for each in merged.tables}
    return ImportReport(
        crm_name=found.tables.crm.name,
        counts=tuple(
            ImportCounts(
                table=rows.table,
                read=rows.read,
                added=done[rows.table].added,
                changed=done[rows.table].changed,
                unchanged=done[rows.table].unchanged,
                rejected=rows.rejected,
                repeated=rows.repeated,
            )
            for rows in found.counts
        ),
        problems=found.all_problems,
        notes=(*found.notes, *merged.notes),
        rejects_file=rejects_file,
        is_unchanged=merged.is_unchanged,
        outcomes=_count_outcomes(deals),
    )


def _count_outcomes(deals: pa.Table) -> tuple[tuple[str, int], ...]:
    counted: Sequence[dict[str, object]] = pc.value_counts(deals["outcome"]).to_pylist()
    found = {each["values"]: each["counts"] for each in counted}
    return tuple((outcome, int(str(found.get(outcome, 0)))) for outcome in ("won", "lost"))
