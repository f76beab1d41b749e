"""`leadpact features`: the features of the champion or of the history, and a table of their values."""

import json
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
]


@pytest.mark.parametrize(("arguments", "rule"), WRONG)
def test_wrong_input(
    settings: Settings, capsys: pytest.CaptureFixture[str], arguments: list[str], rule: str
) -> None:
    """Exit code 2 and one sentence with the rule."""
    small_history(settings)
    features(settings, *arguments, code=2)
    assert rule in capsys.readouterr().err
