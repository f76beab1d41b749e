"""A folder or a database of any size -> leads in buckets, every row judged by the rules of the import.

The leads table is in memory; all other rows pass through a temporary folder. Who reads which origin, and
which rows are right, is decided elsewhere.
"""

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from features.crm import CrmSettings
from features.errors import InputError
from features.files import disk_failures_named
from features.importing.columns import to_ids
from features.importing.import_export import MAPPING_FILE, UNNAMED_CRM, refuse_future_export
from features.importing.raw import RawExport, RawSource, RawStream, RawTable
from features.importing.table_check import structure_problems
from features.importing.validation import LACKS_COLUMNS, Validated, validate, validate_part
from features.problems import Problem
from features.sources.folder import open_export
from features.sources.judged import Judged, SourceReport
from features.sources.mapping import read_mapping
from features.sources.reading import UnreadableFileError, collect
from features.sources.spill import NOTHING_MADE, BucketLimits, Spill
from features.tables import LEADS, CanonicalTables

DATABASE_ENDINGS = (".db", ".sqlite", ".sqlite3")


@contextmanager
def open_buckets(
    where: str | Path,
    *,
    mapping_file: Path | None = None,
    default_crm: CrmSettings = CrmSettings(name=UNNAMED_CRM),  # noqa: B008 - a frozen value
    now: datetime | None = None,
    limits: BucketLimits = BucketLimits(),  # noqa: B008 - a frozen value
    spill_dir: Path | None = None,
) -> Iterator["RawBuckets"]:
    """Read a source once from end to end and give its leads in buckets, for use within the block.

    Parameters
    ----------
    where : a folder of canonical files or with a `crm.toml` that makes them; a SQLite file (by its ending
        .db, .sqlite or .sqlite3, or as sqlite:///FILE); or a PostgreSQL URL (postgresql://USER@HOST/NAME).
    mapping_file : settings of the CRM; None takes `crm.toml` of a folder when there is one.
    default_crm : the settings without a mapping.
    now : what happened must not lie after this (aware) when the CRM names no exported_at; None does not ask.
    limits : the size of the buckets.
    spill_dir : where the temporary folder is made, on a disk with room for all rows; None is the system's.

    Raises
    ------
    InputError
        Nothing of the above, a broken mapping, a file or query or table that cannot be read, columns that are
        missing, no usable lead. Everything that refuses does so here, before the first bucket is read.
    LeadPactError
        The database cannot be reached, or the disk refuses.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(_temporary_folder(spill_dir))
        with _open_source(where, mapping_file) as source:
            crm = source.crm or default_crm
            refuse_future_export(crm, now)
            judged = Judged(folder, (each.head for each in source.streams), _column_problems(source))
            stack.callback(judged.close)
            buckets = _read_source(source, crm, now, limits, judged, folder)
        yield buckets


@contextmanager
def _temporary_folder(inside: Path | None) -> Iterator[Path]:
    with disk_failures_named(inside or Path(tempfile.gettempdir()), NOTHING_MADE):
        folder = tempfile.TemporaryDirectory(prefix="leadpact-", dir=inside)
    with folder as name:
        yield Path(name)


@contextmanager
def _open_source(where: str | Path, mapping_file: Path | None) -> Iterator[RawSource]:
    path = Path(where)
    opened: AbstractContextManager[RawSource]
    with ExitStack() as stack:
        if path.is_dir():
            default = path / MAPPING_FILE
            file = default if mapping_file is None and default.is_file() else mapping_file
            opened = open_export(path, None if file is None else read_mapping(file))
        elif "://" in str(where) or path.suffix in DATABASE_ENDINGS:
            from features.sources.database import open_database

            opened = open_database(str(where), None if mapping_file is None else read_mapping(mapping_file))
        else:
            raise InputError(
                "the source must be a folder, a SQLite file "
                f"({', '.join(DATABASE_ENDINGS)}) or a postgresql:// URL; got {str(where)!r}"
            )
        yield stack.enter_context(opened)


class RawBuckets:
    """Leads of a raw source in buckets (`features.buckets.LeadBuckets`), with all that other tables say.

    An activity_id or deal_id that two leads share is told apart by the lead: only within a lead is it a
    repetition or a contradiction.
    """

    def __init__(self, leads: "JudgedLeads", spill: Spill, cuts: tuple[int, ...], judged: Judged) -> None:
        """Take judged leads, all other rows on disk, and the places where buckets begin."""
        self._leads = leads
        self._spill = spill
        self._cuts = cuts
        self._judged = judged

    @property
    def crm(self) -> CrmSettings:
        """The settings of the CRM."""
        return self._leads.crm

    def __len__(self) -> int:
        return len(self._cuts) - 1

    def read(self, number: int) -> CanonicalTables:
        """Return one bucket, 0 <= number < len(self), its rows judged; safe to call from several threads."""
        first, beyond = self._cuts[number : number + 2]
        tables = tuple(self._spill.read(head, first, beyond) for head in self._leads.other_heads)
        found = self._leads.judge(tables, first, beyond)
        self._judged.add_bucket(number, found)
        return found.tables

    def report(self, rejects_dir: Path) -> SourceReport:
        """Say what became of every row, and set those that broke a rule aside in one readable file.

        Buckets that nobody has read are judged now. LeadPactError when the disk refuses.
        """
        for number in range(len(self)):
            if not self._judged.has(number):
                self.read(number)
        return self._judged.report(self.crm.name, self._leads.table.column_names, rejects_dir)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedLeads:
    """The usable leads of a source, and what it takes to judge the rows of other tables.

    table : canonical leads, at least one.
    set_aside : the ids, text (n,), of leads that broke a rule.
    other_heads : the other tables of the source.
    """

    table: pa.Table
    set_aside: pa.ChunkedArray
    other_heads: tuple[RawTable, ...]
    crm: CrmSettings
    naive_zone: str | None
    now: datetime | None

    def judge(self, tables: tuple[RawTable, ...], first: int, beyond: int) -> Validated:
        """Apply the rules to rows of the leads in places first to beyond - 1."""
        raw = RawExport(tables=tables, naive_zone=self.naive_zone)
        leads = self.table.slice(first, beyond - first)
        return validate_part(raw, self.crm, leads, set_aside=self.set_aside, now=self.now)


def _read_source(
    source: RawSource,
    crm: CrmSettings,
    now: datetime | None,
    limits: BucketLimits,
    judged: Judged,
    folder: Path,
) -> RawBuckets:
    """Judge the leads of a source, and put all other rows on disk by the lead they belong to."""
    others = tuple(stream for stream in source.streams if stream.head.name != LEADS)
    raw = _read_leads(source, others)
    found = validate(RawExport(tables=(raw,), naive_zone=source.naive_zone), crm, now=now)
    judged.add_leads(found)
    lead_ids = found.tables.leads.column("lead_id")
    spill = Spill(folder, lead_ids.combine_chunks(), limits.partitions)
    collect([partial(judged.add_unreadable, each.head.name, spill.take(each)) for each in others])
    given = to_ids(raw.data.column("lead_id")).values.drop_null()
    leads = JudgedLeads(
        table=found.tables.leads,
        set_aside=given.filter(pc.invert(pc.is_in(given, value_set=lead_ids))),
        other_heads=tuple(each.head for each in others),
        crm=crm,
        naive_zone=source.naive_zone,
        now=now,
    )
    return RawBuckets(leads, spill, spill.cut(limits), judged)


def _read_leads(source: RawSource, others: tuple[RawStream, ...]) -> RawTable:
    """Read the leads whole; when they are unreadable, so may be others: all are named at once."""
    (leads,) = (stream for stream in source.streams if stream.head.name == LEADS)
    try:
        return leads.whole()
    except UnreadableFileError as error:
        collect([partial(_read_for_errors, each) for each in others], error.found)
        raise


def _read_for_errors(stream: RawStream) -> None:
    for _ in stream.batches():
        pass


def _column_problems(source: RawSource) -> tuple[Problem, ...]:
    """Return the columns nobody knows; InputError when one is missing."""
    problems = tuple(each for stream in source.streams for each in structure_problems(stream.head))
    if any(each.code == "missing_column" for each in problems):
        raise InputError(LACKS_COLUMNS, problems)
    return problems
