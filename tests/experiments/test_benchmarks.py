"""The benchmarks on little data: all engines compute the same; nothing is asserted about time."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import parquet

from experiments.benchmarks.features import data, online
from experiments.benchmarks.features import race as race_module
from experiments.benchmarks.features.chosen import chosen_features
from experiments.benchmarks.features.equality import differences
from experiments.benchmarks.features.precompute import write_precomputed
from experiments.benchmarks.features.race import race, shrunk
from experiments.benchmarks.features.run import MODULES
from experiments.benchmarks.features.sizes import SIZES, Entrant, Size
from experiments.benchmarks.features.task import Form, Task, Work
from experiments.benchmarks.measure import Usage, run_measured
from features.history.store import ROWS_PER_GROUP, History
from features.tables import ACTIVITIES, sort_canonically

N_LEADS, N_POINTS = 1_500, 1_000
RIVALS = (
    Entrant(name="duckdb", engine="duckdb"),
    Entrant(name="duckdb wide", engine="duckdb", form=Form.WIDE),
    Entrant(name="duckdb prepared", engine="duckdb", form=Form.PREPARED),
    Entrant(name="duckdb in ranges of leads", engine="duckdb", parts=4),
    Entrant(name="pandas", engine="pandas"),
    Entrant(name="polars", engine="polars"),
    Entrant(name="polars prepared", engine="polars", form=Form.PREPARED),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of the benchmark's data, small."""
    folder = tmp_path_factory.mktemp("benchmark")
    data.write_history(folder, N_LEADS, seed=7)
    data.write_snapshots(folder, N_POINTS, seed=7)
    return folder


Compute = Callable[[Work, Entrant], Task]


@pytest.fixture(scope="module")
def compute(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Compute:
    """Return a function that lets an engine do its work and tells where the result is."""

    def run(work: Work, entrant: Entrant) -> Task:
        out = tmp_path_factory.mktemp("result")
        task = Task(work=work, folder=folder, out=out, form=entrant.form, parts=entrant.parts)
        import_module(MODULES[entrant.engine]).write_features(chosen_features(), task)
        return task

    return run


@pytest.fixture(scope="module", params=list(Work))
def ours(request: pytest.FixtureRequest, compute: Compute) -> Task:
    """Return LeadPact's result of both works, one after the other."""
    return compute(request.param, Entrant(name="leadpact", engine="leadpact"))


@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: str(rival.name))
def test_every_engine_computes_the_same(ours: Task, compute: Compute, rival: Entrant) -> None:
    """A benchmark that compares different numbers is worth nothing."""
    if find_spec(rival.engine) is None:
        pytest.skip(f"{rival.engine} is not installed; make bench installs it")
    found = compute(ours.work, rival)
    assert list(differences(ours.out, found.out, ours.keys)) == []


def test_a_difference_is_found_in_every_feature(ours: Task, tmp_path: Path) -> None:
    """The comparison that guards the benchmark looks at every column, and at one wrong row."""
    table = parquet.read_table(ours.result())
    names = chosen_features().names
    for name in names:
        column = table.column(name)
        table = table.set_column(table.column_names.index(name), name, _with_one_other(column))
    parquet.write_table(table, tmp_path / "other.parquet")
    found = list(differences(ours.out, tmp_path, ours.keys))
    assert [sentence.partition(":")[0] for sentence in found] == list(names)


def _with_one_other(column: pa.ChunkedArray) -> pa.Array:
    row = pc.index(pc.is_valid(column), value=True).as_py()
    values = column.to_pylist()
    step = 1 if pa.types.is_integer(column.type) else 0.001
    values[row] = "other" if isinstance(values[row], str) else values[row] + step
    return pa.array(values, column.type)


def test_missing_rows_are_found(ours: Task, tmp_path: Path) -> None:
    """A result that leaves rows out is faster, and wrong."""
    parquet.write_table(parquet.read_table(ours.result()).slice(1), tmp_path / "fewer.parquet")
    assert "other rows" in "".join(differences(ours.out, tmp_path, ours.keys))


def test_the_data_is_a_history(folder: Path) -> None:
    """LeadPact reads it as it reads an import, sorted and grouped the same way."""
    tables = History(folder).read()
    assert tables.leads.num_rows == N_LEADS
    assert tables.activities.num_rows == N_LEADS * data.ACTIVITIES_PER_LEAD
    assert sort_canonically(ACTIVITIES, tables.activities).equals(tables.activities)
    assert pc.count_distinct(tables.activities.column("activity_id")).as_py() == tables.activities.num_rows
    written = parquet.ParquetFile(folder / "activities-generated.parquet").metadata
    assert written.row_group(0).num_rows == ROWS_PER_GROUP
    assert parquet.read_table(folder / "wide.parquet").equals(tables.activities)


def test_no_two_activities_of_a_lead_share_an_instant(folder: Path) -> None:
    """So that which came first needs no id, and no engine has to read one."""
    activities = History(folder).read().activities
    pairs = activities.group_by(["lead_id", "occurred_at"]).aggregate([])
    assert pairs.num_rows == activities.num_rows


def test_equal_arguments_give_equal_data(folder: Path, tmp_path: Path) -> None:
    """Figures of two days are about the same data."""
    data.write_history(tmp_path, N_LEADS, seed=7)
    data.write_snapshots(tmp_path, N_POINTS, seed=7)
    for name in ("activities-generated.parquet", "leads-generated.parquet", "snapshots.parquet"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_chunks_do_not_depend_on_each_other() -> None:
    """Data of any size begins with the data of a smaller one, and only one chunk is in memory."""
    few, many = (list(data.chunks(n, seed=7)) for n in (data.LEADS_PER_CHUNK, data.LEADS_PER_CHUNK + 1))
    assert many[0].activities.equals(few[0].activities)
    assert [chunk.leads.num_rows for chunk in many] == [data.LEADS_PER_CHUNK, 1]


def test_what_feast_joins_holds_every_snapshot(compute: Compute, folder: Path) -> None:
    """A point-in-time join over the precomputed values finds LeadPact's answers."""
    write_precomputed(folder)
    task = compute(Work.TRAINING, Entrant(name="leadpact", engine="leadpact"))
    precomputed = parquet.read_table(task.precomputed).rename_columns({"event_timestamp": "as_of"})
    snapshots = parquet.read_table(task.snapshots, columns=["lead_id", "as_of"])
    joined = snapshots.join(precomputed, ["lead_id", "as_of"], join_type="inner")
    columns, order = ["lead_id", "as_of", *chosen_features().names], [(key, "ascending") for key in task.keys]
    expected = parquet.read_table(task.result()).select(columns).sort_by(order)
    assert joined.select(columns).sort_by(order).equals(expected)


def test_the_request_path_computes_the_same() -> None:
    """The engines agree on single leads too; their times are nobody's business here."""
    figures = online.measure(rounds=1, n_requests=2, calls=1)
    assert {"leadpact", "duckdb", "pandas"} <= figures.keys()
    assert [name for name, found in figures.items() if found["differs"]] == []


def test_one_command_measures_a_size(tmp_path: Path) -> None:
    """The command leaves a file with figures and the machine they are of, and keeps other sizes."""
    out = tmp_path / "figures.json"
    out.write_text(json.dumps({"benchmark": "features", "sizes": {"100m": {"kept": True}}}), encoding="utf-8")
    command = [sys.executable, "-m", "experiments.benchmarks.features", "--small", "--size", "online"]
    done = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    sizes = json.loads(out.read_text(encoding="utf-8"))["sizes"]
    assert sizes["100m"] == {"kept": True}
    assert {"leadpact", "duckdb", "pandas"} <= sizes["online"]["engines"].keys()
    assert sizes["online"]["machine"]["cores"] > 0


def two_engines(size: str) -> Size:
    """Return the smoke form of a size with LeadPact and its first rival only."""
    return replace(shrunk(SIZES[size]), entrants=SIZES[size].entrants[:2])


def test_a_race_measures_every_engine(tmp_path: Path) -> None:
    """Each run is a process of its own, whose time and memory are told, and the targets with them."""
    figures = race(two_engines("20m"), tmp_path, None, lambda _: None)
    assert figures["engines"].keys() == {"leadpact", "duckdb"}
    for engine in figures["engines"].values():
        assert all(engine[name]["min"] > 0 for name in ("wall_s", "work_s", "cpu_s", "peak_mb"))
    assert [sorted(target) for target in figures["targets"]] == [
        ["is_reached", "least", "measured", "what"],
        ["is_reached", "measured", "most", "what"],
    ]


def test_an_engine_that_disagrees_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One difference ends the benchmark before any time is written down."""
    usage = Usage(wall_s=1.0, work_s=1.0, cpu_s=1.0, peak_mb=1.0)
    monkeypatch.setattr(race_module, "run_measured", lambda _: usage)
    monkeypatch.setattr(race_module, "run_quietly", lambda _: "count_all_7d: 1 of 10 rows differ")
    with pytest.raises(RuntimeError, match="duckdb disagrees with leadpact"):
        race(two_engines("training"), tmp_path, None, lambda _: None)


def test_a_run_that_fails_is_told_with_its_words() -> None:
    """A process that dies must not look like a very fast one."""
    with pytest.raises(RuntimeError, match="ended with 3: out of luck"):
        run_measured([sys.executable, "-c", "import sys; sys.stderr.write('out of luck'); sys.exit(3)"])


def test_the_chosen_features_are_about_sixty() -> None:
    """The targets are about this many, and every kind of activity feature is among them."""
    assert 55 <= len(chosen_features().features) <= 70
