"""The history: an upsert by id that is idempotent, atomic, locked, and quick for one lead."""

import fcntl
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from features.crm import CrmSettings
from features.errors import InputError, LeadPactError
from features.history.scan_file import ScanFile
from features.history.store import LOCK, MANIFEST, ROWS_PER_GROUP, History
from features.tables import TABLE_NAMES, CanonicalTables
from tests.builders_import import Columns, canonical

LEADS: Columns = {
    "lead_id": ["L1", "L2"],
    "created_at": ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"],
    "size": ["1", "2"],
}
ACTIVITIES: Columns = {
    "activity_id": ["A1", "A2"],
    "lead_id": ["L1", "L1"],
    "occurred_at": ["2026-01-05T00:00:00Z", "2026-01-04T00:00:00Z"],
    "kind": ["call", "email_click"],
}
CHANGES: Columns = {
    "lead_id": ["L1", "L1", "L1"],
    "changed_at": ["2026-01-03T00:00:00Z", "2026-01-06T00:00:00Z", "2026-01-05T00:00:00Z"],
    "attribute": ["size", "size", "owner"],
    "value": ["7", "many", "Ann"],
}


def contents(history: History) -> dict[str, list[dict[str, object]]]:
    """Return all rows of all tables."""
    tables = history.read()
    return {name: tables.table(name).to_pylist() for name in TABLE_NAMES}


def counts(history: History, tables: CanonicalTables) -> dict[str, tuple[int, int, int]]:
    """Merge, and return (added, changed, unchanged) of every table that had rows."""
    merged = history.merge(tables)
    found = {each.table: (each.added, each.changed, each.unchanged) for each in merged.tables}
    return {name: numbers for name, numbers in found.items() if any(numbers)}


def test_nothing_yet(tmp_path: Path) -> None:
    """An empty workspace says how to import."""
    history = History(tmp_path / "history")
    assert not history.exists()
    with pytest.raises(LeadPactError, match="leadpact import DIR"):
        history.read()


def test_merge_is_idempotent(tmp_path: Path) -> None:
    """The same export twice: everything unchanged, not one file touched."""
    history = History(tmp_path)
    tables = canonical({"leads": LEADS, "activities": ACTIVITIES})
    assert counts(history, tables) == {"leads": (2, 0, 0), "activities": (2, 0, 0)}
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir() if path.name != LOCK}
    fingerprint = history.fingerprint()
    again = history.merge(tables)
    assert again.is_unchanged
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir() if path.name != LOCK} == before
    assert history.fingerprint() == fingerprint


def test_newer_content_replaces(tmp_path: Path) -> None:
    """A lead that comes again with other content is replaced, others stay."""
    history = History(tmp_path)
    history.merge(canonical({"leads": LEADS}))
    newer: Columns = {
        "lead_id": ["L2", "L3"],
        "created_at": ["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"],
        "size": ["5", None],
    }
    assert counts(history, canonical({"leads": newer})) == {"leads": (1, 1, 0)}
    assert [(row["lead_id"], row["size"]) for row in contents(history)["leads"]] == [
        ("L1", 1.0), ("L2", 5.0), ("L3", None),
    ]  # fmt: skip


def test_a_column_that_was_not_exported_keeps_its_values(tmp_path: Path) -> None:
    """An export with fewer columns says nothing about the others; one with more adds them."""
    history = History(tmp_path)
    history.merge(canonical({"leads": LEADS}))
    other: Columns = {"lead_id": ["L1"], "created_at": ["2026-01-01T00:00:00Z"], "city": ["Ulm"]}
    assert counts(history, canonical({"leads": other})) == {"leads": (0, 1, 0)}
    rows = contents(history)["leads"]
    assert [(row["size"], row["city"]) for row in rows] == [(1.0, "Ulm"), (2.0, None)]


def test_a_column_that_changes_its_type_becomes_text(tmp_path: Path) -> None:
    """Numbers meet text: both are kept as text, a note says so, and the old export is still unchanged."""
    history = History(tmp_path)
    first = canonical({"leads": LEADS})
    history.merge(first)
    text: Columns = {"lead_id": ["L3"], "created_at": ["2026-01-03T00:00:00Z"], "size": ["many"]}
    merged = history.merge(canonical({"leads": text}))
    assert "'size' was double" in merged.notes[0]
    assert history.read().leads["size"].to_pylist() == ["1", "2", "many"]
    assert history.merge(first).is_unchanged


def test_a_column_without_values_takes_the_stored_type(tmp_path: Path) -> None:
    """A column that is empty this time is no reason to turn numbers into text."""
    history = History(tmp_path)
    history.merge(canonical({"leads": LEADS}))
    merged = history.merge(canonical({"leads": {**LEADS, "size": ["", ""]}}))
    assert merged.notes == ()
    assert history.read().leads.schema.field("size").type == pa.float64()


def test_names_that_sql_would_confuse(tmp_path: Path) -> None:
    """Two columns whose names differ in case only are two columns, also when rows are compared."""
    history = History(tmp_path)
    first: Columns = {"lead_id": ["L1", "L2"], "City": ["a", "a"], "city": ["b", "b"], "position": ["x", "y"]}
    history.merge(canonical({"leads": first}))
    assert history.merge(canonical({"leads": first})).is_unchanged
    assert counts(history, canonical({"leads": {**first, "city": ["b", "c"]}})) == {"leads": (0, 1, 1)}


def test_settings_are_stored_and_a_change_of_them_is_an_update(tmp_path: Path) -> None:
    """The horizon changes: no row does, but the import is no repetition."""
    history = History(tmp_path)
    tables = canonical({"leads": LEADS})
    history.merge(tables)
    shorter = replace(tables, crm=replace(tables.crm, horizon_days=30))
    assert history.merge(shorter).settings_changed
    assert history.read().crm.horizon_days == 30
    assert history.merge(shorter).is_unchanged


def test_exported_at_does_not_move_back_unless_it_is_told(tmp_path: Path) -> None:
    """Settings without exported_at keep what was known; a new one is taken as it is."""
    history = History(tmp_path)
    known = datetime(2026, 6, 1, tzinfo=UTC)
    tables = canonical({"leads": LEADS})
    history.merge(replace(tables, crm=replace(tables.crm, exported_at=known)))
    history.merge(tables)
    assert history.read().crm.exported_at == known
    told = datetime(2026, 5, 1, tzinfo=UTC)
    history.merge(replace(tables, crm=replace(tables.crm, exported_at=told)))
    assert history.read().crm.exported_at == told


@pytest.mark.parametrize(
    ("leads", "name", "match"),
    [
        pytest.param(LEADS, "other", "holds the CRM 'acme'", id="another-crm"),
        pytest.param(
            {"lead_id": ["L9"]}, "acme", "only the stored leads have created_at", id="times-on-one-side"
        ),
    ],
)
def test_misfit(tmp_path: Path, leads: Columns, name: str, match: str) -> None:
    """What does not fit the history is refused, and the history stays as it is."""
    history = History(tmp_path)
    history.merge(canonical({"leads": LEADS}))
    before = history.fingerprint()
    with pytest.raises(InputError, match=match):
        history.merge(canonical({"leads": leads}, crm=CrmSettings(name=name)))
    assert history.fingerprint() == before


def test_second_import_is_kept_out(tmp_path: Path) -> None:
    """While one import holds the lock another is refused at once."""
    with (tmp_path / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LeadPactError, match="another import is writing"):
            History(tmp_path).merge(canonical({"leads": LEADS}))


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"format": 99}', b"\xff"], ids=["cut", "list", "newer", "bytes"]
)
def test_damaged_manifest(tmp_path: Path, content: bytes) -> None:
    """A damaged manifest is a clear failure."""
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(LeadPactError, match="import the exports again"):
        History(tmp_path).read()


def test_missing_file(tmp_path: Path) -> None:
    """A file that the manifest names and that is not there is a clear failure."""
    history = History(tmp_path)
    history.merge(canonical({"leads": LEADS}))
    (tmp_path / json.loads((tmp_path / MANIFEST).read_text())["tables"]["deals"]).unlink()
    with pytest.raises(LeadPactError, match="a file of the history is missing"):
        history.read()


@pytest.mark.parametrize("content", [None, b"", b"half of a file"])
def test_without_its_scan_file_a_history_reads_the_same(tmp_path: Path, content: bytes | None) -> None:
    """What an earlier version imported, or a disk spoiled, is read from the Parquet files."""
    history = History(tmp_path)
    history.merge(canonical({"leads": LEADS, "activities": ACTIVITIES}))
    (scan_file,) = tmp_path.glob("scan-*")
    expected = history.buckets().read(0).activities.to_pylist()
    scan_file.unlink()
    if content is not None:
        scan_file.write_bytes(content)
    found = history.buckets()
    assert not isinstance(found.activities, ScanFile)
    assert len(expected) == 2
    assert found.read(0).activities.to_pylist() == expected


def test_the_next_import_makes_a_scan_file_that_is_missing(tmp_path: Path) -> None:
    """Even one that changes nothing; files that belong to other tables go with the next change."""
    history, tables = History(tmp_path), canonical({"leads": LEADS, "activities": ACTIVITIES})
    history.merge(tables)
    (scan_file,) = tmp_path.glob("scan-*")
    scan_file.rename(tmp_path / "scan-of-another-version.arrow")
    assert history.merge(tables).is_unchanged
    assert isinstance(history.buckets().activities, ScanFile)
    history.merge(canonical({"leads": {**LEADS, "size": ["3", "4"]}}))
    (renewed,) = tmp_path.glob("scan-*")
    assert renewed != scan_file
    assert isinstance(history.buckets().activities, ScanFile)


def test_one_lead(tmp_path: Path) -> None:
    """A lead is found with its activities in time order, in the form of a request."""
    history = History(tmp_path)
    history.merge(canonical({"leads": LEADS, "activities": ACTIVITIES}))
    assert history.read_lead("L9") is None
    found = history.read_lead("L1")
    assert found is not None
    assert found.lead == {"lead_id": "L1", "created_at": datetime(2026, 1, 1, tzinfo=UTC), "size": 1.0}
    assert [each["activity_id"] for each in found.activities] == ["A2", "A1"]
    assert found.activities[0]["occurred_at"] == datetime(2026, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "size"),
    [
        pytest.param(2, None, id="before-the-first-change-nothing-is-known"),
        pytest.param(3, 7.0, id="at-the-instant-of-the-change"),
        pytest.param(5, 7.0, id="between"),
        pytest.param(6, None, id="not-readable-as-a-number"),
    ],
)
def test_attributes_as_of(tmp_path: Path, day: int, size: float | None) -> None:
    """Recorded changes decide what an attribute was; they have the attribute's type."""
    history = History(tmp_path)
    history.merge(canonical({"leads": LEADS, "attribute_changes": CHANGES}))
    found = history.read_lead("L1")
    assert found is not None
    assert found.lead_as_of(datetime(2026, 1, day, tzinfo=UTC))["size"] == size
    assert "owner" not in found.lead_as_of(datetime(2026, 1, 9, tzinfo=UTC))


@pytest.mark.parametrize(
    ("stored", "recorded", "known"),
    [
        pytest.param("true", "FALSE", False, id="flag"),
        pytest.param("true", "perhaps", None, id="no-flag"),
        pytest.param(
            "2026-01-01T00:00:00Z", "2026-01-02T01:00:00+01:00", datetime(2026, 1, 2, tzinfo=UTC), id="time"
        ),
        pytest.param("2026-01-01T00:00:00Z", "2026-01-02", None, id="time-without-a-zone"),
        pytest.param("2026-01-01T00:00:00Z", "soon", None, id="no-time"),
        pytest.param("blue", "red", "red", id="text"),
        pytest.param("1", "inf", None, id="infinite"),
        pytest.param("1", None, None, id="emptied"),
    ],
)
def test_changes_have_the_type_of_their_attribute(
    tmp_path: Path, stored: str, recorded: str | None, known: object
) -> None:
    """A recorded value is text; it is given back as what its attribute is, or as missing."""
    leads: Columns = {"lead_id": ["L1"], "created_at": ["2026-01-01T00:00:00Z"], "x": [stored]}
    change: Columns = {
        "lead_id": ["L1"], "changed_at": ["2026-01-01T00:00:00Z"], "attribute": ["x"], "value": [recorded],
    }  # fmt: skip
    history = History(tmp_path)
    history.merge(canonical({"leads": leads, "attribute_changes": change}))
    found = history.read_lead("L1")
    assert found is not None
    assert found.lead_as_of(datetime(2026, 1, 5, tzinfo=UTC))["x"] == known


def test_one_lead_of_many_is_found_in_its_row_group(tmp_path: Path) -> None:
    """Leads are found in the first, the last and any row group between, by the groups' statistics."""
    count = 8 * ROWS_PER_GROUP
    ids = [f"L{n:07d}" for n in range(count)]
    leads = pa.table({"lead_id": ids, "created_at": pa.nulls(count, pa.timestamp("us", "UTC")),
                      "created_order": range(count), "x": range(count)})  # fmt: skip
    empty = canonical({"leads": LEADS})
    history = History(tmp_path)
    history.merge(replace(empty, leads=leads.cast(pa.schema([
        ("lead_id", pa.string()), ("created_at", pa.timestamp("us", "UTC")), ("created_order", pa.int64()),
        ("x", pa.float64())]))))  # fmt: skip
    assert history.read_lead(ids[0]) is not None
    for lead_id in (*ids[:: count // 9], ids[-1]):
        found = history.read_lead(lead_id)
        assert found is not None
        assert found.lead["lead_id"] == lead_id
    (leads_file,) = tmp_path.glob("leads-*.parquet")
    assert parquet.ParquetFile(leads_file).num_row_groups == 8


def test_reading_a_lead_loads_neither_pandas_nor_duckdb(tmp_path: Path) -> None:
    """The service reads leads: it must not pay for libraries of the trainer and of the import."""
    History(tmp_path).merge(
        canonical({"leads": LEADS, "activities": ACTIVITIES, "attribute_changes": CHANGES})
    )
    program = (
        "import sys; from pathlib import Path; from features.history.store import History; "
        "assert History(Path(sys.argv[1])).read_lead('L1') is not None; "
        "print(sorted({'pandas', 'mlflow', 'sklearn', 'lightgbm', 'duckdb'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


MERGE_WITH_LITTLE_ROOM = """
import resource, sys
from pathlib import Path
import pyarrow as pa
from features.errors import LeadPactError
from features.history.store import History
from dataclasses import replace
history = History(Path(sys.argv[1]))
stored = history.read()
noise = pa.array([str(hash((row, "noise"))) for row in range(stored.leads.num_rows)])
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    history.merge(replace(stored, leads=stored.leads.append_column("noise", noise)))
except LeadPactError as error:
    print(error)
"""


def test_a_full_disk_leaves_the_history_as_it_was(tmp_path: Path) -> None:
    """A write that fails is one sentence; nothing half-written stays to fill the disk further."""
    history = History(tmp_path)
    history.merge(canonical({"leads": {"lead_id": [f"L{number}" for number in range(5000)]}}))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = subprocess.run(
        [sys.executable, "-c", MERGE_WITH_LITTLE_ROOM, str(tmp_path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"cannot write to {tmp_path}: File too large; the history is as it was\n"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_ids_are_asked_for_as_they_are_stored(tmp_path: Path) -> None:
    """A CRM that pads its ids with blanks finds its leads."""
    history = History(tmp_path)
    history.merge(canonical({"leads": {"lead_id": ["  L1 "]}}))
    found = history.read_lead("  L1 ")
    assert found is not None
    assert found.lead["lead_id"] == "L1"


IMPORTER = """
import sys
from dataclasses import replace
from pathlib import Path
from features.history.store import History
history = History(Path(sys.argv[1]))
tables = history.read()
print("ready", flush=True)
for horizon in range(1000):
    history.merge(replace(tables, crm=replace(tables.crm, horizon_days=100 + horizon % 2)))
"""


def test_killed_at_any_point_the_history_is_whole(tmp_path: Path) -> None:
    """An importer that is killed in the middle leaves a history that reads, and the next import works."""
    history = History(tmp_path)
    tables = canonical({"leads": LEADS, "activities": ACTIVITIES})
    history.merge(tables)
    rows = contents(history)
    for milliseconds in (1, 4, 9, 17):
        with subprocess.Popen(
            [sys.executable, "-c", IMPORTER, str(tmp_path)], stdout=subprocess.PIPE
        ) as importer:
            assert importer.stdout is not None
            assert importer.stdout.readline() == b"ready\n"
            time.sleep(milliseconds / 1000)
            importer.send_signal(signal.SIGKILL)
        assert contents(history) == rows
        assert history.read().crm.horizon_days in {90, 100, 101}
    assert not history.merge(replace(tables, crm=replace(tables.crm, horizon_days=7))).is_unchanged
    assert len(list(tmp_path.iterdir())) == len(TABLE_NAMES) + 3  # the scan file, the manifest, the lock


IDS = st.sampled_from(["L1", "L2", "L3", "L4"])
EXPORTS = st.lists(st.dictionaries(IDS, st.sampled_from(["a", "b", "c"]), min_size=1), min_size=1, max_size=4)


@given(exports=EXPORTS)
def test_the_last_word_counts(
    tmp_path_factory: pytest.TempPathFactory, exports: list[dict[str, str]]
) -> None:
    """After any sequence of exports the history equals a dictionary that was updated with each."""
    history = History(tmp_path_factory.mktemp("history"))
    expected: dict[str, str] = {}
    for export in exports:
        before = dict(expected)
        expected |= export
        columns: Columns = {"lead_id": list(export), "x": list(export.values())}
        merged = history.merge(canonical({"leads": columns}))
        assert {row["lead_id"]: row["x"] for row in history.read().leads.to_pylist()} == expected
        assert merged.tables[0].changed == sum(before.get(k, v) != v for k, v in export.items())
        assert merged.tables[0].added == len(expected) - len(before)
