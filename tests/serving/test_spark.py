"""The Spark engine gives the local engine's output, bit for bit, and brings nothing to the driver.

One file, so that all of it shares one session.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyarrow import parquet

from features.choosing import choose_features
from features.encode import decode_table
from features.errors import LeadPactError
from features.history.store import History
from features.importing.import_export import import_export
from features.spark.feature_table import write_feature_table
from features.spark.leads import map_leads
from features.spark.output import check_output, check_seen, write_rows
from features.spark.tables import read_folder
from features.tables import TIME_TYPE, CanonicalTables
from features.workspace import Workspace
from serving.batch import plan_batch
from serving.batch_output import COLUMNS
from serving.batch_spark import PackedScorer, pack, score_tables, unpack, write_scores
from serving.cli import main
from serving.errors import ModelRefusedError
from serving.scorer_loading import load_scorer
from serving.settings import Settings
from tests.builders_experiments import UNTIL, world
from tests.builders_features import ANCHORS, RandomCrm, Row, activity, crm_tables, feature_set, random_crms
from tests.builders_models import random_matrix, write_small_model
from tests.builders_serving import NOW, Desk, first_policy, install_champion, install_policy, small_history
from tests.builders_spark import (
    assert_same_bits,
    big_lead,
    disordered,
    joined,
    leads_that_grow_and_shrink,
    local_features,
    odd_values,
    spark_features,
    write_tables,
)
from tests.conftest import PROJECT_ROOT
from tests.serving.processes import run_leadpact
from tests.spark_session import MOST_BYTES_ON_DRIVER, QUICK_JAVA, require_pyspark
from training.artifact import load_model
from training.mlflow_store import choose_store, connect
from training.registry import register_folder

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

AS_OF = "2026-11-23T09:00:00Z"
SHARED_SESSION = hypothesis_settings(
    max_examples=2,
    phases=[Phase.generate],  # an example takes a second: a failing one is shown as it was drawn
    suppress_health_check=[
        HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large
    ],
)  # fmt: skip


@SHARED_SESSION
@given(st.lists(random_crms(), min_size=20, max_size=20))
def test_random_crms(
    spark: "SparkSession", tmp_path_factory: pytest.TempPathFactory, crms: list[RandomCrm]
) -> None:
    """Ties, repeated ids, window edges, unseen values and changes: equal, with rows in any order."""
    folder, tables, chosen = tmp_path_factory.mktemp("crm"), joined(crms), feature_set()
    write_tables(disordered(tables), folder / "in")
    found = spark_features(spark, chosen, folder / "in", folder / "out.parquet", as_of=ANCHORS[1])
    assert_same_bits(found, local_features(chosen, tables, as_of=ANCHORS[1]))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Return the simulator's CRM, imported."""
    root = tmp_path_factory.mktemp("simulated")
    world(800).write(root / "export", root / "truth.csv")
    history = History(root / "history")
    import_export(
        root / "export", mapping_file=None, history=history, strict=False, rejects_dir=root / "rejects"
    )
    return history


def test_the_simulated_crm(spark: "SparkSession", simulated: History, tmp_path: Path) -> None:
    """A whole CRM with the features that training would choose for it, from its history."""
    tables = simulated.read()
    chosen = choose_features(
        tables, lead_index=np.arange(tables.leads.num_rows), known_until_us=tables.known_until_us
    )
    found = spark_features(spark, chosen, simulated.folder, tmp_path / "out.parquet", as_of=UNTIL)
    assert_same_bits(found, local_features(chosen, tables, as_of=UNTIL))
    assert len(list((tmp_path / "out.parquet").glob("part-*.parquet"))) > 1
    assert found.nbytes > 5 * MOST_BYTES_ON_DRIVER


def test_the_driver_may_not_take_what_it_was_given(
    spark: "SparkSession", simulated: History, tmp_path: Path
) -> None:
    """Every test here ran under a limit on results; this one shows that the limit bites."""
    frame = map_leads(read_folder(spark, str(simulated.folder)), lambda tables: tables.leads)
    with pytest.raises(Exception, match=r"spark\.driver\.maxResultSize"):
        frame.collect()
    assert write_rows(frame, str(tmp_path / "leads.parquet")) == 800


SIZES = [
    pytest.param(lambda: big_lead(6_000), id="one-lead-over-many-batches"),
    pytest.param(lambda: crm_tables([]), id="no-leads"),
    pytest.param(lambda: crm_tables([], [activity("x", NOW)]), id="activities-of-nobody"),
    pytest.param(lambda: crm_tables([{"lead_id": "a"}, {"lead_id": "b"}]), id="no-times"),
]


@pytest.mark.parametrize("make_tables", SIZES)
def test_odd_sizes(spark: "SparkSession", tmp_path: Path, make_tables: Callable[[], CanonicalTables]) -> None:
    """From no lead at all to one that no batch can hold."""
    tables, chosen = make_tables(), feature_set()
    folder = write_tables(tables, tmp_path / "in")
    found = spark_features(spark, chosen, folder, tmp_path / "out.parquet", as_of=NOW)
    assert_same_bits(found, local_features(chosen, tables, as_of=NOW))


def test_odd_values(spark: "SparkSession", tmp_path: Path) -> None:
    """NUL, emoji, dots, names that differ by case, the smallest number, a microsecond of 1850."""
    chosen, tables = odd_values()
    folder = write_tables(tables, tmp_path / "a [b] {c}, *?")
    found = spark_features(spark, chosen, folder, tmp_path / "out [x].parquet", as_of=NOW)
    assert_same_bits(found, local_features(chosen, tables, as_of=NOW))


def run(*arguments: str, code: int = 0) -> None:
    """Run a command in this process, so that it finds the session, and check its exit code."""
    with pytest.raises(SystemExit, match=f"^{code}$"):
        main(list(arguments))


def test_features_build_command(
    spark: "SparkSession", desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The champion's features over the history: the same answer and the same bits on both engines."""
    small_history(desk.settings, 60, changes=True)
    common = ("--as-of", AS_OF, "--workspace", str(desk.settings.workspace_root), "--json")
    answers = []
    for engine, out in (("local", tmp_path / "l.parquet"), ("spark", tmp_path / "s.parquet")):
        run("features", "build", str(out), "--engine", engine, *common)
        answers.append({**json.loads(capsys.readouterr().out), "out": ""})
    # what the features do not know is counted on the local engine only, as the page says
    assert answers[0].pop("notes") == ["rows with a rare or new value of 'industry': 5"]
    assert answers[1].pop("notes") == []
    assert answers[0] == answers[1]
    assert_same_bits(parquet.read_table(tmp_path / "s.parquet"), parquet.read_table(tmp_path / "l.parquet"))
    assert sorted(path.name for path in tmp_path.glob("*.parquet")) == ["l.parquet", "s.parquet"]
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize("days_ago", [0, 60])
def test_score_command(
    spark: "SparkSession", desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str], days_ago: int
) -> None:
    """Every flat field of every lead, the ids of the scores included, and the same words about the run."""
    small_history(desk.settings, 60, changes=True)
    as_of = (NOW - timedelta(days=days_ago)).isoformat()
    common = ("--as-of", as_of, "--lang", "de", "--workspace", str(desk.settings.workspace_root), "--json")
    answers = []
    for engine, out in (("local", tmp_path / "l.parquet"), ("spark", tmp_path / "s.parquet")):
        run("score", "history", str(out), "--engine", engine, *common)
        answers.append({**json.loads(capsys.readouterr().out), "out": ""})
    assert answers[0] == answers[1]
    found = parquet.read_table(tmp_path / "s.parquet")
    assert_same_bits(found, parquet.read_table(tmp_path / "l.parquet"))
    assert tuple(found.column_names) == COLUMNS


def test_scores_of_columns_that_do_not_fit(spark: "SparkSession", desk: Desk, tmp_path: Path) -> None:
    """What the local engine notes of a whole table is noted here, though no worker sees the whole."""
    leads = [
        {"lead_id": name, "created_at": NOW, "employees": text}
        for name, text in zip("abc", "12 ", strict=True)
    ]
    types = {"employees": pa.string(), "industri": pa.string(), "newsletter": pa.float64()}
    tables, scorer = crm_tables(leads, attribute_types=types), load_scorer(desk.settings, now=NOW)
    folder = write_tables(tables, tmp_path / "in")
    done = write_scores(
        scorer,
        desk.settings.workspace.models_dir,
        read_folder(spark, str(folder)),
        str(tmp_path / "out.parquet"),
        as_of=NOW,
        lang="en",
    )
    assert done.notes == plan_batch(scorer, tables, as_of=NOW, lang="en").notes
    assert "column 'employees' holds texts, the model reads numbers: scored as missing" in done.notes
    assert (done.scored, done.left_out) == (3, 0)


def test_scores_where_the_order_of_changes_matters(
    spark: "SparkSession", settings: Settings, tmp_path: Path
) -> None:
    """The policy reads an attribute that changed back and forth; in any order of rows OUT is the same."""
    install_champion(settings)
    by_level = '{ attribute = "job_level", in = ["c_level", "director"] }'
    assert by_level in first_policy()
    install_policy(settings, first_policy().replace(by_level, '{ attribute = "employees", at_least = 100 }'))
    scorer, tables = load_scorer(settings, now=NOW), leads_that_grow_and_shrink(60)
    folder = write_tables(disordered(tables), tmp_path / "in")
    out, models = tmp_path / "out.parquet", settings.workspace.models_dir
    write_scores(scorer, models, read_folder(spark, str(folder)), str(out), as_of=NOW, lang="en")
    expected = score_tables(pack(scorer, models), NOW, "en", tables)
    assert_same_bits(parquet.read_table(out), expected)
    assert len(set(expected.column("persona").to_pylist())) > 1


def test_a_worker_verifies_the_model(desk: Desk) -> None:
    """What arrives is loaded as a service loads it: one changed byte and it is refused."""
    packed = pack(load_scorer(desk.settings, now=NOW), desk.settings.workspace.models_dir)
    assert unpack(packed) is unpack(packed)
    files = tuple((name, content + b" " * (name == "card.md")) for name, content in packed.files)
    with pytest.raises(ModelRefusedError, match=r"card\.md: SHA-256 must be"):
        unpack(PackedScorer(pointer=packed.pointer, files=files, active=packed.active))


def test_addresses_are_left_to_spark(spark: "SparkSession", desk: Desk, tmp_path: Path) -> None:
    """A copy of a history and a plain folder, named by address, and an OUT named so: as with paths."""
    tables = small_history(desk.settings, 30, changes=True)
    chosen = load_scorer(desk.settings, now=NOW).model.feature_set
    plain = write_tables(tables, tmp_path / "plain")
    expected = local_features(chosen, tables, as_of=NOW)
    for place in (desk.settings.workspace.history_dir, plain):
        out = tmp_path / f"{place.name}.parquet"
        run("features", "build", f"file://{out}", "--engine", "spark", "--source", f"file://{place}",
            "--as-of", AS_OF, "--workspace", str(desk.settings.workspace_root))  # fmt: skip
        assert_same_bits(parquet.read_table(out), expected)


WRONG_COLUMNS = {
    "leads": pa.table({"lead_id": ["a"], "created_at": ["soon"], "age": pa.array([4], pa.int32())}),
    "activities": pa.table({"lead_id": ["a"], "occurred_at": pa.array([NOW], TIME_TYPE), "kind": [1]}),
}


def test_columns_that_are_not_canonical_are_all_named(
    spark: "SparkSession", desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one line a column, and the way out; nothing is guessed."""
    for name, table in WRONG_COLUMNS.items():
        parquet.write_table(table, tmp_path / f"{name}.parquet")
    run("score", str(tmp_path), str(tmp_path / "out.parquet"), "--engine", "spark",
        "--workspace", str(desk.settings.workspace_root), code=2)  # fmt: skip
    said = capsys.readouterr().err.splitlines()
    assert said[-5:] == [
        f"leadpact: the tables of {tmp_path} must be canonical; leadpact import makes them so",
        "  leads: column 'created_at' must be timestamp; got string",
        "  leads: column 'age' must be string or double or boolean or timestamp; got integer",
        "  activities: column 'activity_id' must be there; got none of that name",
        "  activities: column 'kind' must be string; got long",
    ]


WRONG = [
    pytest.param("nowhere", "out.parquet", "must hold leads.parquet, or a history", id="no-tables"),
    pytest.param("nope://x/y", "out.parquet", 'Spark says .*No FileSystem for scheme "nope"', id="scheme"),
    pytest.param("in", "out.csv", "OUT is a folder whose name ends in .parquet", id="ending"),
    pytest.param("in", "in", "OUT is a folder whose name ends", id="no-ending"),
    pytest.param("in", "there.parquet", "is there already", id="exists"),
    pytest.param("in", "no/out.parquet", "the folder of OUT must exist", id="no-folder"),
    pytest.param("in", "file://{root}/there.parquet", "there.parquet already exists", id="address-exists"),
    pytest.param("twice", "out.parquet", "lead_id must be unique; got 'a' in 2 rows", id="lead-twice"),
    pytest.param("half", "out.parquet", "created_at must be filled in every row or in none", id="half"),
]  # fmt: skip


def build(session: "SparkSession", source: str, out: str) -> None:
    """Build a feature table as the command does."""
    check_output(out)
    write_feature_table(feature_set(), read_folder(session, source), out, as_of=NOW)


@pytest.mark.parametrize(("source", "out", "rule"), WRONG)
def test_what_is_wrong_is_one_sentence(
    spark: "SparkSession", tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, out: str, rule: str
) -> None:
    """The thing, the rule and the value; and no OUT, whole or in part."""
    monkeypatch.chdir(tmp_path)
    lead: Row = {"lead_id": "a", "created_at": NOW}
    for name, leads in {"in": [lead], "twice": [lead, lead], "half": [lead, {"lead_id": "b"}]}.items():
        write_tables(crm_tables(leads), tmp_path / name)
    (tmp_path / "there.parquet").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(LeadPactError, match=rule):
        build(spark, source, out.format(root=tmp_path))
    assert sorted(tmp_path.iterdir()) == before


def explode(tables: CanonicalTables) -> pa.Table:
    """Fail on a worker, not before."""
    if tables.leads.num_rows:
        raise ZeroDivisionError("a kernel broke")
    return tables.leads


def test_a_broken_worker_leaves_nothing(spark: "SparkSession", tmp_path: Path) -> None:
    """The error names the worker's error; OUT and its draft are not there."""
    folder = write_tables(crm_tables([{"lead_id": "a", "created_at": NOW}]), tmp_path / "in")
    frame = map_leads(read_folder(spark, str(folder)), explode)
    with pytest.raises(LeadPactError, match="a worker failed with ZeroDivisionError: a kernel broke"):
        write_rows(frame, str(tmp_path / "out.parquet"))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_workers_with_disks_of_their_own_are_noticed(tmp_path: Path) -> None:
    """A path that means another disk on each machine leaves files elsewhere: said, not believed."""
    parquet.write_table(pa.table({"lead_id": ["a", "b"]}), tmp_path / "part-0.parquet")
    check_seen(tmp_path, 2)
    with pytest.raises(
        LeadPactError, match="wrote 5 rows and 2 of them are on this machine; give OUT as an address"
    ):
        check_seen(tmp_path, 5)


def test_tables_elsewhere_are_for_spark(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The local engine reads folders and databases; each engine refuses what only the other can do."""
    where = ("--workspace", str(desk.settings.workspace_root))
    run("features", "build", str(tmp_path / "x.parquet"), "--source", "s3a://bucket/crm", *where, code=2)
    assert "unknown kind, 's3a'; expected sqlite:///FILE or postgresql://" in capsys.readouterr().err
    for option in ("--points", "--mapping"):
        run("features", "build", str(tmp_path / "x.parquet"), "--engine", "spark", option, "x.csv", code=2)
        said = capsys.readouterr().err
        assert f"{option} is for --engine local; got 'x.csv' with --engine spark" in said


@pytest.mark.slow
def test_the_registered_model_on_spark_gives_the_same_probabilities(
    spark: "SparkSession", tmp_path: Path
) -> None:
    """`mlflow.pyfunc.spark_udf` of a registered version, over a feature table with gaps and a category."""
    import mlflow

    write_small_model(tmp_path / "model")
    place = choose_store(Workspace(tmp_path / "ws"), None, under_mlflow_run=False)
    version = register_folder(tmp_path / "model", place=place).version
    model = load_model(tmp_path / "model")
    matrix = random_matrix(200, seed=5)
    readable = decode_table(model.feature_set, matrix)
    with connect(place):
        scored = mlflow.pyfunc.spark_udf(
            spark,
            f"models:/lead-conversion/{version}",
            result_type="probability double, points double",
            env_manager="local",
        )
        rows = spark.createDataFrame(readable)
        answer = rows.select(scored(*readable.column_names).alias("it")).select("it.*").toArrow()
    expected = model.predict(matrix)
    for name in ("probability", "points"):
        np.testing.assert_allclose(answer.column(name).to_numpy(), getattr(expected, name), rtol=0, atol=1e-9)


def test_without_pyspark(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence with the command that installs it."""
    for name in [name for name in sys.modules if name.split(".")[0] == "pyspark"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    run("score", "history", str(tmp_path / "x.parquet"), "--engine", "spark",
        "--workspace", str(desk.settings.workspace_root), code=2)  # fmt: skip
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == "leadpact: --engine spark needs PySpark; install it with: pip install 'leadpact[spark]'"


def test_without_java(desk: Desk, tmp_path: Path) -> None:
    """One sentence that says which Java, exit code 2, and no traceback of ours."""
    require_pyspark()
    small_history(desk.settings, 1)
    done = run_leadpact(
        desk.settings.workspace_root, "score", "history", str(tmp_path / "x.parquet"), "--engine", "spark",
        JAVA_HOME=str(tmp_path),
    )  # fmt: skip
    assert done.returncode == 2
    assert "leadpact: --engine spark needs Java 17 or newer" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_commands_of_the_page(
    spark: "SparkSession", desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What SPARK.md shows for one machine works as written, from a shell and through spark-submit."""
    small_history(desk.settings, 5)
    monkeypatch.chdir(tmp_path)
    page = (PROJECT_ROOT / "features" / "SPARK.md").read_text(encoding="utf-8")
    shown = page.split("<!-- run:start -->")[1].split("<!-- run:end -->")[0]
    here, submitted = re.findall(r"```sh\n(.*?)```", shown, re.DOTALL)
    for line in here.splitlines():
        run(*shlex.split(line)[1:], "--workspace", str(desk.settings.workspace_root))
    environment = os.environ | {
        "LEADPACT_WORKSPACE": str(desk.settings.workspace_root),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "JDK_JAVA_OPTIONS": QUICK_JAVA,
    }
    done = subprocess.run(
        ["bash", "-euc", submitted], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = {path.name: parquet.read_table(path).num_rows for path in tmp_path.glob("*.parquet")}
    assert found == {"features.parquet": 5, "scores.parquet": 5, "submitted.parquet": 5}
