"""`leadpact features`: the features of the champion or of the history, and a table of their values."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pyarrow import parquet

from serving.cli import main
from serving.settings import Settings
from tests.builders_serving import install_champion, small_history

AS_OF = "2026-11-23T09:00:00Z"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the settings of a new workspace."""
    return Settings(workspace_root=tmp_path / "workspace")


def features(settings: Settings, *arguments: str, code: int = 0) -> None:
    """Run the command on the workspace and check its exit code."""
    with pytest.raises(SystemExit, match=f"^{code}$"):
        main(["features", *arguments, "--workspace", str(settings.workspace_root)])


def test_list_of_the_champion(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """The table names every feature with its label; --json gives the set itself."""
    install_champion(settings)
    features(settings, "list", "--lang", "de")
    for_people = capsys.readouterr().out
    features(settings, "list", "--json")
    answer = json.loads(capsys.readouterr().out)
    assert len(answer["hash"]) == 64
    for feature in answer["features"]:
        assert feature["name"] in for_people
        assert feature["label_de"] in for_people
        assert feature["example_de"] in for_people
    assert f"{len(answer['features'])} features" in for_people


def test_without_a_champion_the_way_out_is_named(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error says what is missing and which commands help."""
    small_history(settings)
    features(settings, "list", code=1)
    assert "run `leadpact train`, then `leadpact promote`, or give --history" in capsys.readouterr().err
    features(settings, "list", "--history")
    assert "lead_age_days" in capsys.readouterr().out


def test_build_writes_one_row_per_lead(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table holds lead, instant and every feature, readable."""
    tables = small_history(settings)
    out = tmp_path / "features.parquet"
    features(settings, "build", str(out), "--history", "--as-of", AS_OF, "--json")
    answer = json.loads(capsys.readouterr().out)
    table = parquet.read_table(out)
    assert answer["rows"] == table.num_rows == tables.leads.num_rows
    assert table.num_columns == answer["features"] + 2
    assert table.column("lead_id").to_pylist() == tables.leads.column("lead_id").to_pylist()
    assert {each.isoformat() for each in table.column("as_of").to_pylist()} == {"2026-11-23T09:00:00+00:00"}
    assert list(tmp_path.glob(".*")) == []


def test_leads_of_the_future_have_no_row(settings: Settings, tmp_path: Path) -> None:
    """As of a time before the first lead the table is empty, not wrong."""
    small_history(settings)
    out = tmp_path / "features.parquet"
    features(settings, "build", str(out), "--history", "--as-of", "1999-01-01T00:00:00Z")
    assert parquet.read_table(out).num_rows == 0


WRONG = [
    pytest.param(["build", "out.csv", "--history"], "OUT must be a file that ends in .parquet", id="ending"),
    pytest.param(["build", "no/out.parquet", "--history"], "the folder of OUT must exist", id="folder"),
    pytest.param(
        ["build", "out.parquet", "--history", "--as-of", "2026-01-01"], "must carry a time zone", id="naive"
    ),
    pytest.param(
        ["build", "out.parquet", "--as-of", AS_OF, "--points", "points.csv"],
        "--as-of and --points must not both be given",
        id="two-times",
    ),
    pytest.param(
        ["build", "out.parquet", "--history", "--source", "nowhere"],
        "(.db, .sqlite, .sqlite3) or a postgresql:// URL; got 'nowhere'",
        id="source",
    ),
]


def test_a_row_per_point(settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A training set asks for leads at instants of their own; unknown leads are refused, nothing is left."""
    tables = small_history(settings)
    lead_id = tables.leads["lead_id"][0].as_py()
    points, out = tmp_path / "points.csv", tmp_path / "out.parquet"
    points.write_text(f"lead_id,as_of\n{lead_id},{AS_OF}\n{lead_id},2026-11-20T09:00:00Z\n")
    features(settings, "build", str(out), "--history", "--points", str(points), "--json")
    answer = json.loads(capsys.readouterr().out)
    assert (answer["rows"], answer["as_of"]) == (2, None)
    ages = parquet.read_table(out)["lead_age_days"].to_pylist()
    assert ages[0] - ages[1] == 3.0
    out.unlink()
    points.write_text(f"lead_id,as_of\nnobody,{AS_OF}\n")
    features(settings, "build", str(out), "--history", "--points", str(points), code=2)
    assert "points must name leads that exist; 1 of 1 name others" in capsys.readouterr().err
    assert list(tmp_path.glob("*.parquet")) == list(tmp_path.glob(".*.draft")) == []


SOURCE_LEADS = "lead_id,created_at\nb,2026-01-01T00:00:00Z\na,2026-01-02T01:00:00+01:00\n"
SOURCE_ACTIVITIES = """activity_id,lead_id,occurred_at,kind,value
3,b,2026-01-04T00:00:00Z,page_view,
1,a,2026-01-03T00:00:00Z,page_view,7.5
1,a,2026-01-03T00:00:00Z,page_view,7.5
6,a,2026-01-03T00:00:00Z,page_view,nan
2,nobody,2026-01-03T00:00:00Z,page_view,
4,a,soon,page_view,
5,a,2026-01-05T00:00:00+02:00,fax,-1
"""


def test_a_folder_is_judged_as_an_import_judges_it(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unsorted, repeated, of nobody, unreadable: counted and set aside; the rest becomes features."""
    install_champion(settings)
    (tmp_path / "leads.csv").write_text(SOURCE_LEADS)
    (tmp_path / "activities.csv").write_text(SOURCE_ACTIVITIES)
    out = tmp_path / "out.parquet"
    features(settings, "build", str(out), "--source", str(tmp_path), "--as-of", AS_OF, "--json")
    answer = json.loads(capsys.readouterr().out)
    assert answer["source"]["tables"]["activities"] == {"read": 7, "usable": 3, "rejected": 3, "repeated": 1}
    assert {each["code"] for each in answer["source"]["problems"]} == {
        "unknown_lead",
        "unreadable_time",
        "unreadable_number",
    }
    assert "activities of the kind 'fax', counted in totals only: 1" in answer["notes"]
    assert parquet.read_table(out)["lead_id"].to_pylist() == ["a", "b"]
    features(settings, "build", str(out), "--source", str(tmp_path), "--as-of", AS_OF)
    said = capsys.readouterr().err
    assert "activities: 7 rows read, 3 usable, 3 set aside, 1 repeated" in said
    assert "rows that break a rule were set aside in" in said


def test_a_database_file_is_a_source(settings: Settings, tmp_path: Path) -> None:
    """The same rows out of SQLite give the same table."""
    install_champion(settings)
    file = tmp_path / "crm.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE leads (lead_id TEXT, created_at TEXT)")
        database.execute(
            "CREATE TABLE activities (activity_id TEXT, lead_id TEXT, occurred_at TEXT, kind TEXT)"
        )
        database.execute("INSERT INTO leads VALUES ('a', '2026-01-02T00:00:00Z')")
        database.execute("INSERT INTO activities VALUES ('1', 'a', '2026-01-03T00:00:00Z', 'page_view')")
        database.commit()
    out = tmp_path / "out.parquet"
    features(settings, "build", str(out), "--source", str(file), "--as-of", "2026-01-04T00:00:00Z")
    table = parquet.read_table(out)
    assert table["lead_age_days"].to_pylist() == [2.0]
    assert table["days_since_activity"].to_pylist() == [1.0]


@pytest.mark.parametrize(("arguments", "rule"), WRONG)
def test_wrong_input(
    settings: Settings, capsys: pytest.CaptureFixture[str], arguments: list[str], rule: str
) -> None:
    """Exit code 2 and one sentence with the rule."""
    small_history(settings)
    features(settings, *arguments, code=2)
    assert rule in capsys.readouterr().err
