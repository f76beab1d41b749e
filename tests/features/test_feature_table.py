"""The feature table, bucket by bucket: the same rows as in one piece, whatever the buckets and workers."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from features.asked import AllLeadsAt, ListedPoints, read_points
from features.buckets import LeadBuckets
from features.build import build_features
from features.encode import encode_table
from features.errors import InputError, LeadPactError
from features.feature_table import feature_table, table_schema, write_feature_table
from features.history.buckets import cut_history
from features.history.scan_file import ScanFile, open_scan_file, write_scan_file
from features.history.store import History
from features.tables import LEADS, TABLE_NAMES, TIME_TYPE, CanonicalTables
from features.times import EPOCH
from tests.builders_features import RandomCrm, Row, activity, at, crm_tables, feature_set, random_crms

EVERYTHING = feature_set()
START = at("2026-01-01")


def files_of(tables: CanonicalTables, folder: Path, rows_per_group: int) -> dict[str, Path]:
    """Write tables as a history keeps them, with small row groups."""
    files = {name: folder / f"{name}.parquet" for name in TABLE_NAMES}
    for name, file in files.items():
        parquet.write_table(tables.table(name), file, row_group_size=rows_per_group)
    return files


def settled(tables: CanonicalTables) -> CanonicalTables:
    """Return the tables without repetitions, as an import leaves them: ids are unique."""
    activities = {each["activity_id"]: each for each in reversed(tables.activities.to_pylist())}
    changes = {
        (each["lead_id"], each["attribute"], each["changed_at"]): each
        for each in tables.attribute_changes.to_pylist()
    }
    return crm_tables(tables.leads.to_pylist(), activities.values(), changes.values())


@given(random_crms(most_leads=12), st.integers(1, 5), st.integers(1, 4), st.integers(1, 9))
def test_buckets_of_a_history_give_the_rows_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, crm: RandomCrm, group: int, leads: int, activities: int
) -> None:
    """Every lead once, in order, bit for bit as in one piece."""
    tables = settled(crm.tables)
    asked = AllLeadsAt(EPOCH + timedelta(microseconds=int(crm.points.as_of_us.max())))
    folder = tmp_path_factory.mktemp("history")
    buckets = cut_history(
        files_of(tables, folder, group),
        tables.crm,
        leads_per_bucket=leads,
        activities_per_bucket=activities,
    )
    rows, _ = write_feature_table(EVERYTHING, buckets, asked, folder / "out.parquet", workers=2)
    expected = feature_table(EVERYTHING, tables, asked).rows
    found = parquet.read_table(folder / "out.parquet")
    assert rows == expected.num_rows
    assert found.equals(expected)
    assert sum(buckets.read(number).leads.num_rows for number in range(len(buckets))) == tables.leads.num_rows


@given(random_crms(most_leads=12), st.integers(1, 5), st.integers(1, 4))
def test_the_scan_file_gives_the_same_table_and_notes(
    tmp_path_factory: pytest.TempPathFactory, crm: RandomCrm, group: int, leads: int
) -> None:
    """Activities as numbers are the activities of the Parquet files, row by row and bit for bit."""
    tables, folder = settled(crm.tables), tmp_path_factory.mktemp("history")
    asked = AllLeadsAt(EPOCH + timedelta(microseconds=int(crm.points.as_of_us.max())))
    buckets = cut_history(files_of(tables, folder, group), tables.crm, leads_per_bucket=leads)
    write_scan_file(folder / "scan.arrow", buckets, buckets.starts)
    scanned = cut_history(
        files_of(tables, folder, group), tables.crm, scan=open_scan_file(folder / "scan.arrow")
    )
    assert len(scanned) == len(buckets)
    for number in range(len(buckets)):
        one, two = buckets.read(number).activities, scanned.read(number).activities
        assert one.to_pylist() == two.select(one.column_names).to_pylist()
    results = [
        write_feature_table(EVERYTHING, each, asked, folder / f"{place}.parquet")
        for place, each in enumerate((buckets, scanned))
    ]
    assert results[0] == results[1]
    assert parquet.read_table(folder / "0.parquet").equals(parquet.read_table(folder / "1.parquet"))


def test_attributes_that_nobody_asked_for_are_not_read(tmp_path: Path) -> None:
    """A bucket has the identity of its leads and the attributes that were asked for, if they are there."""
    files = files_of(small_crm(), tmp_path, 2)
    columns = cut_history(files, small_crm().crm, attributes=("absent",)).read(0).leads.column_names
    assert columns == ["lead_id", "created_at", "created_order"]


def test_a_table_reads_back_as_the_matrix(tmp_path: Path) -> None:
    """What people read is what the model eats, after its words have become codes again."""
    tables, asked = small_crm(), AllLeadsAt(START + timedelta(days=9))
    rows = feature_table(EVERYTHING, tables, asked).rows
    assert rows.schema == table_schema(EVERYTHING)
    matrix = build_features(EVERYTHING, tables, asked.points(tables))
    np.testing.assert_array_equal(encode_table(EVERYTHING, rows), matrix)


def small_crm(n_leads: int = 4) -> CanonicalTables:
    """Return leads L0, L1, … created a day apart, each with a page view at its creation."""
    leads: list[Row] = [{"lead_id": f"L{n}", "created_at": START + timedelta(days=n)} for n in range(n_leads)]
    return crm_tables(leads, [activity(each["lead_id"], each["created_at"]) for each in leads])


class OneBucket:
    """Tables as a single bucket."""

    def __init__(self, tables: CanonicalTables) -> None:
        self.crm, self._tables = tables.crm, tables

    def __len__(self) -> int:
        return 1

    def read(self, number: int) -> CanonicalTables:
        assert number == 0
        return self._tables


def points_table(*points: tuple[str, int]) -> pa.Table:
    """Return points: lead and day after the start."""
    return pa.table(
        {
            "lead_id": [lead for lead, _ in points],
            "as_of": pa.array([START + timedelta(days=day) for _, day in points], TIME_TYPE),
        }
    )


def test_points_ask_for_leads_at_instants_of_their_own(tmp_path: Path) -> None:
    """A lead may be asked for several times; rows come by lead, in the order of the points."""
    buckets: LeadBuckets = OneBucket(small_crm())
    asked = ListedPoints(points_table(("L2", 9), ("L0", 5), ("L2", 3), (" L0 ", 1)))
    write_feature_table(EVERYTHING, buckets, asked, tmp_path / "out.parquet")
    asked.refuse_unknown()
    found = parquet.read_table(tmp_path / "out.parquet")
    assert found["lead_id"].to_pylist() == ["L0", "L0", "L2", "L2"]
    assert found["lead_age_days"].to_pylist() == [5.0, 1.0, 7.0, 1.0]


def test_points_of_leads_that_do_not_exist_are_refused() -> None:
    """Nobody gets a table that is shorter than what was asked for."""
    asked = ListedPoints(points_table(("L0", 1), ("L7", 1), ("", 1)))
    feature_table(EVERYTHING, small_crm(), asked)
    with pytest.raises(InputError, match="points must name leads that exist; 2 of 3 name others"):
        asked.refuse_unknown()


WRONG_POINTS = [
    pytest.param(pa.table({"lead": ["a"]}), "missing: lead_id, as_of", id="columns"),
    pytest.param(
        points_table(("L0", 1)).set_column(0, "lead_id", pa.array([1])), "must be text; got int64", id="id"
    ),
    pytest.param(
        points_table(("L0", 1)).set_column(1, "as_of", pa.array([START.replace(tzinfo=None)])),
        r"must be a time with a zone; got timestamp\[us\]",
        id="naive",
    ),
    pytest.param(
        points_table(("L0", 1)).set_column(0, "lead_id", pa.array([None], pa.string())),
        "must not be empty; 1 are",
        id="empty",
    ),
]


@pytest.mark.parametrize(("table", "rule"), WRONG_POINTS)
def test_wrong_points_are_refused(table: pa.Table, rule: str) -> None:
    """The error names the column, the rule and what was found."""
    with pytest.raises(InputError, match=rule):
        ListedPoints(table)


def test_points_are_read_from_parquet_and_csv(tmp_path: Path) -> None:
    """Both forms hold the same points; everything else is refused by name."""
    table = points_table(("L1", 2))
    parquet.write_table(table, tmp_path / "points.parquet")
    (tmp_path / "points.csv").write_text("lead_id,as_of\nL1,2026-01-03T01:00:00+01:00\n")
    (tmp_path / "naive.csv").write_text("lead_id,as_of\nL1,2026-01-03T01:00:00\n")
    (tmp_path / "half.parquet").write_bytes((tmp_path / "points.parquet").read_bytes()[:-9])
    found = [read_points(tmp_path / name).points(small_crm()) for name in ("points.parquet", "points.csv")]
    assert [each.as_of_us.tolist() for each in found] == [found[0].as_of_us.tolist()] * 2
    for name in ("naive.csv", "half.parquet", "absent.csv"):
        with pytest.raises(InputError, match=f"{name}' cannot be read: "):
            read_points(tmp_path / name)
    with pytest.raises(InputError, match=r"must be a file that ends in .parquet or .csv; got 'points.xlsx'"):
        read_points(Path("points.xlsx"))


def test_what_the_features_do_not_know_is_counted() -> None:
    """New kinds, channels and levels, and an attribute that is gone, are said with their numbers."""
    leads = [{"lead_id": "L0", "created_at": START, "industry": "Mining", "email": "a@firma.fr"}]
    rows = [
        activity("L0", START, "fax", channel="pigeon"),
        activity("L0", START, "call", channel="web"),
    ]
    types = {"industry": pa.string(), "email": pa.string(), "employees": pa.float64(), "trial_at": TIME_TYPE}
    tables = crm_tables(leads, rows, attribute_types=types)
    assert dict(feature_table(EVERYTHING, tables, AllLeadsAt(START)).unknown) == {
        "leads without the attribute 'newsletter', taken as missing": 1,
        "rows with a rare or new value of 'industry'": 1,
        "rows with a rare or new value of 'email_country'": 1,
        "activities of the kind 'fax', counted in totals only": 1,
        "activities of the channel 'pigeon', counted in totals only": 1,
    }


def test_a_history_that_is_replaced_while_it_is_read_says_so(tmp_path: Path) -> None:
    """A bucket whose file is gone is no traceback."""
    buckets = cut_history(files_of(small_crm(), tmp_path, 2), small_crm().crm, leads_per_bucket=2)
    (tmp_path / f"{LEADS}.parquet").unlink()
    with pytest.raises(
        LeadPactError, match="an import replaced the history while it was read; run this again"
    ):
        buckets.read(1)


def test_a_history_without_rows_has_no_buckets(tmp_path: Path) -> None:
    """Nothing stored, nothing built: an empty table with all columns."""
    buckets = cut_history(files_of(small_crm(0), tmp_path, 4), small_crm().crm)
    assert len(buckets) == 0
    rows, notes = write_feature_table(EVERYTHING, buckets, AllLeadsAt(START), tmp_path / "out.parquet")
    assert (rows, notes) == (0, ())
    assert parquet.read_schema(tmp_path / "out.parquet").equals(table_schema(EVERYTHING))


def test_the_history_gives_its_buckets(tmp_path: Path) -> None:
    """A stored history streams as it was stored."""
    history = History(tmp_path / "history")
    history.merge(small_crm())
    (bucket,) = (history.buckets().read(number) for number in range(len(history.buckets())))
    assert bucket.leads.equals(history.read().leads)
    assert bucket.settled
    assert isinstance(history.buckets().activities, ScanFile)
