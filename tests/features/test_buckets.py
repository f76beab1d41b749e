"""Sources in buckets: every row judged as an import judges it, whatever the order, the origin and the cut."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from features.buckets import LeadBuckets
from features.build import build_features
from features.errors import InputError, LeadPactError
from features.importing.import_export import write_rejects
from features.importing.set_aside import SetAside
from features.importing.validation import validate
from features.sources import csv_file, folder, sqlite
from features.sources.buckets import open_buckets
from features.sources.folder import read_export
from features.sources.mapping import read_mapping
from features.sources.spill import BucketLimits, last_at_or_before
from features.tables import CHANGES, LEADS, TABLE_NAMES, CanonicalTables
from tests.builders_features import feature_set, points_at
from tests.builders_import import ACTIVITIES, CRM_TOML, write_export
from tests.builders_sources import (
    Tables,
    assert_same,
    judge_whole,
    stream,
    write_csv_folder,
    write_parquet_folder,
    write_sqlite,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ONE_LEAD_EACH = BucketLimits(leads=1, rows=1, partitions=2)
LEAD_IDS = st.sampled_from(["L1", "L2", "L3", "L4", " L2", "Zoë", "", None])
TIMES = st.sampled_from(
    [
        "2026-01-01T08:00:00Z",
        "2026-01-02 09:00:00+02:00",
        "2026-01-03T00:00:00",
        "2027-01-01T00:00:00Z",
        "soon",
        "",
    ]
)
VALUES = st.sampled_from(["1", "-2.5", "NaN", "1e999", "many", "", None])
FLAGS = st.sampled_from(["true", "false", None])
WORDS = st.sampled_from(["a", "b", 'say "hi"', ""])


def id_of(lead_id: str | None, name: str) -> str:
    """Return an id that no other lead has, as CRMs number things."""
    return f"{name} of {(lead_id or '').strip()}"


@st.composite
def raw_tables(draw: st.DrawFn) -> Tables:
    """Draw an export with every kind of mistake in it, its rows in any order."""

    def rows(*columns: st.SearchStrategy[Any], most: int) -> list[tuple[Any, ...]]:
        return draw(st.lists(st.tuples(*columns), max_size=most))

    names = st.sampled_from(["1", "2", "3"])
    leads = rows(LEAD_IDS, TIMES, VALUES, FLAGS, most=6)
    activities = rows(names, LEAD_IDS, TIMES, WORDS, VALUES, most=12)
    deals = rows(names, LEAD_IDS, TIMES, st.sampled_from(["won", "lost", "maybe"]), most=5)
    changes = rows(LEAD_IDS, TIMES, WORDS, VALUES, most=6)
    return {
        "leads": named(("lead_id", "created_at", "size", "is_new"), leads),
        "activities": named(
            ("activity_id", "lead_id", "occurred_at", "kind", "value"),
            [(id_of(lead, name), lead, *rest) for name, lead, *rest in activities],
        ),
        "deals": named(
            ("deal_id", "lead_id", "closed_at", "outcome"),
            [(id_of(lead, name), lead, *rest) for name, lead, *rest in deals],
        ),
        "attribute_changes": named(("lead_id", "changed_at", "attribute", "value"), changes),
    }


def named(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    """Turn rows into columns."""
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


LIMITS = st.builds(
    BucketLimits, leads=st.integers(1, 5), rows=st.integers(1, 8), partitions=st.integers(1, 5)
)
WRITERS: dict[str, Callable[[Path, Tables], Path | str]] = {
    "csv": write_csv_folder,
    "parquet": write_parquet_folder,
    "sqlite": lambda folder, tables: write_sqlite(folder / "crm.db", tables),
}


@pytest.mark.parametrize("origin", WRITERS)
@settings(max_examples=30)
@given(tables=raw_tables(), limits=LIMITS, batch=st.integers(1, 5))
def test_buckets_and_import_agree(
    tmp_path_factory: pytest.TempPathFactory, origin: str, tables: Tables, limits: BucketLimits, batch: int
) -> None:
    """Tables, counts, problems and the rejects file are those of an import, byte for byte."""
    base = tmp_path_factory.mktemp("export")
    where = WRITERS[origin](base, tables)
    with pytest.MonkeyPatch.context() as small:
        small.setattr(csv_file, "LONGEST_ROW_BYTES", 100 * batch)
        small.setattr(folder, "BATCH_ROWS", batch)
        small.setattr(sqlite, "BATCH_ROWS", batch)
        try:
            whole = judge_whole(where, NOW)
        except InputError:
            with pytest.raises(InputError, match="the export has no usable lead"):
                stream(where, base, limits=limits, now=NOW)
            return
        streamed = stream(where, base / "rejects", limits=limits, now=NOW)
    assert_same(streamed, whole)
    if streamed.report.rejects_file is not None:
        assert streamed.report.rejects_file.name == write_rejects(whole.rejects, base / "whole").name
    for tables_of_bucket in streamed.buckets:
        assert 1 <= tables_of_bucket.leads.num_rows <= limits.leads
    for counts in streamed.report.counts:
        assert counts.read == counts.usable + counts.rejected + counts.repeated


def test_an_id_that_two_leads_share_is_told_apart(tmp_path: Path) -> None:
    """A bucket cannot see the others: within a lead an id is unique, whatever the cut."""
    again = ACTIVITIES + "A1,L2,2026-01-05T10:00:00Z,call,,,\nA1,L1,2026-01-05T10:00:00Z,call,,,\n"
    where = write_export(tmp_path / "export", activities=again)
    for limits in (BucketLimits(), ONE_LEAD_EACH):
        streamed = stream(where, tmp_path, limits=limits)
        assert [(each.code, each.row) for each in streamed.report.problems] == [
            ("contradicting_duplicate", 4)
        ]
        assert streamed.table("activities").num_rows == 3


def test_rows_of_a_lead_that_was_set_aside_say_so(tmp_path: Path) -> None:
    """Cause and consequence are told apart in every bucket."""
    leads = "lead_id,created_at\nL1,never\nL2,2026-01-01T00:00:00Z\nL3,2026-01-01T00:00:00Z\n"
    where = write_export(tmp_path / "export", leads=leads, deals=None, attribute_changes=None)
    more = ACTIVITIES + "A3,L9,2026-01-05T10:00:00Z,call,,,\n"
    (where / "activities.csv").write_text(more)
    streamed = stream(where, tmp_path, limits=ONE_LEAD_EACH)
    assert [(each.file, each.row, each.code) for each in streamed.report.problems] == [
        ("leads.csv", 1, "unreadable_time"),
        ("activities.csv", 1, "lead_set_aside"),
        ("activities.csv", 3, "unknown_lead"),
    ]


def test_unreadable_rows_are_counted(tmp_path: Path) -> None:
    """Rows of the wrong width and rows that are not UTF-8 belong to no lead and are in the report."""
    bad = ACTIVITIES.encode() + b"A3,L1\nA4,L1,2026-01-05T10:00:00Z,c\xffll,,,\n"
    where = write_export(tmp_path / "export", activities=bad)
    streamed = stream(where, tmp_path)
    assert_same(streamed, judge_whole(where))
    counts = {each.table: each for each in streamed.report.counts}["activities"]
    assert (counts.read, counts.usable, counts.rejected) == (4, 2, 2)
    assert json.dumps(streamed.report.to_dict())


def test_every_bucket_is_judged_once(tmp_path: Path) -> None:
    """Reading twice, from several threads, or not at all changes no count; the report can be asked again."""
    more = ACTIVITIES + "A3,L9,2026-01-05T10:00:00Z,call,,,\n"
    where = write_export(tmp_path / "export", activities=more)
    with open_buckets(where, limits=ONE_LEAD_EACH) as buckets:
        assert len(buckets) == 2
        with ThreadPoolExecutor(4) as pool:
            read = list(pool.map(buckets.read, [1] * 8))
        assert all(each.activities.equals(read[0].activities) for each in read)
        report = buckets.report(tmp_path / "rejects")
        assert buckets.report(tmp_path / "rejects") == report
    assert [(each.table, each.read) for each in report.counts] == [
        ("leads", 2), ("activities", 3), ("deals", 2), ("attribute_changes", 1),
    ]  # fmt: skip
    assert report.rejected == 1


def test_buckets_keep_the_promise_of_the_protocol(tmp_path: Path) -> None:
    """Buckets ascend by lead_id and hold each lead once; the settings are those of crm.toml."""
    where = write_export(tmp_path / "export", crm=CRM_TOML)
    with open_buckets(where, limits=ONE_LEAD_EACH) as buckets:
        promised: LeadBuckets = buckets
        ids = [promised.read(number).leads["lead_id"].to_pylist() for number in range(len(promised))]
        assert promised.crm.name == "acme"
    assert ids == [["L1"], ["L2"]]


def test_settings_of_another_mapping_file(tmp_path: Path) -> None:
    """--mapping wins over the folder's own file; its zone reads naive times."""
    where = write_export(tmp_path / "export", crm=CRM_TOML)
    (where / "activities.csv").write_text(ACTIVITIES.replace("Z,", ","))
    mapping = tmp_path / "other.toml"
    mapping.write_text('[crm]\nname = "other"\ntimezone = "America/New_York"\n')
    streamed = stream(where, tmp_path, mapping_file=mapping)
    assert streamed.report.crm_name == "other"
    assert streamed.table("activities")["occurred_at"][0].as_py() == datetime(2026, 1, 1, 13, tzinfo=UTC)


QUERIES = '''
[tables]
leads = "SELECT id AS lead_id, since AS created_at, size FROM 'people.csv' ORDER BY size DESC"
activities = """
    SELECT CAST(n AS TEXT) AS activity_id, id AS lead_id, t AS occurred_at, 'call' AS kind FROM 'calls.csv'"""
deals = "SELECT 'x' AS lead_id, 'won' AS outcome, DATE '2026-01-01' AS closed_at WHERE false"
'''


def test_queries_of_a_mapping_are_streamed(tmp_path: Path) -> None:
    """A folder whose crm.toml makes the tables by SQL needs no import; the process stays in its own."""
    (tmp_path / "crm.toml").write_text(CRM_TOML + QUERIES)
    people = "".join(f"P{n},2026-01-01,{n}\n" for n in range(50))
    (tmp_path / "people.csv").write_text("id,since,size\n" + people)
    calls = "".join(f"{n},P{n % 60},2026-02-01 10:00:00\n" for n in range(5000))
    (tmp_path / "calls.csv").write_text("n,id,t\n" + calls)
    before = Path.cwd()
    with open_buckets(tmp_path, limits=BucketLimits(leads=7, rows=600, partitions=3)) as buckets:
        assert Path.cwd() == before
        read = [buckets.read(number) for number in range(len(buckets))]
        report = buckets.report(tmp_path / "rejects")
    mapping = read_mapping(tmp_path / "crm.toml")
    whole = validate(read_export(tmp_path, mapping), mapping.crm)
    for name in TABLE_NAMES:
        assert pa.concat_tables([each.table(name) for each in read]).equals(whole.tables.table(name))
    assert report.counts == whole.counts
    assert report.problems == whole.all_problems


def test_a_query_that_fails_on_the_way(tmp_path: Path) -> None:
    """An error in the last row is found before the first bucket is."""
    queries = QUERIES.replace("'call' AS kind", "CAST(t AS INTEGER) AS kind")
    (tmp_path / "crm.toml").write_text(CRM_TOML + queries)
    (tmp_path / "people.csv").write_text("id,since,size\nP1,2026-01-01,1\n")
    (tmp_path / "calls.csv").write_text("n,id,t\n1,P1,1\n2,P1,x\n")
    with pytest.raises(InputError, match="cannot be read") as refused:
        stream(tmp_path, tmp_path)
    assert [each.code for each in refused.value.problems] == ["query_failed"]  # type: ignore[attr-defined]


def half_of(path: Path) -> None:
    """Cut a file in half, as a copy that broke off leaves it."""
    os.truncate(path, path.stat().st_size // 2)


def test_files_that_cannot_be_read_are_named_at_once(tmp_path: Path) -> None:
    """Half-written Parquet shows at once; quotes that are never closed, in two tables, are two problems."""
    where = write_export(tmp_path / "export", activities=None, leads='lead_id\nL1\n"L2\n', deals="deal_id\n")
    parquet.write_table(pa.table({"activity_id": ["A1"]}), where / "activities.parquet")
    half_of(where / "activities.parquet")
    with pytest.raises(InputError, match="cannot be read") as refused:
        stream(where, tmp_path)
    assert [(each.file, each.code) for each in refused.value.problems] == [  # type: ignore[attr-defined]
        ("activities.parquet", "unreadable_parquet"),
    ]  # fmt: skip
    (where / "activities.parquet").unlink()
    (where / "activities.csv").write_text(ACTIVITIES + '"A9,L1\nA10,L1\n')
    (where / "deals.csv").unlink()
    with pytest.raises(InputError, match="cannot be read") as refused:
        stream(where, tmp_path)
    assert [(each.file, each.code) for each in refused.value.problems] == [  # type: ignore[attr-defined]
        ("leads.csv", "unclosed_quote"),
        ("activities.csv", "unclosed_quote"),
    ]


def test_a_damaged_page_is_found_before_the_first_bucket(tmp_path: Path) -> None:
    """A Parquet file whose end is whole and whose middle is not is refused with its name."""
    where = write_export(tmp_path / "export", activities=None)
    columns = {name: [f"{name} {n}" for n in range(5000)] for name in ACTIVITIES.splitlines()[0].split(",")}
    path = where / "activities.parquet"
    parquet.write_table(pa.table(columns), path, compression="zstd")
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 3)
    path.write_bytes(data)
    with pytest.raises(InputError, match="cannot be read") as refused:
        stream(where, tmp_path)
    assert [each.code for each in refused.value.problems] == ["unreadable_parquet"]  # type: ignore[attr-defined]


def test_columns_are_checked_before_a_row_is_read(tmp_path: Path) -> None:
    """All columns that are missing, and those nobody knows, are one report."""
    where = write_export(
        tmp_path / "export", activities="activity_id,lead_id,kind,when\n", deals="lead_id\nL1\n"
    )
    with pytest.raises(InputError, match="lacks columns") as refused:
        stream(where, tmp_path)
    assert [(each.file, each.column) for each in refused.value.problems] == [  # type: ignore[attr-defined]
        ("activities.csv", "occurred_at"), ("activities.csv", "when"), ("deals.csv", "outcome"),
    ]  # fmt: skip


def test_unknown_columns_and_attributes_are_said(tmp_path: Path) -> None:
    """A mistyped column is a problem; a change of an attribute that leads does not have is a note."""
    changes = "lead_id,changed_at,attribute,value,by\nL1,2026-01-10T08:00:00Z,employes,12,me\n"
    where = write_export(tmp_path / "export", attribute_changes=changes)
    report = stream(where, tmp_path).report
    assert [(each.code, each.column) for each in report.problems] == [("unknown_column", "by")]
    assert report.notes == ("attribute_changes names attributes that leads does not have: employes",)


def test_an_export_of_the_future_is_refused(tmp_path: Path) -> None:
    """The rule of the import holds here too."""
    crm = f"{CRM_TOML}[label]\nexported_at = 2026-06-09\n"
    with pytest.raises(InputError, match="exported_at must not lie in the future"):
        stream(write_export(tmp_path / "export", crm=crm), tmp_path, now=NOW)


@pytest.mark.parametrize("activities", [ACTIVITIES, "", ACTIVITIES + '"A9,L1\nA10,L1\n'])
def test_no_temporary_file_is_left(tmp_path: Path, activities: str) -> None:
    """Whatever happens, the temporary folder goes with the block."""
    where = write_export(tmp_path / "export", activities=activities)
    spill_dir = tmp_path / "spill"
    spill_dir.mkdir()
    try:
        with open_buckets(where, spill_dir=spill_dir) as buckets:
            assert list(spill_dir.iterdir())
            buckets.read(0)
    except InputError:
        assert activities != ACTIVITIES
    assert list(spill_dir.iterdir()) == []


def test_reading_after_the_block_is_an_error(tmp_path: Path) -> None:
    """A bucket without its rows would be a silent lie."""
    with open_buckets(write_export(tmp_path / "export")) as buckets:
        pass
    with pytest.raises(FileNotFoundError, match="activities"):
        buckets.read(0)


def test_a_disk_that_refuses(tmp_path: Path) -> None:
    """No room for temporary files is one sentence."""
    where, spill_dir = write_export(tmp_path / "export"), tmp_path / "nowhere"
    refused = pytest.raises(LeadPactError, match=r"cannot write to .*nowhere: No such file")
    with refused, open_buckets(where, spill_dir=spill_dir):
        pass


@pytest.mark.parametrize("where", ["nowhere", "leads.xlsx"])
def test_a_source_that_is_nothing(tmp_path: Path, where: str) -> None:
    """The message says what a source may be."""
    with pytest.raises(InputError, match=r"must be a folder, a SQLite file .* or a postgresql:// URL; got"):
        stream(tmp_path / where, tmp_path)


def test_features_bucket_by_bucket(tmp_path: Path) -> None:
    """The feature table of the buckets is that of the whole, bit for bit."""
    leads = "".join(
        f"L{n},2026-01-0{1 + n % 9}T08:00:00Z,{('Retail', 'Software')[n % 2]},{n},{('true', 'false')[n % 2]},"
        "2026-02-01T00:00:00Z\n"
        for n in range(40)
    )
    activities = "".join(
        f"A{n},L{n * 7 % 40},2026-02-{1 + n % 28:02d}T{n % 24:02d}:00:00Z,{('page_view', 'call')[n % 2]},"
        f"/{n % 5},web,\n"
        for n in range(600)
    )
    changes = "".join(f"L{n},2026-02-1{n % 10}T08:00:00Z,employees,{n * 10}\n" for n in range(0, 40, 3))
    where = write_export(
        tmp_path / "export",
        crm=CRM_TOML,
        leads="lead_id,created_at,industry,employees,newsletter,trial_at\n" + leads,
        activities="activity_id,lead_id,occurred_at,kind,asset,channel,value\n" + activities,
        deals=None,
        attribute_changes="lead_id,changed_at,attribute,value\n" + changes,
    )
    mapping = read_mapping(where / "crm.toml")
    whole = features_of(validate(read_export(where, mapping), mapping.crm).tables)
    streamed = stream(where, tmp_path, limits=BucketLimits(leads=7, rows=100, partitions=3))
    assert len(streamed.buckets) > 5
    parts = np.concatenate([features_of(tables) for tables in streamed.buckets])
    assert parts.tobytes() == whole.tobytes()


def features_of(tables: CanonicalTables) -> npt.NDArray[np.float64]:
    """Return every feature of every lead as of one instant."""
    leads = range(tables.leads.num_rows)
    points = points_at(leads, [datetime(2026, 2, 20, tzinfo=UTC)] * len(leads))
    return build_features(feature_set(), tables, points)


def test_one_lead_with_a_million_activities(tmp_path: Path) -> None:
    """A lead is in one bucket, however many rows it has; its neighbours are in others."""
    n = 1_000_000
    activities = pa.table(
        {
            "activity_id": pa.array(range(n)).cast(pa.string()),
            "lead_id": pa.repeat(pa.scalar("L1"), n),
            "occurred_at": pa.repeat(pa.scalar(datetime(2026, 3, 1, tzinfo=UTC)), n),
            "kind": pa.repeat(pa.scalar("page_view"), n),
        }
    )
    where = write_export(tmp_path / "export", activities=None)
    parquet.write_table(activities, where / "activities.parquet")
    streamed = stream(where, tmp_path)
    assert [each.activities.num_rows for each in streamed.buckets] == [n, 0]
    assert streamed.report.problems == ()


def test_wide_rows_make_smaller_buckets(tmp_path: Path) -> None:
    """Memory is bytes: rows of ten kilobytes count for forty."""
    leads = "lead_id\n" + "".join(f"L{n}\n" for n in range(20))
    rows = "".join(f"A{n},L{n % 20},2026-01-05T10:00:00Z,call,{'x' * 10_000}\n" for n in range(100))
    where = write_export(tmp_path / "export", leads=leads, deals=None, attribute_changes=None)
    (where / "activities.csv").write_text("activity_id,lead_id,occurred_at,kind,asset\n" + rows)
    with open_buckets(where, limits=BucketLimits(rows=800)) as buckets:
        assert [buckets.read(number).leads.num_rows for number in range(len(buckets))] == [4] * 5


@given(
    keys=st.lists(st.text(max_size=3), min_size=1, max_size=20, unique=True),
    values=st.lists(st.text(max_size=3) | st.none(), max_size=20),
)
def test_search_of_many_values_at_once(keys: list[str], values: list[str | None]) -> None:
    """The place is that of the greatest key not after the value, in byte order; nulls are somewhere."""
    ordered = sorted(keys, key=lambda key: key.encode())
    found = last_at_or_before(pa.array(values, pa.string()), pa.array(ordered, pa.string()))
    for value, place in zip(values, found.tolist(), strict=True):
        before = [n for n, key in enumerate(ordered) if value is not None and key.encode() <= value.encode()]
        assert 0 <= place < len(ordered)
        assert value is None or place == max(before, default=0)


def test_rejects_are_read_back_in_order(tmp_path: Path) -> None:
    """Whatever bucket found them, rejects come by table and row, the rules of a row in their order."""

    def rejects(*rows: tuple[int, str]) -> pa.Table:
        names = ("file", "row", "column", "value", "rule", "code", "content")
        return pa.table(
            {
                name: [row[1] if name == "code" else row[0] if name == "row" else name for row in rows]
                for name in names
            }
        )

    kept = SetAside(tmp_path, TABLE_NAMES, rows_per_slice=10)
    kept.add(CHANGES, rejects((3, "a")))
    kept.add(LEADS, rejects((25, "a"), (25, "b"), (9, "a"), (10, "a")))
    kept.add(LEADS, rejects((8, "a"), (24, "z")))
    kept.close()
    found = [(row["row"], row["code"]) for part in kept.parts() for row in part.to_pylist()]
    assert found == [(8, "a"), (9, "a"), (10, "a"), (24, "z"), (25, "a"), (25, "b"), (3, "a")]


def test_csv_batches_are_numbered_through(tmp_path: Path) -> None:
    """Over many blocks with rows that cannot be read among them, every row keeps its number."""
    path = tmp_path / "leads.csv"
    lines = [
        b"x\n" if n % 7 == 0 else b"L\xff,%d\n" % n if n % 11 == 0 else b"L,%d\n" % n for n in range(1, 5001)
    ]
    path.write_bytes(b"lead_id,n\n" + b"".join(lines))
    with pytest.MonkeyPatch.context() as small:
        small.setattr(csv_file, "LONGEST_ROW_BYTES", 500)
        batches = list(csv_file.open_csv_table(path, LEADS).batches())
    assert len(batches) > 50
    read = pa.concat_tables([each.data for each in batches])
    numbers = pa.concat_arrays([each.row_numbers for each in batches])
    assert read["n"].to_pylist() == [str(n) for n in numbers.to_pylist()]
    unreadable = {row["row"]: row["code"] for each in batches for row in each.unreadable.to_pylist()}
    assert unreadable == dict.fromkeys(range(7, 5001, 7), "wrong_width") | {
        n: "not_utf8" for n in range(11, 5001, 11) if n % 7
    }
    assert sorted([*numbers.to_pylist(), *unreadable]) == list(range(1, 5001))
