"""A disk that is full while MLflow is written to: one sentence, the directory stays, nothing half registered.

A limit on the size of files stands in for the disk: the system refuses a write in the same place and the same
way, and no test needs rights to mount anything.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from features.workspace import Workspace
from tests.builders_models import (
    ANY_CALIBRATION,
    golden_rows,
    random_matrix,
    small_facts,
    small_feature_set,
    small_model_text,
    write_small_model,
)
from training.artifact import load_model, write_model_directory
from training.mlflow_store import StorePlace, choose_store, connect
from training.registry import find_version, register_folder
from training.run_record import CHALLENGER

ROOM_FOR_THE_STORE = 16 * 2**20
"""More than MLflow's database needs, less than the model below."""

REGISTER = """
import resource, sys
from serving.cli import main
limit = int(sys.argv[1])
import mlflow, mlflow.pyfunc  # what Python itself writes is not what is tested
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
main(["model", "register", sys.argv[2], "-w", sys.argv[3]])
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return a workspace whose registry already holds version 1 as challenger."""
    workspace = Workspace(tmp_path / "ws")
    write_small_model(tmp_path / "first")
    assert register_folder(tmp_path / "first", place=store(workspace)).version == "1"
    return workspace


def store(workspace: Workspace) -> StorePlace:
    """Return the workspace's own store."""
    return choose_store(workspace, None, under_mlflow_run=False)


def register(folder: Path, workspace: Workspace, *, limit_bytes: int) -> subprocess.CompletedProcess[str]:
    """Run `leadpact model register` where no file may grow beyond a size."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", REGISTER, str(limit_bytes), str(folder), str(workspace.root)],
        capture_output=True,
        text=True,
        check=False,
    )


def big_directory(folder: Path) -> Path:
    """Write a sound model directory with a card that is larger than the room there is."""
    text = small_model_text(seed=1)
    write_model_directory(
        folder,
        facts=small_facts(),
        feature_set=small_feature_set(),
        model_text=text,
        calibration=ANY_CALIBRATION,
        card_markdown="# A long card\n" + "x" * (2 * ROOM_FOR_THE_STORE),
        golden=golden_rows(text, ANY_CALIBRATION, random_matrix(8, seed=2)),
    )
    return folder


def test_a_full_disk_registers_nothing(workspace: Workspace, tmp_path: Path) -> None:
    """Whether the store or the files do not fit: a sentence, version 1 stays challenger, later it works."""
    folder, place = big_directory(tmp_path / "big"), store(workspace)
    for limit_bytes in (4096, ROOM_FOR_THE_STORE):
        done = register(folder, workspace, limit_bytes=limit_bytes)
        assert done.returncode == 1, done.stderr
        (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("leadpact:")]
        assert "MLflow at sqlite:///" in sentence
        assert "is the disk full? nothing was registered" in sentence
        assert "Traceback" not in done.stderr
        assert find_version(CHALLENGER, place=place) == "1"
        with connect(place) as client:
            versions = client.search_model_versions("name = 'lead-conversion'")
        assert [str(each.version) for each in versions] == ["1"]
    assert load_model(folder).manifest.version == ""
    assert register_folder(folder, place=place).version == "2"
