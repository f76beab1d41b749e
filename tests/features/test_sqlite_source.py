"""A SQLite file as a source: what its values become, and one sentence for whatever goes wrong."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from features.errors import InputError, LeadPactError
from features.sources.buckets import open_buckets
from features.sources.database import open_database
from features.sources.mapping import parse_mapping
from features.tables import TIME_TYPE
from tests.builders_sources import Tables, assert_same, judge_whole, stream, write_sqlite

LEADS: dict[str, list[Any]] = {
    "lead_id": ["L1", "L2"],
    "created_at": ["2026-01-01T00:00:00Z", "2026-01-02 00:00:00+01:00"],
}
ACTIVITIES: dict[str, list[Any]] = {
    "activity_id": ["A1"],
    "lead_id": ["L1"],
    "occurred_at": ["2026-01-05T00:00:00Z"],
    "kind": ["call"],
}


def test_types_are_found_as_in_csv(tmp_path: Path) -> None:
    """Numbers, text, times and flags of any declared type; ids that are numbers; odd column names."""
    leads: dict[str, list[Any]] = {
        "lead_id": [7, 8],
        "created_at": LEADS["created_at"],
        "size": [10, 2.5],
        "code": ["01067", "10115"],
        "is_new": [1, 0],
        "odd_flag": [2, 1],
        "trial_at": ["2026-02-01", None],
        'a "b"': ["x", b"y"],
    }
    declared = {"is_new": "BOOLEAN", "odd_flag": "bool", "size": "REAL", "lead_id": "INTEGER", 'a "b"': ""}
    where = write_sqlite(
        tmp_path / "crm.db", {"leads": leads, "activities": {**ACTIVITIES, "lead_id": ["7"]}}, declared
    )
    mapping = tmp_path / "crm.toml"
    mapping.write_text('[crm]\nname = "acme"\ntimezone = "Europe/Berlin"\n')
    streamed = stream(where, tmp_path, mapping_file=mapping)
    table = streamed.table("leads")
    assert [str(each) for each in table.schema.types[3:]] == [
        "double", "string", "bool", "string", "timestamp[us, tz=UTC]", "string",
    ]  # fmt: skip
    assert table.column("lead_id").to_pylist() == ["7", "8"]
    assert table.column("size").to_pylist() == [10.0, 2.5]
    assert table.column("is_new").to_pylist() == [True, False]
    assert table.column("odd_flag").to_pylist() == ["2", "true"]
    assert table.column('a "b"').to_pylist() == ["x", "y"]
    assert streamed.table("activities").num_rows == 1
    assert (streamed.report.crm_name, streamed.report.problems) == ("acme", ())


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param("x", "unreadable_number", id="text-among-numbers"),
        pytest.param(float("inf"), "unreadable_number", id="infinite"),
        pytest.param(1e300, None, id="large"),
        pytest.param(-5e-324, None, id="tiny"),
        pytest.param(2**62, None, id="long"),
        pytest.param(None, None, id="null"),
    ],
)
def test_numbers_of_any_storage(tmp_path: Path, value: object, code: str | None) -> None:
    """A number reads back as itself; what is no number is set aside."""
    where = write_sqlite(
        tmp_path / "crm.db",
        {"leads": LEADS, "activities": {**ACTIVITIES, "value": [value]}},
        {"value": "REAL"},
    )
    streamed = stream(where, tmp_path)
    assert [each.code for each in streamed.report.problems] == ([] if code is None else [code])
    if code is None:
        assert streamed.table("activities")["value"].to_pylist() == [
            None if value is None else float(str(value))
        ]


def test_text_that_is_not_utf8_costs_its_row(tmp_path: Path) -> None:
    """One broken text among others is set aside with the row, and read = usable + rejected."""
    kinds = ["call", "mail", "visit"]
    activities = {name: values * 3 for name, values in ACTIVITIES.items()}
    activities |= {"activity_id": ["A1", "A2", "A3"], "kind": kinds}
    where = write_sqlite(tmp_path / "crm.db", {"leads": LEADS, "activities": activities})
    with sqlite3.connect(tmp_path / "crm.db") as connection:
        connection.execute("UPDATE activities SET kind = CAST(x'66ff' AS TEXT) WHERE activity_id = 'A2'")
    connection.close()
    streamed = stream(where, tmp_path)
    assert_same(streamed, judge_whole(where))
    assert [(each.file, each.row, each.code) for each in streamed.report.problems] == [
        ("table activities", 2, "not_utf8")
    ]
    assert streamed.table("activities")["kind"].to_pylist() == ["call", "visit"]


def test_tables_are_read_as_of_one_instant(tmp_path: Path) -> None:
    """What another process writes meanwhile is not seen."""
    where = write_sqlite(tmp_path / "crm.db", {"leads": LEADS, "activities": ACTIVITIES})
    with sqlite3.connect(tmp_path / "crm.db") as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        with open_database(where, None) as source:
            writer.execute("INSERT INTO activities SELECT 'A2', lead_id, occurred_at, kind FROM activities")
            writer.commit()
            rows = {each.head.name: each.whole().data.num_rows for each in source.streams}
    writer.close()
    assert rows == {"leads": 2, "activities": 1}


def test_views_will_do(tmp_path: Path) -> None:
    """A CRM's own tables need no copy: a view of the right name and columns is a table."""
    where = write_sqlite(tmp_path / "crm.db", {"people": {"id": ["L1"]}, "activities": ACTIVITIES})
    with sqlite3.connect(tmp_path / "crm.db") as connection:
        connection.execute(
            "CREATE VIEW leads AS SELECT id AS lead_id, '2026-01-01T00:00:00Z' AS created_at FROM people"
        )
    connection.close()
    assert stream(where, tmp_path).table("leads")["created_at"].type == TIME_TYPE


@pytest.mark.parametrize("name", ["crm.db", "crm.sqlite", "crm.sqlite3", "my crm?#%20.db"])
def test_a_path_will_do(tmp_path: Path, name: str) -> None:
    """A file of a known ending is a SQLite file, whatever signs are in its name."""
    write_sqlite(tmp_path / name, {"leads": LEADS, "activities": ACTIVITIES})
    assert stream(tmp_path / name, tmp_path).table("leads").num_rows == 2
    assert stream(str(tmp_path / name), tmp_path).table("leads").num_rows == 2


def test_nothing_is_written(tmp_path: Path) -> None:
    """The file is opened for reading only, and is afterwards as it was."""
    where = write_sqlite(tmp_path / "crm.db", {"leads": LEADS, "activities": ACTIVITIES})
    before = (tmp_path / "crm.db").read_bytes()
    with open_database(where, None) as source:
        assert len(source.streams) == 2
    assert (tmp_path / "crm.db").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crm.db"]


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    """The message says what there is and what may be meant."""
    where = write_sqlite(tmp_path / "crm.db", {"lead": LEADS, "activities": ACTIVITIES})
    with pytest.raises(
        InputError, match=r"must have the tables leads and activities; it has activities, lead; did"
    ):
        stream(where, tmp_path)


def test_a_wrong_column_is_named(tmp_path: Path) -> None:
    """Columns are checked as those of files."""
    activities = {**ACTIVITIES, "occured_at": ACTIVITIES["occurred_at"]}
    del activities["occurred_at"]
    where = write_sqlite(tmp_path / "crm.db", {"leads": LEADS, "activities": activities})
    with pytest.raises(InputError, match="lacks columns") as refused:
        stream(where, tmp_path)
    assert "table activities, column occurred_at" in refused.value.problems[0].text()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """One sentence, and wrong input rather than a failure."""
    (tmp_path / "crm.db").write_bytes(b"lead_id,created_at\n" * 100)
    with pytest.raises(InputError, match=r"crm\.db cannot be read: file is not a database"):
        stream(tmp_path / "crm.db", tmp_path)


def test_a_damaged_database(tmp_path: Path) -> None:
    """A file cut off in the middle is refused, with what SQLite says of it."""
    activities = {name: [f"{values[0]}{n}" for n in range(5000)] for name, values in ACTIVITIES.items()}
    where = write_sqlite(tmp_path / "crm.db", {"leads": LEADS, "activities": activities})
    data = (tmp_path / "crm.db").read_bytes()
    (tmp_path / "crm.db").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"crm\.db cannot be read: database disk image is malformed"):
        stream(where, tmp_path)


def test_a_locked_database_is_a_failure(tmp_path: Path) -> None:
    """Input is not to blame for another process that writes."""
    where = write_sqlite(tmp_path / "crm.db", {"leads": LEADS, "activities": ACTIVITIES})
    with sqlite3.connect(tmp_path / "crm.db", isolation_level=None) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LeadPactError, match="database is locked"):
            stream(where, tmp_path)
    writer.close()


@pytest.mark.parametrize(
    ("where", "rule"),
    [
        ("sqlite:///nowhere/crm.db", "SQLite file nowhere/crm.db does not exist"),
        ("nowhere.db", "SQLite file nowhere.db does not exist"),
        ("sqlite://", "unknown kind, 'sqlite'; expected"),
        ("mysql://user:secret@host/crm", "unknown kind, 'mysql'; expected"),
        ("postgresql://user:secret@host:port/crm", "cannot be read; expected"),
        ("://secret", "cannot be read; expected"),
        ("postgresql://user:se@cret@host/crm", "must be written %40"),
    ],
)
def test_a_url_that_names_no_database(where: str, rule: str) -> None:
    """The message says what is expected, and no password."""
    with pytest.raises(InputError, match=rule) as refused, open_buckets(where):
        pass
    assert "secret" not in str(refused.value)
    assert "cret" not in str(refused.value)


def test_queries_are_for_folders(tmp_path: Path) -> None:
    """A mapping with [tables] beside a database is a misunderstanding, said so."""
    mapping = parse_mapping('[crm]\nname = "a"\n[tables]\nleads = "SELECT 1"\n')
    where = write_sqlite(tmp_path / "crm.db", {"leads": LEADS, "activities": ACTIVITIES})
    with (
        pytest.raises(InputError, match=r"\[tables\] of crm.toml is for folders"),
        open_database(where, mapping),
    ):
        pass


def test_optional_tables(tmp_path: Path) -> None:
    """Deals and attribute changes are read when they are there; other tables are none of our business."""
    tables: Tables = {
        "leads": LEADS,
        "activities": ACTIVITIES,
        "deals": {"lead_id": ["L1"], "outcome": ["won"], "closed_at": ["2026-03-01T00:00:00Z"]},
        "attribute_changes": {
            "lead_id": ["L1"],
            "changed_at": ["2026-01-02T00:00:00Z"],
            "attribute": ["x"],
            "value": [3],
        },
        "invoices": {"n": ["1"]},
    }
    streamed = stream(write_sqlite(tmp_path / "crm.db", tables), tmp_path)
    assert [(each.table, each.usable) for each in streamed.report.counts] == [
        ("leads", 2), ("activities", 1), ("deals", 1), ("attribute_changes", 1),
    ]  # fmt: skip
    assert streamed.table("attribute_changes")["value"].to_pylist() == ["3"]
    assert streamed.table("leads")["created_at"].to_pylist() == [
        datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 23, tzinfo=UTC),
    ]  # fmt: skip
    assert pa.types.is_timestamp(streamed.table("deals")["closed_at"].type)
