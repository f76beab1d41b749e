"""The history of one workspace: canonical tables as Parquet, replaced as a whole or not at all.

Files are named by their content and never change; `manifest.json` says which ones count and is replaced
last, so a process killed at any point leaves the old or the new state. How rows are merged: `history_merge`.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
from pyarrow import parquet

from features.crm import CrmSettings
from features.errors import LeadPactError
from features.files import disk_failures_named, draft_of
from features.history.buckets import HistoryBuckets, cut_history, write_scan_of
from features.history.left_out import (
    OWN_FILES,
    LeftOut,
    leave_out,
    matching_leads,
    read_left_out,
    without_leads,
    write_left_out,
)
from features.history.merge import MergeCounts, merge_tables
from features.history.scan_file import open_scan_file, scan_file_name
from features.history.stored_lead import StoredLead, find_lead, find_rows
from features.tables import ACTIVITIES, TABLE_NAMES, CanonicalTables

FORMAT = 1
MANIFEST, LOCK = "manifest.json", "import.lock"
ROWS_PER_GROUP = 4096
"""Measured on 3 M activities: one lead in 0.9 ms, a full read a quarter slower than with groups of 16,384."""
READ_ATTEMPTS = 3

Read = TypeVar("Read")
Merge = Callable[[CanonicalTables], MergeCounts]


@dataclass(frozen=True, slots=True)
class History:
    """The stored tables of one CRM in one folder; the folder appears with the first import."""

    folder: Path

    def exists(self) -> bool:
        """Whether anything has been imported."""
        return (self.folder / MANIFEST).is_file()

    def read(self) -> CanonicalTables:
        """Return all tables; LeadPactError says how to import when there is nothing yet."""
        return self._while_files_stand(self._read_tables)

    def read_to_learn(self) -> CanonicalTables:
        """Return all tables without the leads nobody may learn from; `left_out` counts them per reason."""
        return leave_out(self.read(), self.left_out())

    def left_out(self) -> LeftOut:
        """Return the leads that nobody may learn from, per reason."""
        return read_left_out(self.folder)

    def leave_out(self, reason: str, lead_ids: Iterable[str]) -> None:
        """Name all leads that a reason keeps from being learnt from; other reasons stay as they are."""
        write_left_out(self.folder, reason, lead_ids)

    def erase(self, is_meant: Callable[[str], bool]) -> int:
        """Write the tables anew without the leads that are meant; return how many were there.

        Raises LeadPactError while an import holds the history, or when the disk refuses.
        """
        if not self.exists():
            return 0
        with self.held():
            stored = self.read()
            gone = matching_leads(stored, is_meant)
            if gone:
                self._replace(without_leads(stored, gone))
            return len(gone)

    def read_table(self, name: str) -> pa.Table:
        """Return one table by its name."""
        return self._while_files_stand(lambda manifest: parquet.read_table(self._files(manifest)[name]))

    def read_settings(self) -> CrmSettings:
        """Return the settings stored with the tables."""
        return CrmSettings.from_dict(self._manifest()["crm"])

    def read_lead(self, lead_id: str) -> StoredLead | None:
        """Return one lead with its activities and attribute changes, or None when it is not known.

        Ids are stored without blanks around them (`importing.columns.to_ids`) and asked for likewise.
        """
        return self._while_files_stand(lambda manifest: find_lead(self._files(manifest), lead_id.strip()))

    def read_lead_rows(self, lead_id: str) -> dict[str, list[dict[str, object]]]:
        """Return every stored row of a lead per table, deals included; empty lists when it is not known."""
        return self._while_files_stand(lambda manifest: find_rows(self._files(manifest), lead_id.strip()))

    def buckets(self, attributes: Collection[str] | None = None) -> HistoryBuckets:
        """Return the leads in buckets that fit into memory, whatever the history holds.

        Of the attributes of leads only `attributes` are read, all unless given.
        """
        return self._while_files_stand(
            lambda manifest: cut_history(
                self._files(manifest),
                CrmSettings.from_dict(manifest["crm"]),
                scan=open_scan_file(self._scan_file(manifest["tables"])),
                attributes=attributes,
            )
        )

    def files(self) -> dict[str, Path]:
        """Return the file of each table as stored now; the next import may replace them."""
        return self._files(self._manifest())

    def fingerprint(self) -> str:
        """Return the sha256 (hex) of everything stored: equal when and only when tables and settings are."""
        return hashlib.sha256(_manifest_bytes(self._manifest())).hexdigest()

    def merge(self, tables: CanonicalTables) -> MergeCounts:
        """Add an export: new ids are added, other content replaces, equal content changes nothing.

        Raises
        ------
        LeadPactError
            Another import holds the lock, or the disk refuses.
        InputError
            The export does not fit what is stored (another CRM; times on one side only).
        """
        with self.held() as merge:
            return merge(tables)

    @contextmanager
    def held(self) -> Iterator[Merge]:
        """Hold the history against other imports; gives `merge` for use within the block."""
        with disk_failures_named(self.folder, "the history is as it was"), self._locked():
            yield self._merge

    def _merge(self, tables: CanonicalTables) -> MergeCounts:
        stored = self.read() if self.exists() else None
        merged, counts = merge_tables(stored, tables)
        if not counts.is_unchanged:
            self._replace(merged)
        elif not self._scan_file(self._manifest()["tables"]).exists():
            self._write_scan(self._manifest())
        return counts

    def _read_tables(self, manifest: Mapping[str, Any]) -> CanonicalTables:
        files = self._files(manifest)
        tables = {name: parquet.read_table(files[name]) for name in TABLE_NAMES}
        return CanonicalTables(**tables, crm=CrmSettings.from_dict(manifest["crm"]), settled=True)

    def _files(self, manifest: Mapping[str, Any]) -> dict[str, Path]:
        return {name: self.folder / manifest["tables"][name] for name in TABLE_NAMES}

    def _manifest(self) -> dict[str, Any]:
        file = self.folder / MANIFEST
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            raise LeadPactError(
                f"there is no history in {self.folder} yet; import an export first: leadpact import DIR"
            ) from None
        return read_manifest(content, source=str(file))

    def _while_files_stand(self, read: Callable[[Mapping[str, Any]], Read]) -> Read:
        """Read again when an import has replaced the files between the manifest and them."""
        manifest = self._manifest()
        for _ in range(READ_ATTEMPTS):
            try:
                return read(manifest)
            except FileNotFoundError as error:
                missing, before, manifest = error, manifest, self._manifest()
                if manifest == before:
                    break
        raise LeadPactError(
            f"a file of the history is missing ({missing}); import the exports again"
        ) from missing

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder against a second import; the lock ends with the process, however it ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LeadPactError(
                    f"another import is writing to {self.folder}; try again when it is done"
                ) from None
            yield

    def _replace(self, tables: CanonicalTables) -> None:
        try:
            names = {
                name: _write_content_addressed(self.folder, name, tables.table(name)) for name in TABLE_NAMES
            }
            manifest = {"format": FORMAT, "crm": tables.crm.to_dict(), "tables": names}
            self._write_scan(manifest)
            _write_durably(self.folder / MANIFEST, _manifest_bytes(manifest))
        finally:
            self._sweep()

    def _write_scan(self, manifest: Mapping[str, Any]) -> None:
        final = self._scan_file(manifest["tables"])
        with draft_of(final) as draft:
            write_scan_of(self._files(manifest), CrmSettings.from_dict(manifest["crm"]), draft)
            draft.replace(final)

    def _scan_file(self, tables: Mapping[str, str]) -> Path:
        return self.folder / scan_file_name(tables)

    def _sweep(self) -> None:
        """Remove what the manifest does not name: files that were replaced, and those of a failed import."""
        tables = self._manifest()["tables"] if self.exists() else {}
        named = {*tables.values(), *([scan_file_name(tables)] if tables else [])}
        with suppress(OSError):  # they take up room and nothing else; the next import tries again
            for path in self.folder.iterdir():
                if path.name not in {MANIFEST, LOCK, *OWN_FILES, *named}:
                    path.unlink()


def read_manifest(content: bytes, *, source: str) -> dict[str, Any]:
    """Return what a manifest says: the settings under `crm`, the file of each table under `tables`."""
    try:
        manifest = json.loads(content)
    except ValueError as error:
        raise LeadPactError(f"{source} is damaged ({error}); import the exports again") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise LeadPactError(f"{source} is not of format {FORMAT}; import the exports again")
    return manifest


def _manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    return json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False).encode()


def _write_content_addressed(folder: Path, name: str, table: pa.Table) -> str:
    """Write one table under the sha256 of its bytes and return the file's name."""
    draft = folder / f"{name}.draft"
    parquet.write_table(table, draft, **file_options(name))
    with draft.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    final = folder / f"{name}-{digest[:32]}.parquet"
    draft.replace(final)
    return final.name


def file_options(name: str) -> dict[str, Any]:
    """Return how the file of a table is written (the keywords of `pyarrow.parquet.write_table`).

    Measured on 20 M activities: with LZ4, and with differences for what ascends, a read takes 40 % less time
    than with Zstandard and the file is a fifth smaller.
    """
    ascending = {"occurred_at": "DELTA_BINARY_PACKED", "activity_id": "DELTA_BYTE_ARRAY"}
    encodings: dict[str, Any] = {}
    if name == ACTIVITIES:
        encodings = {"column_encoding": ascending, "use_dictionary": ["lead_id", "kind", "asset", "channel"]}
    return {"row_group_size": ROWS_PER_GROUP, "compression": "lz4", "write_statistics": True, **encodings}


def _write_durably(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
