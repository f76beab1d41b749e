"""MLflow for real: what a training leaves there, what comes back, and what happens when it is away."""

import fcntl
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.build import Points, build_features
from features.crm import NamedReason
from features.encode import decode_table
from features.errors import InputError
from features.tables import CanonicalTables
from features.workspace import Workspace
from tests.builders_training import NOW, learnable_crm, silent
from training.artifact import load_model
from training.champion import POINTER, Champion, read_champion, write_champion
from training.errors import BusyError, RegistryError, StalePointerError, UnwritableError
from training.mlflow_store import StorePlace, choose_store, connect, shown
from training.points import FloatArray
from training.promote import PromotionNote, compare_registered, promote, pull_champion
from training.recipe import prepare
from training.registry import find_version, predict_through_mlflow, pull, register_folder
from training.stage_moves import AgreedStages
from training.train import TrainResult, train

N_LEADS = 1500
OWN = "sqlite:////w/mlflow/mlflow.db"


NO_SEARCH = 0.0
"""A budget that tries the base rate and the first scorecard only: here the registry is looked at."""


@pytest.fixture(scope="module")
def crm() -> CanonicalTables:
    """Return a year of leads with something to learn."""
    return learnable_crm(n_leads=N_LEADS)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return the workspace these tests share."""
    return Workspace(tmp_path_factory.mktemp("workspace"))


@pytest.fixture(scope="module")
def place(workspace: Workspace) -> StorePlace:
    """Return its own MLflow store."""
    return choose_store(workspace, None, under_mlflow_run=False)


@pytest.fixture(scope="module")
def result(workspace: Workspace, crm: CanonicalTables, place: StorePlace) -> TrainResult:
    """Return the first training of the workspace."""
    return train(workspace, crm, place=place, seed=0, now=NOW, progress=silent)


@pytest.fixture
def fresh(tmp_path: Path) -> Workspace:
    """Return a workspace of one test's own."""
    return Workspace(tmp_path / "fresh")


def test_a_training_leaves_a_registered_challenger(result: TrainResult, place: StorePlace) -> None:
    """Version 1 carries the alias challenger; nobody is champion yet."""
    assert result.registered.version == "1"
    assert find_version("challenger", place=place) == "1"
    assert find_version("champion", place=place) is None


def test_the_run_holds_all_that_is_needed_to_repeat_it(result: TrainResult, place: StorePlace) -> None:
    """Parameters, metrics with intervals, data set, window, pictures, card, and a child run per candidate."""
    run_id = result.registered.run_id
    with connect(place) as client:
        run = client.get_run(run_id)
        files = {each.path for each in client.list_artifacts(run_id)}
        pictures = {each.path for each in client.list_artifacts(run_id, "pictures")}
        children = client.search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run_id}'")
        experiment = client.get_experiment(run.info.experiment_id)
    assert experiment.name == "leadpact/test"
    assert run.info.status == "FINISHED"
    assert {"seed", "horizon_days", "data_hash", "trained_from", "trained_until"} <= set(run.data.params)
    assert {"log_loss", "log_loss_low", "log_loss_high", "auc", "ece"} <= set(run.data.metrics)
    assert run.inputs is not None
    (given,) = run.inputs.dataset_inputs
    assert given.dataset.digest == run.data.params["data_hash"][:36]
    assert [(tag.key, tag.value) for tag in given.tags] == [("mlflow.data.context", "training")]
    columns = json.loads(str(given.dataset.schema))["mlflow_colspec"]
    assert {"name": "employees", "type": "double", "required": False} in columns
    assert {"version.lightgbm", "version.python", "test_from_position", "split"} <= set(run.data.params)
    assert {"train_known_until", "calibration_known_until", "feature_set_hash"} <= set(run.data.params)
    assert {"card.md", "evaluation.json", "features.json", "report_de.html", "report_en.html"} <= files
    drawn = {"reliability", "gain", "months", "influences"}
    assert pictures == {f"pictures/{name}.svg" for name in drawn}
    assert {child.info.run_name for child in children} == {each.name for each in result.candidates}
    assert all("validation_log_loss" in child.data.metrics for child in children)


def test_everything_stays_inside_the_workspace(result: TrainResult, place: StorePlace) -> None:
    """Artifacts of the run lie below the workspace's mlflow folder, and no unregistered model is left."""
    with connect(place) as client:
        uri = client.get_run(result.registered.run_id).info.artifact_uri
    assert place.artifact_root is not None
    assert uri.startswith(place.artifact_root.as_uri())
    assert not list(place.artifact_root.parent.parent.glob("models/unregistered-*"))


def test_mlflow_gives_the_numbers_of_the_model_directory(
    result: TrainResult, workspace: Workspace, crm: CanonicalTables, place: StorePlace
) -> None:
    """`mlflow.pyfunc.load_model` and the pulled directory agree on every probability and interval."""
    import mlflow

    version = result.registered.version
    model = load_model(pull(version, workspace.models_dir, place=place))
    matrix = build_features(model.feature_set, crm, prepare(crm, horizon_days=30).test.points)
    expected = model.predict(matrix)
    with connect(place):
        answer = mlflow.pyfunc.load_model(f"models:/lead-conversion/{version}").predict(
            decode_table(model.feature_set, matrix).to_pandas()
        )
    np.testing.assert_array_equal(answer["probability"], expected.probability)
    np.testing.assert_array_equal(answer["probability_low"], expected.low)
    np.testing.assert_array_equal(answer["points"], expected.points)
    through = predict_through_mlflow(version, model.feature_set, matrix[:20], place=place)
    np.testing.assert_array_equal(through, expected.probability[:20])


def in_full_digits(frame: pd.DataFrame) -> dict[str, object]:
    """Return a frame as JSON with every digit, which pandas' own writer cuts after 15 decimals."""
    cells = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    return {"columns": list(frame.columns), "data": cells}


def test_mlflow_serves_the_same_probabilities(
    result: TrainResult,
    workspace: Workspace,
    crm: CanonicalTables,
    place: StorePlace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What `mlflow models serve` runs answers a JSON request with the model directory's own numbers."""
    import mlflow
    from mlflow.pyfunc import scoring_server
    from starlette.testclient import TestClient

    monkeypatch.setenv("_MLFLOW_IS_IN_SERVING_ENVIRONMENT", "true")  # MLflow sets it and leaves it
    version = result.registered.version
    model = load_model(pull(version, workspace.models_dir, place=place))
    matrix = build_features(model.feature_set, crm, prepare(crm, horizon_days=30).test.points)[:50]
    readable = decode_table(model.feature_set, matrix).to_pandas()
    with connect(place):
        app = scoring_server.init(mlflow.pyfunc.load_model(f"models:/lead-conversion/{version}"))
        asked = {"dataframe_split": in_full_digits(readable)}
        answer = TestClient(app).post("/invocations", json=asked)
    assert answer.status_code == 200, answer.text
    served = [row["probability"] for row in answer.json()["predictions"]]
    np.testing.assert_allclose(served, model.predict(matrix).probability, rtol=0, atol=1e-9)


def test_a_pulled_directory_is_the_logged_one_but_for_its_version(
    result: TrainResult, workspace: Workspace, place: StorePlace
) -> None:
    """Byte by byte, and the manifest differs in the stamped version only."""
    folder = pull(result.registered.version, workspace.models_dir, place=place)
    assert place.artifact_root is not None
    (logged,) = {each.parent for each in place.artifact_root.rglob("model_directory/manifest.json")}
    for name in {each.name for each in logged.iterdir()} - {"manifest.json"}:
        assert (folder / name).read_bytes() == (logged / name).read_bytes()
    before, after = (json.loads((each / "manifest.json").read_bytes()) for each in (logged, folder))
    assert (before.pop("version"), after.pop("version")) == ("", "1")
    assert before == after


def test_pulling_repairs_a_damaged_directory(
    result: TrainResult, workspace: Workspace, place: StorePlace
) -> None:
    """A sound folder is kept, a damaged one replaced."""
    folder = pull(result.registered.version, workspace.models_dir, place=place)
    (folder / "model.txt").write_text("damaged")
    assert pull(result.registered.version, workspace.models_dir, place=place) == folder
    assert load_model(folder).manifest.version == "1"


def test_the_model_knows_where_it_comes_from(
    result: TrainResult, workspace: Workspace, place: StorePlace
) -> None:
    """The manifest carries horizon, window, split and all numbers; the card tells them in words."""
    folder = pull(result.registered.version, workspace.models_dir, place=place)
    manifest = load_model(folder).manifest
    assert (manifest.horizon_days, manifest.split, manifest.crm_name) == (30, "forward", "test")
    assert manifest.trained_from is not None
    assert manifest.trained_until == next(p.known_until for p in result.parts if p.name == "calibration")
    log_loss = result.evaluation.metric("log_loss")
    assert log_loss is not None
    assert dict(manifest.metrics)["log_loss"] == log_loss.value
    card = (folder / "card.md").read_text()
    assert "labels of the training and the calibration part as known when the test part begins" in card


def test_nothing_global_is_left_behind(result: TrainResult, monkeypatch: pytest.MonkeyPatch) -> None:
    """After our calls MLflow points where it pointed before, and the environment is as it was."""
    import os

    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////elsewhere.db")
    with connect(StorePlace(tracking_uri=result.registered.store, artifact_root=None)):
        assert mlflow.get_tracking_uri() == result.registered.store
    assert mlflow.get_tracking_uri() == os.environ["MLFLOW_TRACKING_URI"] == "sqlite:////elsewhere.db"


def test_promotion_from_first_to_second_champion(fresh: Workspace, crm: CanonicalTables) -> None:
    """Train, promote, evaluate, train again, promote: alias, pointer and folder move together."""
    place = choose_store(fresh, None, under_mlflow_run=False)
    train(fresh, crm, place=place, seed=0, now=NOW, progress=silent, budget_seconds=NO_SEARCH)
    first = promote(fresh, crm, place=place, version=None, why_forced=None, seed=0, now=NOW)
    assert first.promoted, [reason.text for reason in first.verdict.reasons]
    assert find_version("champion", place=place) == "1"
    assert find_version("challenger", place=place) is None
    champion = read_champion(fresh.models_dir)
    assert champion == Champion(version="1", folder=fresh.models_dir / "lead-conversion-1")
    with pytest.raises(InputError, match="no challenger in the registry; `leadpact train` makes one"):
        promote(fresh, crm, place=place, version=None, why_forced=None, seed=0, now=NOW)

    train(fresh, crm, place=place, seed=1, now=NOW, progress=silent, budget_seconds=NO_SEARCH)
    comparison = compare_registered(fresh, crm, place=place, seed=0)
    assert comparison.challenger is not None
    assert comparison.champion is not None
    assert comparison.difference is not None
    assert comparison.challenger.evaluation.snapshots == comparison.champion.evaluation.snapshots
    strict, free = (AgreedStages(policy="pact", decide=every_score, most_moved=most) for most in (0.1, 1.0))
    moved = promote(fresh, crm, place=place, version="2", why_forced=None, seed=0, now=NOW, stages=strict)
    assert [each.code for each in moved.verdict.reasons if not each.passed] == ["stages_stay"]
    second = promote(fresh, crm, place=place, version="2", why_forced=None, seed=0, now=NOW, stages=free)
    assert second.promoted
    assert read_champion(fresh.models_dir) == second.champion


def every_score(points: Points, probability: FloatArray) -> tuple[str, ...]:
    """Decide stages so fine that any two models differ."""
    assert len(points.as_of_us) == len(probability)
    return tuple(map(repr, probability.tolist()))


def test_a_refused_model_is_promoted_only_by_force_and_that_is_recorded(
    fresh: Workspace, crm: CanonicalTables
) -> None:
    """An attribute denied since the training refuses; a forced promotion keeps its reason in MLflow."""
    place = choose_store(fresh, None, under_mlflow_run=False)
    train(fresh, crm, place=place, seed=0, now=NOW, progress=silent, budget_seconds=NO_SEARCH)
    never = (NamedReason(column="industry", reason="asked for in the call"),)
    denied = replace(crm, crm=replace(crm.crm, never=never))
    refused = promote(fresh, denied, place=place, version=None, why_forced=None, seed=0, now=NOW)
    assert not refused.promoted
    assert [reason.code for reason in refused.verdict.reasons if not reason.passed] == ["no_leakage"]
    with connect(place) as client:
        tags = client.get_model_version("lead-conversion", "1").tags
    assert tags["leadpact.gates"] == "refused: no_leakage"
    assert tags["leadpact.gate.no_leakage"].startswith("refuse: features that leak the outcome: industry")
    assert "leadpact.promoted_at" not in tags

    def full_disk(note: PromotionNote) -> None:
        raise OSError(f"no room to record version {note.version}")

    forcing = {"place": place, "version": "1", "why_forced": "we looked", "seed": 0, "now": NOW}
    with pytest.raises(OSError, match="no room to record version 1"):
        promote(fresh, denied, **forcing, before_move=full_disk)  # type: ignore[arg-type]
    assert read_champion(fresh.models_dir) is None
    assert find_version("champion", place=place) is None
    notes: list[PromotionNote] = []
    forced = promote(fresh, denied, **forcing, before_move=notes.append)  # type: ignore[arg-type]
    assert forced.promoted
    assert forced.forced
    assert [(each.version, each.previous, each.why_forced, each.at) for each in notes] == [
        ("1", None, "we looked", NOW)
    ]
    assert notes[0].verdict == forced.verdict
    with connect(place) as client:
        tags = client.get_model_version("lead-conversion", "1").tags
    assert tags["leadpact.forced_why"] == "we looked"
    assert tags["leadpact.promoted_at"] == NOW.isoformat(timespec="seconds")


def test_a_champion_of_another_horizon_is_not_passed_in_silence(
    fresh: Workspace, crm: CanonicalTables
) -> None:
    """A new horizon asks another question: evaluate and the gate say so, and force is possible."""
    place = choose_store(fresh, None, under_mlflow_run=False)
    train(fresh, crm, place=place, seed=0, now=NOW, progress=silent, budget_seconds=NO_SEARCH)
    assert promote(fresh, crm, place=place, version=None, why_forced=None, seed=0, now=NOW).promoted
    longer = replace(crm, crm=replace(crm.crm, horizon_days=40))
    train(fresh, longer, place=place, seed=0, now=NOW, progress=silent, budget_seconds=NO_SEARCH)
    with pytest.raises(InputError, match="challenger 40 days, split forward; champion 30 days"):
        compare_registered(fresh, longer, place=place, seed=0)
    refused = promote(fresh, longer, place=place, version=None, why_forced=None, seed=0, now=NOW)
    assert [each.code for each in refused.verdict.reasons if not each.passed] == ["not_worse_than_champion"]
    assert promote(fresh, longer, place=place, version=None, why_forced="new", seed=0, now=NOW).forced


def test_a_stale_pointer_is_told_and_repaired(fresh: Workspace, crm: CanonicalTables) -> None:
    """When the pointer cannot be written after the alias moved, the error says so and pulling repairs it."""
    place = choose_store(fresh, None, under_mlflow_run=False)
    train(fresh, crm, place=place, seed=0, now=NOW, progress=silent, budget_seconds=NO_SEARCH)
    blocked = fresh.models_dir / POINTER
    blocked.mkdir()  # a folder in the way: no file can take its place
    with pytest.raises(StalePointerError, match=r"is champion .* `leadpact model pull` repairs it"):
        promote(fresh, crm, place=place, version="1", why_forced=None, seed=0, now=NOW)
    assert find_version("champion", place=place) == "1"
    blocked.rmdir()
    assert read_champion(fresh.models_dir) is None
    assert pull_champion(fresh, place=place).version == "1"
    assert read_champion(fresh.models_dir) is not None


def test_without_mlflow_the_model_is_kept_and_registered_later(
    fresh: Workspace, crm: CanonicalTables
) -> None:
    """Nobody listens on port 9: the error names the directory, which registers once MLflow is back."""
    away = StorePlace(tracking_uri="http://me:secret@127.0.0.1:9", artifact_root=None)
    with pytest.raises(RegistryError, match=r"leadpact model register .*unregistered-") as raised:
        train(fresh, crm, place=away, seed=0, now=NOW, progress=silent, budget_seconds=NO_SEARCH)
    assert "secret" not in str(raised.value)
    (folder,) = fresh.models_dir.glob("unregistered-*")
    place = choose_store(fresh, None, under_mlflow_run=False)
    assert register_folder(folder, place=place).version == "1"
    assert promote(fresh, crm, place=place, version=None, why_forced=None, seed=0, now=NOW).promoted


def test_a_broken_store_registers_nothing(fresh: Workspace, crm: CanonicalTables) -> None:
    """An artifact folder that cannot be written leaves a failed run and no version."""
    place = choose_store(fresh, None, under_mlflow_run=False)
    assert find_version("challenger", place=place) is None
    assert place.artifact_root is not None
    place.artifact_root.rmdir()
    place.artifact_root.write_text("in the way")
    broken = replace(place, artifact_root=place.artifact_root / "below")
    with pytest.raises(RegistryError, match="failed"):
        train(fresh, crm, place=broken, seed=0, now=NOW, progress=silent, budget_seconds=NO_SEARCH)
    place.artifact_root.unlink()
    assert find_version("challenger", place=place) is None


def test_one_training_at_a_time(fresh: Workspace, crm: CanonicalTables) -> None:
    """A second training of the same workspace is told to wait; nothing is fitted."""
    fresh.models_dir.mkdir(parents=True)
    with (fresh.models_dir / ".training.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(BusyError, match="another training is running in the workspace"):
            train(
                fresh,
                crm,
                place=choose_store(fresh, None, under_mlflow_run=False),
                seed=0,
                now=NOW,
                progress=silent,
            )


def test_a_workspace_that_cannot_be_written_is_named(fresh: Workspace, crm: CanonicalTables) -> None:
    """Where the models belong is a file: one sentence names it, for a training and for a pull."""
    fresh.root.mkdir(exist_ok=True)
    fresh.models_dir.write_text("in the way")
    place = choose_store(fresh, None, under_mlflow_run=False)
    with pytest.raises(UnwritableError, match=r"models cannot be written: File exists"):
        train(fresh, crm, place=place, seed=0, now=NOW, progress=silent, budget_seconds=NO_SEARCH)
    with pytest.raises(UnwritableError, match=r"models cannot be written: File exists"):
        pull("1", fresh.models_dir, place=place)


def test_pulling_without_a_champion_says_how_to_get_one(fresh: Workspace) -> None:
    """An empty registry is an answer."""
    place = choose_store(fresh, None, under_mlflow_run=False)
    with pytest.raises(InputError, match="there is no champion in the registry; `leadpact promote`"):
        pull_champion(fresh, place=place)
    with pytest.raises(InputError, match="there is no version '7' of lead-conversion"):
        pull("7", fresh.models_dir, place=place)
    assert not list(fresh.models_dir.iterdir())


def test_a_damaged_pointer_is_named(tmp_path: Path) -> None:
    """What is not a pointer is refused with the command that rewrites it; a good one reads back equal."""
    champion = Champion(version="3", folder=tmp_path / "lead-conversion-3")
    write_champion(tmp_path, champion)
    assert read_champion(tmp_path) == champion
    (tmp_path / POINTER).write_text("{")
    with pytest.raises(InputError, match="`leadpact model pull` rewrites it"):
        read_champion(tmp_path)


@pytest.mark.parametrize(
    ("uri", "under_mlflow_run", "expected"),
    [
        pytest.param(None, False, OWN, id="nothing-configured"),
        pytest.param("http://mlflow:5000", False, "http://mlflow:5000", id="server"),
        pytest.param("http://mlflow:5000", True, "http://mlflow:5000", id="server-under-mlflow-run"),
        pytest.param("sqlite:////home/a/mlflow.db", False, "sqlite:////home/a/mlflow.db", id="chosen-file"),
        pytest.param("sqlite:////home/a/mlflow.db", True, OWN, id="default-file-of-mlflow-run"),
        pytest.param("file:///home/a/mlruns", True, OWN, id="default-folder-of-mlflow-run"),
        pytest.param(
            "sqlite:////home/a/ours.db", True, "sqlite:////home/a/ours.db", id="file-of-another-name"
        ),
        pytest.param(OWN, True, OWN, id="the-workspace's-own"),
        pytest.param("sqlite:////w/x/../mlflow/mlflow.db", True, OWN, id="the-workspace's-own-in-disguise"),
    ],
)
def test_which_store_is_used(uri: str | None, under_mlflow_run: bool, expected: str) -> None:
    """What is configured wins, except the default that `mlflow run` invents."""
    place = choose_store(Workspace(Path("/w")), uri, under_mlflow_run=under_mlflow_run)
    assert place.tracking_uri == expected
    assert (place.artifact_root is None) == (expected != OWN)


def test_no_password_in_an_error() -> None:
    """A tracking URI is shown without its user and password."""
    assert shown("https://me:secret@mlflow.example/x") == "https://mlflow.example/x"
    assert shown("sqlite:////w/mlflow.db") == "sqlite:////w/mlflow.db"
