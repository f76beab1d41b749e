"""The quality study: tasks come from the data's folder, figures are judged against their goals."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.studies.quality.__main__ import main
from experiments.studies.quality.external import External
from experiments.studies.quality.judge import Result, best_log_loss, verdict
from experiments.studies.quality.peers import odoo
from experiments.studies.quality.tasks import load_tasks
from features.errors import InputError

TASKS = """
from types import SimpleNamespace
import numpy as np
import pandas as pd

def tiny(root):
    random = np.random.default_rng(0)
    source = random.choice(["a", "b"], 200).astype(object)
    X = pd.DataFrame({"source": source, "size": random.normal(size=200)})
    y = (random.random(200) < np.where(X["source"] == "a", 0.8, 0.2)).astype(int)
    return SimpleNamespace(name="tiny", X=X, y=y, splits=[(np.arange(150), np.arange(150, 200))])

TASKS = {"tiny": tiny}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a data folder with one small task."""
    (tmp_path / "tasks.py").write_text(TASKS, encoding="utf-8")
    return tmp_path


def test_one_command_measures_and_keeps(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Results land in the file with the verdict; a second run adds to them; the table shows all."""
    out = folder / "results" / "quality.json"
    main(["--data", str(folder), "--models", "prior", "logreg", "--out", str(out)])
    main(["--data", str(folder), "--models", "odoo", "--out", str(out)])
    written = json.loads(out.read_text(encoding="utf-8"))
    assert [each["model"] for each in written["results"]] == ["logreg", "odoo", "prior"]
    losses = {each["model"]: each["log_loss"] for each in written["results"]}
    assert losses["logreg"] < losses["prior"]
    assert "| odoo |" in capsys.readouterr().out


def test_unknown_tasks_and_folders_are_named(folder: Path, tmp_path: Path) -> None:
    """What is there and what was asked for stand in the sentence."""
    with pytest.raises(InputError, match="tasks must be among tiny; got other"):
        list(load_tasks(folder, ["other"]))
    with pytest.raises(InputError, match=r"must hold tasks\.py"):
        list(load_tasks(tmp_path / "nothing", []))


def result(model: str, log_loss: float, ece: float) -> Result:
    """Return a result on one of the fixed tasks."""
    return Result(
        task="xeducation", model=model, log_loss=log_loss, log_loss_error=0.01, prior_log_loss=0.6668,
        auc=0.8, ece=ece, fit_seconds=5.0,
    )  # fmt: skip


def test_the_verdict_names_every_figure_and_whether_it_is_reached() -> None:
    """The better of the given and the measured peers counts; calibration is compared with those measured."""
    results = [result("leadpact", 0.42, 0.03), result("flaml", 0.43, 0.015), result("prior", 0.66, 0.0)]
    assert best_log_loss(results, "xeducation") == 0.4054
    judged = verdict(results)
    assert judged["log_loss_above_best_peer"] == {
        "xeducation": {"value": 0.036, "at_most": 0.02, "reached": False}
    }
    assert judged["ece_above_best_peer"] == {
        "xeducation": {"value": 0.015, "at_most": 0.01, "reached": False}
    }
    assert judged["mean_skill"] == {"value": 0.3701, "at_least": 0.19, "reached": True}


def test_odoo_s_formula_by_hand() -> None:
    """Two wins and two losses, one column: shares of the value among wins and losses, smoothed by 0.1."""
    frame = pd.DataFrame({"source": pd.Series(["a", "a", "b", "b"], dtype=object)})
    chance = odoo(frame, np.array([1, 1, 1, 0]), frame.iloc[[0, 2]].reset_index(drop=True), 0.0)
    won_a, lost_a = 3 / 4 * (2.1 / 3.2), 1 / 4 * (0.1 / 1.2)
    won_b, lost_b = 3 / 4 * (1.1 / 3.2), 1 / 4 * (1.1 / 1.2)
    np.testing.assert_allclose(chance, [won_a / (won_a + lost_a), won_b / (won_b + lost_b)])


def test_a_peer_that_fails_says_so() -> None:
    """A Python without FLAML is named with its exit code."""
    frame = pd.DataFrame({"size": [0.0, 1.0]})
    with pytest.raises(RuntimeError, match=r"run_flaml\.py .* ended with 1"):
        External("flaml", Path(sys.executable))(frame, np.array([0, 1]), frame, 1.0)
