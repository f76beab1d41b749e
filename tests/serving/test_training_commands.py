"""`leadpact train`, `evaluate`, `promote` and `model` on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from features.history.store import History
from serving.cli import main
from tests.builders_training import learnable_crm


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a workspace with a history and nothing else configured."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "LEADPACT_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    History(tmp_path / "ws" / "history").merge(learnable_crm(n_leads=1500))
    return tmp_path / "ws"


def run(*arguments: str) -> int:
    """Run a command and return its exit code."""
    with pytest.raises(SystemExit, match=r"\d|None") as stopped:
        main(list(arguments))
    code = stopped.value.code
    return code if isinstance(code, int) else 0


def answer(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return what was printed on standard output as JSON."""
    return json.loads(capsys.readouterr().out)


def test_train_evaluate_promote_and_pull(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The walk of a data scientist: each command answers with one JSON document and names the next."""
    where = ("-w", str(workspace), "--json")
    History(workspace / "history").leave_out("bad_data", [f"L{one:04}" for one in (7, 8, 99_999)])
    assert run("train", *where, "--budget", "0") == 0
    trained = answer(capsys)
    assert trained["left_out"] == {"bad_data": 2}
    assert (trained["version"], trained["split"]["kind"], trained["next"]) == (
        "1",
        "forward",
        "leadpact promote",
    )
    assert trained["leakage"] == []
    assert [part["name"] for part in trained["parts"]] == ["train", "calibration", "test"]
    assert sum(candidate["chosen"] for candidate in trained["candidates"]) == 1
    assert {"value", "low", "high"} == set(trained["evaluation"]["metrics"]["log_loss"])

    assert run("evaluate", *where) == 0
    evaluated = answer(capsys)
    assert evaluated["champion"] is None
    assert evaluated["challenger"]["metrics"] == trained["evaluation"]["metrics"]

    assert run("promote", *where) == 0
    promoted = answer(capsys)
    assert promoted["promoted"]
    assert {reason["code"] for reason in promoted["verdict"]["reasons"]} >= {
        "no_leakage",
        "better_than_prior",
    }

    assert run("model", "pull", *where) == 0
    pulled = answer(capsys)
    assert pulled == {"version": "1", "folder": promoted["folder"]}
    pointer = json.loads((workspace / "models" / "champion.json").read_bytes())
    assert pointer == {"version": "1", "folder": "lead-conversion-1"}
    card = (workspace / "models" / "lead-conversion-1" / "card.md").read_text("utf-8")
    assert "Leads that nobody may learn from, by reason: bad data 2." in card

    assert run("promote", "-w", str(workspace)) == 2
    assert "`leadpact train` makes one" in capsys.readouterr().err


def test_people_read_tables(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json every command prints what was found, and every gate with its reason."""
    assert run("train", "-w", str(workspace), "--budget", "0") == 0
    text = capsys.readouterr().out
    for expected in (
        "challenger: version 1",
        "split: forward in time",
        "leakage guard: 0 warnings, 0 notes, 0 allowed",
        "scorecard",
        "next: leadpact promote",
    ):
        assert expected in text
    page = workspace / "report.html"
    assert run("evaluate", "-w", str(workspace), "--html", str(page), "--lang", "de") == 0
    text = capsys.readouterr().out
    for expected in ("challenger 1", "of it miscalibration", "lift", "chance allows", "2025-"):
        assert expected in text
    assert "<h1>Wie gut ist der Score?</h1>" in page.read_text(encoding="utf-8")
    assert run("promote", "-w", str(workspace)) == 0
    text = capsys.readouterr().out
    assert "pass    calibrated_in_the_large: expected wins are" in text
    assert "n/a     stages_stay: no policy is in force" in text
    assert "version 1 is champion" in text
    assert run("audit", "list", "-w", str(workspace)) == 0
    assert "model.promoted" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(
            ("promote", "--force"), 2, "--force and --why TEXT belong together", id="force-without-why"
        ),
        pytest.param(("promote", "--why", "so"), 2, "--force and --why TEXT", id="why-alone"),
        pytest.param(("promote", "--force", "--why", " "), 2, "belong together", id="empty-why"),
        pytest.param(("promote",), 2, "there is no challenger in the registry", id="nothing-trained"),
        pytest.param(
            ("promote", "--version", "7"), 2, "no version '7' of lead-conversion", id="no-such-version"
        ),
        pytest.param(("evaluate",), 2, "there is no challenger and no champion", id="nothing-to-evaluate"),
        pytest.param(
            ("evaluate", "--html", "/nowhere/report.html"), 2, "--html must name a file", id="no-such-folder"
        ),
        pytest.param(("model", "pull"), 2, "there is no champion in the registry", id="no-champion"),
        pytest.param(("model", "register", "/nowhere"), 2, "must be a folder", id="no-model-directory"),
    ],
)
def test_wrong_use_is_answered_in_one_sentence(
    workspace: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, said: str
) -> None:
    """Exit code and sentence; never a traceback."""
    assert run(*arguments, "-w", str(workspace)) == code
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


@pytest.mark.parametrize("command", ["train", "evaluate", "promote"])
def test_without_a_history_the_import_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """An empty workspace says which command comes first."""
    assert run(command, "-w", str(tmp_path / "empty")) == 1
    assert "import an export first: leadpact import DIR" in capsys.readouterr().err


def test_a_scorecard_is_trained_and_printed(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A scorecard is asked for, promoted, printed in German, as JSON, and as CSV whose numbers add up."""
    where = ("-w", str(workspace))
    assert run("train", *where, "--json", "--evidence", "scorecard") == 0
    assert answer(capsys)["evidence"] == "scorecard"
    assert run("promote", *where, "--force", "--why", "a test") == 0
    capsys.readouterr()

    assert run("model", "scorecard", *where, "--lang", "de") == 0
    table = capsys.readouterr().out
    assert "Merkmal" in table
    assert "bis" in table

    assert run("model", "scorecard", *where, "--json") == 0
    card = answer(capsys)
    file = tmp_path / "new" / "card.csv"
    assert run("model", "scorecard", *where, "--csv", str(file)) == 0
    rows = file.read_text(encoding="utf-8").splitlines()
    assert rows[0] == "Feature,Value,Points"
    assert len(rows) == len(card["rows"]) + 2
    assert float(rows[1].rsplit(",", 1)[1]) == card["start"]


def test_without_a_champion_there_is_no_table(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence says how to get one."""
    assert run("model", "scorecard", "-w", str(workspace)) == 2
    assert "`leadpact promote` makes one" in capsys.readouterr().err
