"""`mlflow run training -e retrain` does what `leadpact train` does, wherever MLflow looks."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from features.history.store import History
from features.workspace import Workspace
from serving.cli import load_command
from tests.builders_training import learnable_crm
from training.mlflow_store import StorePlace, choose_store, connect
from training.registry import find_version

PROJECT = Path(__file__).resolve().parents[2] / "training"
BIN = Path(sys.executable).parent


@pytest.fixture
def caller(tmp_path: Path) -> Path:
    """Return a folder to call from, with a workspace ./ws that holds a history."""
    workspace = Workspace(tmp_path / "ws")
    History(workspace.history_dir).merge(learnable_crm(n_leads=400))
    return tmp_path


def mlflow_run(caller: Path, *arguments: str, tracking_uri: str | None) -> subprocess.CompletedProcess[str]:
    """Run an entry point as a user would, with only the environment's bin folder on the PATH."""
    unwanted = {"MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "LEADPACT_WORKSPACE"}
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    environment |= {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "MLFLOW_DISABLE_TELEMETRY": "true"}
    if tracking_uri is not None:
        environment["MLFLOW_TRACKING_URI"] = tracking_uri
    return subprocess.run(
        ["mlflow", "run", str(PROJECT), "--env-manager", "local", *arguments],
        cwd=caller,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.slow
def test_without_a_tracking_uri_the_version_lands_in_the_workspace(caller: Path) -> None:
    """MLflow's own default store gets a note only; `leadpact promote -w ws` finds the challenger."""
    done = mlflow_run(caller, "-e", "retrain", "-P", "workspace=./ws", tracking_uri=None)
    assert done.returncode == 0, done.stderr
    workspace = Workspace(caller / "ws")
    place = choose_store(workspace, None, under_mlflow_run=False)
    assert find_version("challenger", place=place) == "1"
    assert "logged into the workspace's own store" in done.stderr
    default = StorePlace(tracking_uri=f"sqlite:///{caller / 'mlflow.db'}", artifact_root=None)
    with connect(default) as client:
        (run,) = client.search_runs(["0"])
    assert "MLFLOW_TRACKING_URI was not set" in run.data.tags["mlflow.note.content"]


@pytest.mark.slow
def test_with_the_workspace_store_training_logs_into_the_run_of_mlflow(caller: Path) -> None:
    """The run that `mlflow run` opened holds parameters and metrics, and its candidates are its children."""
    workspace = Workspace(caller / "ws")
    place = choose_store(workspace, None, under_mlflow_run=False)
    assert find_version("challenger", place=place) is None
    done = mlflow_run(
        caller, "-e", "retrain", "-P", "workspace=ws", "-P", "seed=3", tracking_uri=place.tracking_uri
    )
    assert done.returncode == 0, done.stderr
    with connect(place) as client:
        version = client.get_model_version_by_alias("lead-conversion", "challenger")
        assert version.run_id is not None
        run = client.get_run(version.run_id)
        children = client.search_runs(["0"], f"tags.`mlflow.parentRunId` = '{version.run_id}'")
    assert run.data.tags["mlflow.project.entryPoint"] == "retrain"
    assert run.data.params["seed"] == "3"
    assert "log_loss" in run.data.metrics
    assert len(children) == 5
    assert run.info.status == "FINISHED"
    promoted = mlflow_run(caller, "-e", "promote", "-P", "workspace=ws", tracking_uri=place.tracking_uri)
    assert "no_leakage" in promoted.stdout


def test_every_entry_point_is_a_command_with_these_options() -> None:
    """What `mlflow run -e NAME` calls exists, with the options it is given."""
    text = (PROJECT / "MLproject").read_text(encoding="utf-8")
    commands = dict(re.findall(r'^  (\w+):$.*?command: "(.*?)"$', text, re.DOTALL | re.MULTILINE))
    assert set(commands) == {"main", "retrain", "evaluate", "promote", "monitor"}
    for command in commands.values():
        program, name, *options = command.split()
        known = {option for parameter in load_command(name).params for option in parameter.opts}
        assert program == "leadpact"
        assert {each for each in options if each.startswith("--")} <= known, name


def test_the_project_file_travels_with_the_package() -> None:
    """MLproject lies beside the modules it runs, and the command it calls is installed."""
    assert (PROJECT / "MLproject").is_file()
    assert shutil.which("leadpact", path=str(BIN)) is not None
