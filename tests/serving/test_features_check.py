"""`leadpact features check`: every finding, the exit code, and that an edited crm.toml settles one."""

import json
from pathlib import Path

import numpy as np
import pytest

from serving.cli import main

CRM_TOML = '[crm]\nname = "acme"\n'


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty workspace with nothing else configured."""
    monkeypatch.delenv("LEADPACT_WORKSPACE", raising=False)
    return tmp_path / "ws"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Return an export of finished cases in which a grade is given by those who know how it ended."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "export"
    folder.mkdir()
    leads, deals = ["lead_id,source,My grade,stage"], ["deal_id,lead_id,outcome"]
    for number in range(300):
        won = bool(rng.random() < 0.4)
        leads.append(f"L{number},{rng.choice(['web', 'fair'])},{'A' if won else 'B'},{number % 3}")
        deals.append(f"D{number},L{number},{'won' if won else 'lost'}")
    (folder / "leads.csv").write_text("\n".join(leads), encoding="utf-8")
    (folder / "deals.csv").write_text("\n".join(deals), encoding="utf-8")
    (folder / "crm.toml").write_text(CRM_TOML, encoding="utf-8")
    return folder


def run(workspace: Path, *arguments: str, code: int = 0) -> None:
    """Run a command on the workspace and check its exit code."""
    with pytest.raises(SystemExit, match=f"^{code}$"):
        main([*arguments, "--workspace", str(workspace)])


def test_all_findings_are_printed_before_the_exit_code(
    workspace: Path, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two for an error that is open: a table with code, severity and column, then how to go on."""
    run(workspace, "import", str(export))
    capsys.readouterr()
    run(workspace, "features", "check", code=2)
    said = capsys.readouterr()
    for expected in (
        "error",
        "single-feature-auc",
        "My grade",
        "AUC 1.00",
        "denied-stage",
        "1 now",
        "import",
    ):
        assert expected in said.out
    assert "Traceback" not in said.err


def test_german_and_json(workspace: Path, export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same findings as words in German and as data."""
    run(workspace, "import", str(export))
    capsys.readouterr()
    run(workspace, "features", "check", "--lang", "de", code=2)
    said = capsys.readouterr().out
    assert "AUC 1,00 bei 300 abgeschlossenen Leads" in said
    assert said.startswith("Schwere")
    run(workspace, "features", "check", "--json", code=2)
    answer = json.loads(capsys.readouterr().out)
    assert answer["refuses"] is True
    assert answer["outcomes_compared"] is True
    assert sum(answer["leads"].values()) == 300
    (error,) = (each for each in answer["findings"] if each["severity"] == "error")
    assert (error["code"], error["column"]) == ("single-feature-auc", "My grade")
    assert error["numbers"]["auc"] > 0.99
    assert '"My grade" = "reason"' in error["settle"]


@pytest.mark.parametrize("listed", ["never", "allow"])
def test_an_edited_crm_toml_settles_it(
    workspace: Path, export: Path, capsys: pytest.CaptureFixture[str], listed: str
) -> None:
    """The same export imported again changes no row; the settings are new and the exit code is 0."""
    run(workspace, "import", str(export))
    run(workspace, "train", code=2)
    assert "refuses because of 'My grade'" in capsys.readouterr().err
    lists = f'[attributes.{listed}]\n"My grade" = "given by the form"\n'
    (export / "crm.toml").write_text(CRM_TOML + lists, encoding="utf-8")
    run(workspace, "import", str(export), "--json")
    imported = json.loads(capsys.readouterr().out)
    assert {counts["added"] + counts["changed"] for counts in imported["tables"].values()} == {0}
    run(workspace, "features", "check")
    said = capsys.readouterr().out
    assert "given by the form" in said
    assert "Nothing here stops `leadpact train`" in said


def test_a_history_without_outcomes_is_judged_by_name_and_shape(
    workspace: Path, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says that values were not compared, and why."""
    (export / "deals.csv").unlink()
    run(workspace, "import", str(export))
    run(workspace, "features", "check")
    said = capsys.readouterr().out
    assert "denied-stage" in said
    assert "needs 20 won and 20 other leads" in said


def test_without_a_history_the_import_is_named(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty workspace says which command comes first."""
    run(workspace, "features", "check", code=1)
    assert "import an export first: leadpact import DIR" in capsys.readouterr().err
