"""A model trained elsewhere: what it may learn from, how it is written exactly, what is refused by name."""

import json
from dataclasses import replace
from pathlib import Path

import lightgbm
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from features.build import build_features
from features.errors import InputError
from features.tables import CanonicalTables
from features.workspace import Workspace
from tests.builders_models import labels_for, random_matrix, small_feature_set
from tests.builders_own_models import as_of, own_directory, train_booster, training_table
from tests.builders_training import NOW, day, finished_cases, learnable_crm, silent
from training.artifact import load_model
from training.mlflow_store import choose_store, connect
from training.own_models.export import export_model
from training.own_models.importing import import_lightgbm, judge_own, read_own_model
from training.own_models.table import METADATA_KEY, TrainingTable, read_training_table
from training.points import FloatArray
from training.recipe import prepare
from training.registry import find_version, pull
from training.trees import parse_model_text, predict_margin


@pytest.fixture(scope="module")
def crm() -> CanonicalTables:
    """Return a year of leads with something to learn."""
    return learnable_crm(n_leads=2500)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that these tests share."""
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def table(crm: CanonicalTables, folder: Path) -> TrainingTable:
    """Return the training table of that CRM."""
    return training_table(crm, folder / "table.parquet")


def small_table(n_rows: int, seed: int) -> TrainingTable:
    """Return a table of random rows: numbers, a boolean, a category, gaps in all."""
    matrix = random_matrix(n_rows, seed=seed)
    return TrainingTable(
        feature_set=small_feature_set(),
        horizon_days=90,
        matrix=matrix,
        label=labels_for(matrix, seed=seed).astype(np.int8),
        weight=np.ones(n_rows),
        lead_id=np.arange(n_rows).astype(object),
        as_of=np.zeros(n_rows, dtype="datetime64[us]"),
    )


def margin_of(file: Path, matrix: FloatArray) -> FloatArray:
    """Return what our own reader makes of a model text."""
    return predict_margin(parse_model_text(file.read_text()), matrix)


def test_the_table_holds_the_known_snapshots_of_the_training_leads_only(
    crm: CanonicalTables, table: TrainingTable
) -> None:
    """Values, labels and weights are the trainer's own; no lead that calibrates or judges is in it."""
    data = prepare(crm, horizon_days=30)
    known = data.train.labels.known
    np.testing.assert_array_equal(
        table.matrix, build_features(data.feature_set, crm, data.train.points)[known]
    )
    np.testing.assert_array_equal(table.label, data.train.labels.label[known])
    np.testing.assert_array_equal(table.weight, data.train.labels.weight[known])
    assert table.feature_set == data.feature_set
    ids = np.array(crm.leads.column("lead_id").to_pylist())
    assert not set(table.lead_id) & {
        *ids[data.calibration.points.lead_index],
        *ids[data.test.points.lead_index],
    }


def test_a_table_without_times_works_too(tmp_path: Path) -> None:
    """A flat export of finished cases has no instants, and its rows read back."""
    table = training_table(finished_cases(), tmp_path / "flat.parquet")
    assert len(table.label) == 360
    assert np.isnat(table.as_of).all()


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 12), st.booleans())
def test_scikit_learns_trees_are_written_exactly(
    tmp_path_factory: pytest.TempPathFactory, seed: int, leaves: int, with_categories: bool
) -> None:
    """Log-odds are scikit-learn's, and LightGBM reads the same text alike, for gaps and unseen codes too."""
    table = small_table(200, seed)
    model = HistGradientBoostingClassifier(
        max_iter=4,
        max_leaf_nodes=leaves,
        min_samples_leaf=3,
        categorical_features=table.categorical if with_categories else None,
        random_state=seed,
    ).fit(table.matrix, table.label)
    file = export_model(model, table, tmp_path_factory.mktemp("hist") / "model.txt")
    rows = random_matrix(300, seed=seed + 1)
    expected = model.decision_function(rows)
    np.testing.assert_allclose(margin_of(file, rows), expected, rtol=0, atol=1e-9)
    theirs = lightgbm.Booster(model_file=str(file)).predict(rows, raw_score=True)
    np.testing.assert_allclose(np.asarray(theirs), expected, rtol=0, atol=1e-9)


def test_lightgbm_is_written_up_to_its_best_iteration(tmp_path: Path) -> None:
    """Early stopping counts: the text holds the trees that the booster itself would use."""
    table, newer = small_table(300, 1), small_table(200, 2)
    model = lightgbm.LGBMClassifier(
        n_estimators=200, num_leaves=15, min_child_samples=5, learning_rate=0.3, n_jobs=1, verbosity=-1
    )
    model.fit(
        table.matrix,
        table.label,
        eval_X=newer.matrix,
        eval_y=newer.label,
        categorical_feature=table.categorical,
        callbacks=[lightgbm.early_stopping(5, verbose=False)],
    )
    file = export_model(model, table, tmp_path / "model.txt")
    assert parse_model_text(file.read_text()).n_trees == model.best_iteration_ < 200
    np.testing.assert_allclose(
        margin_of(file, newer.matrix), model.predict(newer.matrix, raw_score=True), rtol=0, atol=1e-9
    )


def test_a_model_that_trees_cannot_say_is_refused_by_name(tmp_path: Path) -> None:
    """The message names the class and what to do; nothing is written."""
    table = small_table(200, 3)
    filled = np.nan_to_num(table.matrix)
    linear = LogisticRegression().fit(filled, table.label)
    forest = RandomForestClassifier(n_estimators=3, n_jobs=1).fit(filled, table.label)
    for model, said in (
        (linear, "LogisticRegression: is a straight line in each number"),
        (
            forest,
            "RandomForestClassifier: there is no exact way to write it as LightGBM text; fit a lightgbm",
        ),
    ):
        with pytest.raises(InputError, match=said):
            export_model(model, table, tmp_path / "model.txt")
    assert list(tmp_path.iterdir()) == []


def test_an_own_model_becomes_a_challenger_judged_like_any_other(
    crm: CanonicalTables, table: TrainingTable, folder: Path, tmp_path: Path
) -> None:
    """Same held-out leads, same figures as the booster's own probabilities give; its file is on record."""
    workspace = Workspace(tmp_path / "ws")
    place = choose_store(workspace, None, under_mlflow_run=False)
    file = export_model(train_booster(table), table, tmp_path / "mine.txt")
    result = import_lightgbm(
        workspace,
        crm,
        model_file=file,
        table_file=folder / "table.parquet",
        place=place,
        seed=0,
        now=NOW,
        progress=silent,
    )
    assert find_version("challenger", place=place) == result.registered.version == "1"
    data = prepare(crm, horizon_days=30)
    assert result.evaluation.leads == data.test.n_leads
    model = load_model(pull("1", workspace.models_dir, place=place))
    matrix = build_features(data.feature_set, crm, data.test.points)
    np.testing.assert_array_equal(
        model.ensemble.feature_names, parse_model_text(file.read_text()).feature_names
    )
    margin = lightgbm.Booster(model_file=str(file)).predict(matrix, raw_score=True)
    expected = model.calibration.apply(np.asarray(margin))
    np.testing.assert_allclose(model.predict(matrix).probability, expected, rtol=0, atol=1e-12)
    assert result.evaluation.metric("log_loss") is not None
    with connect(place) as client:
        parameters = client.get_run(result.registered.run_id).data.params
    assert (parameters["candidate"], parameters["candidate.file"]) == ("own_model", "mine.txt")
    assert {"version.lightgbm", "seed", "data_hash", "test_from_position", "feature_set_hash"} <= set(
        parameters
    )


def test_a_directory_of_an_own_model_watches_like_any_other(crm: CanonicalTables, tmp_path: Path) -> None:
    """It freezes its reference too."""
    assert (own_directory(as_of(crm, day(300)), tmp_path) / "reference.json").is_file()


def test_wrong_files_are_named(
    crm: CanonicalTables, table: TrainingTable, folder: Path, tmp_path: Path
) -> None:
    """Not a text, another number of features, a category split as a number, categories coded by pandas."""
    good = export_model(train_booster(table), table, tmp_path / "good.txt").read_text()
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "prose").write_text("once upon a time")
    narrow = lightgbm.train(
        {"objective": "binary", "verbosity": -1, "num_threads": 1},
        lightgbm.Dataset(table.matrix[:, :3], table.label),
        2,
    )
    narrow.save_model(tmp_path / "narrow")
    (tmp_path / "pandas").write_text(
        good.replace("pandas_categorical:null", 'pandas_categorical:[["a", "b"]]')
    )
    for name, said in (
        ("nothing", "must be a file"),
        ("binary", "must be a LightGBM model as text"),
        ("prose", "the header is refused"),
        ("narrow", f"must have the {len(table.names)} features of the table in its order; got 3"),
        ("pandas", "whose categories LightGBM coded by itself"),
    ):
        with pytest.raises(InputError, match=said):
            read_own_model(tmp_path / name, table)
    numbers = lightgbm.Dataset(table.matrix, table.label)
    unnamed = lightgbm.train({"objective": "binary", "verbosity": -1, "num_threads": 1}, numbers, 30)
    unnamed.save_model(tmp_path / "unnamed")
    workspace = Workspace(tmp_path / "ws")
    with pytest.raises(InputError, match=r"feature '\w+' must be split as a category"):
        import_lightgbm(
            workspace,
            crm,
            model_file=tmp_path / "unnamed",
            table_file=folder / "table.parquet",
            place=choose_store(workspace, None, under_mlflow_run=False),
            seed=0,
            now=NOW,
            progress=silent,
        )
    assert list(workspace.models_dir.glob("unregistered-*")) == []


def test_a_table_that_is_no_longer_right_is_refused(
    crm: CanonicalTables, table: TrainingTable, folder: Path, tmp_path: Path
) -> None:
    """Leads that judge today, another horizon, a table that lost its features, a file that is none."""
    file = export_model(train_booster(table), table, tmp_path / "mine.txt")
    workspace = Workspace(tmp_path / "ws")

    def bring_in(tables: CanonicalTables, table_file: Path) -> None:
        import_lightgbm(
            workspace,
            tables,
            model_file=file,
            table_file=table_file,
            place=choose_store(workspace, None, under_mlflow_run=False),
            seed=0,
            now=NOW,
            progress=silent,
        )

    with pytest.raises(InputError, match="of its leads calibrate or judge models today"):
        bring_in(as_of(crm, day(250)), folder / "table.parquet")
    longer = replace(crm, crm=replace(crm.crm, horizon_days=40))
    with pytest.raises(InputError, match="was labelled for a horizon of 30 days and the history says 40"):
        bring_in(longer, folder / "table.parquet")
    parquet.write_table(pa.table({"lead_id": ["a"]}), tmp_path / "bare.parquet")
    with pytest.raises(InputError, match="holds a table without a feature set"):
        bring_in(crm, tmp_path / "bare.parquet")
    with pytest.raises(InputError, match="must be a training table of `leadpact model table`"):
        bring_in(crm, file)


def test_what_travels_with_the_table_is_the_feature_set(table: TrainingTable, folder: Path) -> None:
    """Its metadata hold the levels and nothing about leads; reading gives the same set."""
    told = json.loads(parquet.read_schema(folder / "table.parquet").metadata[METADATA_KEY])
    assert set(told) == {"feature_set", "horizon_days"}
    assert read_training_table(folder / "table.parquet").feature_set.hash == table.feature_set.hash


def test_judging_is_the_same_every_time(crm: CanonicalTables, table: TrainingTable, tmp_path: Path) -> None:
    """The same text, history and seed give the same figures."""
    own = read_own_model(export_model(train_booster(table), table, tmp_path / "mine.txt"), table)
    data = prepare(crm, horizon_days=30)
    first, second = (judge_own(crm, data, own, seed=0).evaluation.metrics for _ in range(2))
    assert first == second
