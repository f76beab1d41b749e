"""A PostgreSQL database as a source: what its types become, one snapshot, and whatever goes wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from hypothesis import given, settings
from sqlalchemy import make_url
from sqlalchemy.exc import InternalError

from features.errors import InputError, LeadPactError
from features.importing.import_export import write_rejects
from features.sources import postgresql
from features.sources.database import open_database
from features.sources.spill import BucketLimits
from tests.builders_sources import Tables, assert_same, judge_whole, stream, write_postgresql
from tests.features.test_buckets import LIMITS, NOW, raw_tables
from tests.serving.postgres import Cluster, running_cluster

SCHEMA = '''
CREATE DOMAIN headcount AS numeric(6, 1);
CREATE TYPE plan AS ENUM ('free', 'paid');
CREATE TABLE leads (
    lead_id uuid PRIMARY KEY, created_at timestamptz NOT NULL, "Größe ""x""" headcount, visits bigint,
    score real, is_new boolean, plan plan, trial_at timestamp, born date, tags text[], note jsonb);
CREATE TABLE activities (
    activity_id bigint, lead_id uuid, occurred_at timestamptz, kind varchar(20), asset text, value numeric);
'''
ONE, TWO = (f"00000000-0000-0000-0000-00000000000{n}" for n in (1, 2))
LEADS = f"""
INSERT INTO leads VALUES
    ('{TWO}', '2026-01-02 00:00:00.000001+01', 12.5, 9007199254740993, 'NaN', true, 'paid',
     '2026-02-01 10:00', '2026-02-01', ARRAY['a', 'b'], '{{"a": 1}}'),
    ('{ONE}', '2026-01-01 00:00:00+00', NULL, NULL, 0.5, NULL, NULL, NULL, NULL, NULL, NULL)
"""  # noqa: S608 - names of a test


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Return a server of this file's own."""
    with running_cluster() as running:
        yield running


@pytest.fixture
def url(cluster: Cluster) -> str:
    """Return the URL of a database with leads of every type, and no activity."""
    found = cluster.new_database()
    run(found, SCHEMA, LEADS)
    return found


def run(url: str, *statements: str) -> None:
    """Run SQL and commit it."""
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement)


def test_types_are_those_declared(url: str, tmp_path: Path) -> None:
    """Numbers of any kind are double, times are times, what has no type of ours is text."""
    mapping = tmp_path / "crm.toml"
    mapping.write_text('[crm]\nname = "acme"\ntimezone = "Europe/Berlin"\n')
    streamed = stream(url, tmp_path, mapping_file=mapping)
    assert streamed.report.problems == ()
    first, second = streamed.table("leads").to_pylist()
    assert {name: second[name] for name in list(second)[3:]} == {
        'Größe "x"': 12.5,
        "visits": 9007199254740992.0,
        "score": None,
        "is_new": True,
        "plan": "paid",
        "trial_at": datetime(2026, 2, 1, 9, tzinfo=UTC),
        "born": datetime(2026, 1, 31, 23, tzinfo=UTC),
        "tags": "{a,b}",
        "note": '{"a": 1}',
    }
    assert (first["lead_id"], second["lead_id"]) == (ONE, TWO)
    assert second["created_at"] == datetime(2026, 1, 1, 23, 0, 0, 1, tzinfo=UTC)


BAD = [
    pytest.param("'infinity'", "1", "unreadable_time", "infinity", id="infinite-time"),
    pytest.param("'-infinity'", "1", "unreadable_time", "-infinity", id="infinite-time-before"),
    pytest.param("'294276-12-31 23:59:59+00'", "1", "unreadable_time", "infinity", id="last-time"),
    pytest.param("'4713-01-01 00:00:00+00 BC'", "1", "unreadable_time", None, id="first-time"),
    pytest.param("NULL", "1", "missing_value", None, id="no-time"),
    pytest.param("'2026-01-05+00'", "'Infinity'", "unreadable_number", "inf", id="infinite-number"),
    pytest.param("'2026-01-05+00'", "1e400", "unreadable_number", "inf", id="number-too-large"),
]


@pytest.mark.parametrize(("at", "value", "code", "shown"), BAD)
def test_values_that_no_rule_allows(
    url: str, tmp_path: Path, at: str, value: str, code: str, shown: str | None
) -> None:
    """They cost their row, not the reading."""
    rows = f"(1, '{ONE}', {at}, 'call', NULL, {value}), (2, '{ONE}', '2026-01-05+00', 'call', 'x', 'NaN')"
    run(url, f"INSERT INTO activities VALUES {rows}")  # noqa: S608 - names of a test
    streamed = stream(url, tmp_path)
    (problem,) = streamed.report.problems
    assert (problem.file, problem.row, problem.code) == ("table activities", 1, code)
    assert shown is None or problem.value == shown
    assert streamed.table("activities")["value"].to_pylist() == [None]


def test_naive_times_need_a_zone(cluster: Cluster, tmp_path: Path) -> None:
    """A timestamp without time zone is naive here too."""
    url = cluster.new_database()
    run(url, SCHEMA.replace("occurred_at timestamptz", "occurred_at timestamp"), LEADS)
    run(url, f"INSERT INTO activities VALUES (1, '{ONE}', '2026-01-05', 'call', NULL, NULL)")  # noqa: S608 - names of a test
    streamed = stream(url, tmp_path)
    assert [each.code for each in streamed.report.problems] == ["naive_time"]
    assert any("trial_at" in note for note in streamed.report.notes)


def test_tables_are_read_as_of_one_instant(url: str) -> None:
    """What another client commits meanwhile is not seen, and this one cannot write."""
    with open_database(url, None) as source:
        run(url, f"INSERT INTO activities VALUES (1, '{ONE}', '2026-01-05+00', 'call', NULL, NULL)")  # noqa: S608 - names of a test
        assert {each.head.name: each.whole().data.num_rows for each in source.streams} == {
            "leads": 2, "activities": 0,
        }  # fmt: skip
    engine = postgresql.connect_postgresql(make_url(url))
    with (
        pytest.raises(InternalError, match="read-only transaction"),
        engine.begin() as connection,
    ):
        connection.exec_driver_sql("DELETE FROM activities")
    engine.dispose()


def test_views_of_another_schema(url: str, tmp_path: Path) -> None:
    """The search path of the URL says which tables are meant."""
    run(
        url,
        "CREATE SCHEMA seen",
        "CREATE VIEW seen.leads AS SELECT 'V1' AS lead_id, now() - interval '1 day' AS created_at",
        "CREATE VIEW seen.activities AS SELECT * FROM public.activities",
    )
    streamed = stream(f"{url}&options=-csearch_path%3Dseen", tmp_path)
    assert streamed.table("leads")["lead_id"].to_pylist() == ["V1"]


@pytest.fixture(scope="module")
def shared_url(cluster: Cluster) -> str:
    """Return one database for all examples: a new one each would take most of the time."""
    return cluster.new_database()


@settings(max_examples=15)
@given(tables=raw_tables(), limits=LIMITS)
def test_buckets_and_import_agree(
    shared_url: str, tmp_path_factory: pytest.TempPathFactory, tables: Tables, limits: BucketLimits
) -> None:
    """Text tables with every mistake in them come to the same in buckets as whole."""
    base = tmp_path_factory.mktemp("rejects")
    where = write_postgresql(shared_url, tables)
    with pytest.MonkeyPatch.context() as small:
        small.setattr(postgresql, "BATCH_ROWS", 3)
        try:
            whole = judge_whole(where, NOW)
        except InputError:
            with pytest.raises(InputError, match="the export has no usable lead"):
                stream(where, base, limits=limits, now=NOW)
            return
        streamed = stream(where, base, limits=limits, now=NOW)
    assert_same(streamed, whole)
    if streamed.report.rejects_file is not None:
        assert streamed.report.rejects_file.name == write_rejects(whole.rejects, base / "whole").name


def test_a_missing_table_is_named(cluster: Cluster, tmp_path: Path) -> None:
    """The message names the database, what is needed and what there is."""
    url = cluster.new_database()
    run(url, "CREATE TABLE lead (lead_id text)")
    expected = r"'leadpact_\d+' on this machine must have .*it has lead; did you mean 'lead'"
    with pytest.raises(InputError, match=expected):
        stream(url, tmp_path)


def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    """One sentence, a failure and no password."""
    url = "postgresql+psycopg://user:s3cret@127.0.0.1:1/crm"
    with pytest.raises(LeadPactError, match=r"'crm' on 127\.0\.0\.1 cannot be read: ") as failed:
        stream(url, tmp_path)
    assert "s3cret" not in str(failed.value)
    assert not isinstance(failed.value, InputError)


def test_a_table_that_may_not_be_read(url: str, tmp_path: Path) -> None:
    """What the server refuses is said in its words."""
    run(url, "CREATE ROLE reader LOGIN", "GRANT SELECT ON leads TO reader")
    with pytest.raises(LeadPactError, match="permission denied for table activities"):
        stream(url.replace("postgres@", "reader@"), tmp_path)
