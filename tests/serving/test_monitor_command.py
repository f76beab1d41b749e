"""`leadpact monitor`: findings as advice, a run beside the version, a sentence where nothing can be said."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.studies.monitoring.changes import new_word
from features.history.store import History
from features.workspace import Workspace
from serving.cli import main
from tests.builders_own_models import as_of, install_own_champion
from tests.builders_training import day, day_us, finished_cases, learnable_crm
from training.mlflow_store import StorePlace, choose_store, connect


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a workspace whose champion was trained on day 240 of a history in which a word is new."""
    workspace = Workspace(tmp_path_factory.mktemp("monitored") / "ws")
    crm = learnable_crm(n_leads=4000)
    place = choose_store(workspace, None, under_mlflow_run=False)
    install_own_champion(workspace, as_of(crm, day(240)), place)
    History(workspace.history_dir).merge(new_word(crm, day_us(386), np.random.default_rng(0)))
    return workspace


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no setting of this machine reach the command."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "LEADPACT_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: str) -> int:
    """Run a command and return its exit code."""
    with pytest.raises(SystemExit, match=r"\d|None") as stopped:
        main(list(arguments))
    code = stopped.value.code
    return code if isinstance(code, int) else 0


def monitor(workspace: Workspace, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """Run `leadpact monitor --json` and return its answer; findings never fail."""
    assert run("monitor", "-w", str(workspace.root), "--json", *arguments) == 0
    return json.loads(capsys.readouterr().out)


def test_findings_are_advice_and_logged_beside_the_version(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run has the numbers, the data's digest and the version's model as input; the version names it."""
    answer = monitor(workspace, capsys, "--lang", "de")
    assert [each["code"] for each in answer["findings"]] == ["unknown_levels"]
    assert "der neuesten Leads haben bei industry einen Wert" in answer["findings"][0]["message"]
    assert answer["not_logged"] is None
    with connect(
        StorePlace(tracking_uri=f"sqlite:///{workspace.mlflow_dir}/mlflow.db", artifact_root=None)
    ) as client:
        looked = client.get_run(answer["run_id"])
        version = client.get_model_version("lead-conversion", "1")
        files = [each.path for each in client.list_artifacts(answer["run_id"])]
        champion = client.get_model_version_by_alias("lead-conversion", "champion")
    assert looked.info.status == "FINISHED"
    assert looked.data.metrics["unknown.industry.0d"] == answer["findings"][0]["numbers"]["share"]
    assert looked.data.metrics["psi_critical.industry.0d"] > 0.0
    assert looked.data.metrics["findings"] == 1.0
    assert looked.data.tags["leadpact.model_version"] == "1"
    assert looked.inputs is not None
    assert [each.model_id for each in looked.inputs.model_inputs] == [str(version.source).rpartition("/")[2]]
    (seen,) = looked.inputs.dataset_inputs
    assert seen.dataset.digest == looked.data.params["data_hash"][:36]
    assert [(tag.key, tag.value) for tag in seen.tags] == [("mlflow.data.context", "monitoring")]
    assert files == ["findings.json"]
    assert version.tags["leadpact.monitoring_run"] == answer["run_id"]
    assert str(champion.version) == "1"


def test_people_read_numbers_findings_and_advice(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """The largest differences beside their critical values, the outcomes, and one line per finding."""
    assert run("monitor", "-w", str(workspace.root)) == 0
    text = capsys.readouterr().out
    for expected in (
        "champion: version 1",
        "critical",
        "lift lost",
        "[unknown_levels]",
        "logged as run",
    ):
        assert expected in text


def test_without_mlflow_the_findings_stand(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens on port 9: exit code 0, the same findings, and the reason they are not logged."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:9")
    answer = monitor(workspace, capsys)
    assert [each["code"] for each in answer["findings"]] == ["unknown_levels"]
    assert answer["run_id"] is None
    assert "run `leadpact monitor` again when MLflow is back" in answer["not_logged"]
    assert "secret" not in answer["not_logged"]


def test_a_version_the_registry_does_not_hold_is_said(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another store knows no version 1: the look stands, its run is marked failed."""
    uri = f"sqlite:///{tmp_path}/other.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert "no version '1' of lead-conversion" in monitor(workspace, capsys)["not_logged"]
    with connect(StorePlace(tracking_uri=uri, artifact_root=None)) as client:
        experiment = client.get_experiment_by_name("leadpact/test")
        assert experiment is not None
        assert [each.info.status for each in client.search_runs([experiment.experiment_id])] == ["FAILED"]


def test_without_champion_history_or_times_one_sentence_says_so(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No champion is wrong use, no history a failure, no times a third answer."""
    assert run("monitor", "-w", str(tmp_path / "empty")) == 1
    assert "import an export first" in capsys.readouterr().err
    bare = Workspace(tmp_path / "bare")
    History(bare.history_dir).merge(finished_cases())
    assert run("monitor", "-w", str(bare.root)) == 2
    assert "there is no champion in this workspace" in capsys.readouterr().err
    (bare.models_dir).mkdir()
    for each in workspace.models_dir.iterdir():
        if each.name.startswith(("lead-conversion", "champion")):
            (bare.models_dir / each.name).symlink_to(each)
    answer = monitor(bare, capsys)
    assert [each["code"] for each in answer["does_not_apply"]] == ["no_times"]
    assert answer["findings"] == []
