"""The history in buckets of leads, read row group by row group: every table is sorted by lead_id.

Decides where buckets begin and end. Memory holds a bucket, whatever the history holds.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from features.crm import CrmSettings
from features.errors import LeadPactError
from features.history.scan_file import ScanFile, write_scan_file
from features.history.sorted_file import SortedFile, sorted_file
from features.tables import (
    ACTIVITIES,
    CHANGES,
    DEALS,
    LEAD_ID_COLUMNS,
    LEADS,
    CanonicalTables,
    empty_table,
)

LEADS_PER_BUCKET = 1 << 14
ACTIVITIES_PER_BUCKET = 1 << 18
"""A bucket ends with the row group of leads that reaches either."""

READ_OF_ACTIVITIES = ("lead_id", "occurred_at", "kind", "asset", "channel")
"""What the kernel reads; ids have been looked at when the rows were stored."""
TEXTS = ("lead_id", "kind", "asset", "channel")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HistoryBuckets:
    """`features.buckets.LeadBuckets` over the files of a history.

    `starts` holds the first row group of leads of every bucket, and the number of row groups at the end.
    `activities` are those of the scan file, read in a fraction of the time, where the history has one; it has
    the same buckets. `lead_columns` are those that are read, None for all.
    """

    crm: CrmSettings
    leads: SortedFile
    activities: SortedFile | ScanFile
    changes: SortedFile
    starts: tuple[int, ...]
    lead_columns: tuple[str, ...] | None = None

    def __len__(self) -> int:
        """Return the number of buckets."""
        return len(self.starts) - 1

    def read(self, number: int) -> CanonicalTables:
        """Return one bucket; texts of activities are dictionaries, deals are left out.

        LeadPactError when an import has replaced the history in the meantime.
        """
        try:
            return self._read(number)
        except FileNotFoundError as error:
            raise LeadPactError("an import replaced the history while it was read; run this again") from error

    def _read(self, number: int) -> CanonicalTables:
        leads = self.leads.read(
            range(self.starts[number], self.starts[number + 1]), columns=self.lead_columns
        )
        first, last = leads["lead_id"][0].as_py(), leads["lead_id"][-1].as_py()
        return CanonicalTables(
            leads=leads,
            activities=self._activities(number, leads, first, last),
            deals=empty_table(DEALS),
            attribute_changes=self.changes.rows_between(first, last),
            crm=self.crm,
            settled=True,
        )

    def _activities(self, number: int, leads: pa.Table, first: str, last: str) -> pa.Table:
        if isinstance(self.activities, ScanFile):
            return self.activities.bucket(number, leads.column("lead_id").combine_chunks())
        return self.activities.rows_between(first, last, columns=READ_OF_ACTIVITIES, dictionaries=TEXTS)


def cut_history(
    files: Mapping[str, Path],
    crm: CrmSettings,
    *,
    scan: ScanFile | None = None,
    attributes: Collection[str] | None = None,
    leads_per_bucket: int = LEADS_PER_BUCKET,
    activities_per_bucket: int = ACTIVITIES_PER_BUCKET,
) -> HistoryBuckets:
    """Cut the files of a history (table name -> path) into buckets, those of `scan` where there is one.

    Of the attributes of leads only `attributes` are read, all unless given.
    """
    leads, changes = sorted_file(files[LEADS]), sorted_file(files[CHANGES])
    activities = scan or sorted_file(files[ACTIVITIES])
    if isinstance(activities, ScanFile):
        starts = activities.starts
    else:
        starts = tuple(_starts(leads, activities, leads_per_bucket, activities_per_bucket))
    columns = None
    if attributes is not None:
        wanted = {*LEAD_ID_COLUMNS.names, *attributes}
        columns = tuple(name for name in leads.footer.schema.names if name in wanted)
    return HistoryBuckets(
        crm=crm,
        leads=leads,
        activities=activities,
        changes=changes,
        starts=starts,
        lead_columns=columns,
    )


def write_scan_of(files: Mapping[str, Path], crm: CrmSettings, path: Path) -> None:
    """Write the scan file of the files of a history; memory holds a bucket."""
    buckets = cut_history(files, crm, attributes=())
    write_scan_file(path, buckets, buckets.starts)


def _starts(
    leads: SortedFile, activities: SortedFile, leads_per_bucket: int, activities_per_bucket: int
) -> Iterator[int]:
    """Yield the row group of leads at which each bucket begins, then the number of row groups."""
    rows = [leads.footer.row_group(group).num_rows for group in range(leads.footer.num_row_groups)]
    filled = [group for group, count in enumerate(rows) if count]
    before = activities.rows_before_each([leads.bounds[group] for group in filled])
    open_leads, opened_at = 0, 0
    for group, activities_before in zip(filled, before, strict=True):
        is_full = open_leads >= leads_per_bucket or activities_before - opened_at >= activities_per_bucket
        if not open_leads or is_full:
            yield group
            open_leads, opened_at = 0, activities_before
        open_leads += rows[group]
    yield len(rows) if filled else 0
