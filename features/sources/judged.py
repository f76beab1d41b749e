"""What the rules said of a source that is judged bucket by bucket, and the report of it all."""

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from features.importing.import_export import write_rejects_in_parts
from features.importing.raw import RawTable, problems_in
from features.importing.set_aside import SetAside
from features.importing.validation import RowCounts, Validated
from features.problems import Problem
from features.tables import TABLE_NAMES

COUNTED = ("read", "usable", "rejected", "repeated")
SHOWN_NAMES = 20
NAMES_KEPT = 1000
"""So many attributes that nobody knows are remembered, and no more: they may be as many as rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What became of every row of a source: read = usable + rejected + repeated, table by table.

    `problems` has the first twenty of each kind; `rejects_file` has all rows, None when nothing was wrong.
    """

    crm_name: str
    counts: tuple[RowCounts, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    rejects_file: Path | None

    @property
    def rejected(self) -> int:
        """Rows set aside, over all tables."""
        return sum(each.rejected for each in self.counts)

    def to_dict(self) -> dict[str, object]:
        """JSON-able form, with the keys of an import's report as far as they apply."""
        return {
            "crm": self.crm_name,
            "tables": {each.table: {name: getattr(each, name) for name in COUNTED} for each in self.counts},
            "rejected": self.rejected,
            "rejects_file": None if self.rejects_file is None else str(self.rejects_file),
            "problems": [problem.to_dict() for problem in self.problems],
            "notes": list(self.notes),
        }


class Judged:
    """Counts, rejects and notes of one source while its rows are judged; threads may share `add_bucket`."""

    def __init__(self, folder: Path, heads: Iterable[RawTable], problems: tuple[Problem, ...]) -> None:
        """Take the tables that the source has, and the problems of whole columns."""
        self._lock = threading.Lock()
        self._problems = problems
        self._notes: list[str] = []
        self._files = {head.name: head.file for head in heads}
        self._counts: dict[str, Counter[str]] = {table: Counter() for table in self._files}
        self._rejects = SetAside(folder, TABLE_NAMES)
        self._buckets: set[int] = set()
        self._changed_attributes: set[str] = set()

    def add_unreadable(self, table: str, parts: Iterable[pa.Table]) -> None:
        """Note rows that could not be read at all (rejects)."""
        for rejects in parts:
            self._counts[table].update(read=rejects.num_rows, rejected=rejects.num_rows)
            self._rejects.add(table, rejects)

    def add_leads(self, found: Validated) -> None:
        """Note what was found of the leads."""
        self._notes.extend(found.notes)
        self._add_rows(found)

    def add_bucket(self, number: int, found: Validated) -> None:
        """Note what was found of a bucket; it counts once, however often it is read."""
        with self._lock:
            if number in self._buckets:
                return
            self._buckets.add(number)
            self._add_rows(found)
            if len(self._changed_attributes) < NAMES_KEPT:
                names = found.tables.attribute_changes.column("attribute").unique()
                self._changed_attributes.update(names.to_pylist())

    def has(self, bucket: int) -> bool:
        """Whether the rows of a bucket are in."""
        return bucket in self._buckets

    def report(self, crm_name: str, attributes: Iterable[str], rejects_dir: Path) -> SourceReport:
        """Report all that was added, for leads with these attributes; nothing may be added after this."""
        self.close()
        unknown = sorted(self._changed_attributes.difference(attributes))
        if unknown:
            names = ", ".join(unknown[:SHOWN_NAMES]) + (" …" if len(unknown) > SHOWN_NAMES else "")
            unknown = [f"attribute_changes names attributes that leads does not have: {names}"]
        return SourceReport(
            crm_name=crm_name,
            counts=tuple(
                RowCounts(table=table, **{name: counted[name] for name in COUNTED})
                for table, counted in self._counts.items()
            ),
            problems=(*self._problems, *problems_in(self._rejects.parts())),
            notes=(*self._notes, *unknown),
            rejects_file=write_rejects_in_parts(self._rejects.parts(), rejects_dir)
            if self._rejects
            else None,
        )

    def close(self) -> None:
        """Finish the files in the folder."""
        self._rejects.close()

    def _add_rows(self, found: Validated) -> None:
        for counts in found.counts:
            self._counts[counts.table].update({name: getattr(counts, name) for name in COUNTED})
            is_of_table = pc.equal(found.rejects.column("file"), self._files[counts.table])
            self._rejects.add(counts.table, found.rejects.filter(is_of_table))
