"""One seed of the study: simulate a CRM, train once, look again and again, without and with a change.

The history is one; that a training and a look know nothing later is what "as of" promises, so an earlier
`exported_at` is all it takes to stand earlier.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import lightgbm
import numpy as np

from experiments.simulator.rhythm import to_us
from experiments.simulator.simulate import simulate
from experiments.studies.monitoring.changes import INPUT_CHANGES, fewer_wins
from features.history.store import History
from features.importing.import_export import import_export
from features.tables import CanonicalTables
from training.artifact import LoadedModel, load_model, read_reference
from training.monitoring.look import WINDOW_DAYS, Look, look_at
from training.monitoring.reference import Reference
from training.own_models.export import export_model
from training.own_models.importing import judge_own, read_own_model
from training.own_models.table import read_training_table, write_training_table
from training.recipe import prepare
from training.run_facts import manifest_facts
from training.train import write_directory

UNTIL = datetime(2026, 11, 23, tzinfo=UTC)
MONTHS, LEADS = 18, 8000
TRAINED_DAYS_AGO = 200
QUIET_DAYS_AGO = (133, 67, 0)

FIXED_SETTINGS = {
    "objective": "binary",
    "num_leaves": 8,
    "learning_rate": 0.05,
    "min_data_in_leaf": 40,
    "lambda_l2": 5.0,
    "num_threads": 1,
    "deterministic": True,
    "verbosity": -1,
}
ROUNDS = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one look said: the case, the day, and the codes of its findings."""

    case: str
    days_ago: int
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def run_seed(seed: int, *, leads: int = LEADS) -> tuple[Seen, ...]:
    """Train once and look at the same CRM without change three times, and once after each change."""
    with tempfile.TemporaryDirectory() as scratch:
        tables = _simulated(Path(scratch), seed, leads)
        model, reference = train_champion(_as_of(tables, TRAINED_DAYS_AGO), Path(scratch), seed)
    looks = [*_quiet(tables, model, reference), *_changed(tables, model, reference, seed)]
    return tuple(_seen(case, days_ago, look) for case, days_ago, look in looks)


def train_champion(tables: CanonicalTables, scratch: Path, seed: int) -> tuple[LoadedModel, Reference]:
    """Train one fixed setting on the training table and bring it in as any data scientist's model.

    The recipe is not what is studied here; a fixed model keeps the study quick and the same when it changes.
    """
    horizon_days = tables.crm.horizon_days
    data = prepare(tables, horizon_days=horizon_days)
    write_training_table(tables, data, scratch / "table.parquet", horizon_days=horizon_days)
    table = read_training_table(scratch / "table.parquet")
    rows = lightgbm.Dataset(
        table.matrix, table.label, weight=table.weight, categorical_feature=table.categorical
    )
    booster = lightgbm.train(FIXED_SETTINGS | {"seed": seed}, rows, ROUNDS)
    own = read_own_model(export_model(booster, table, scratch / "model.txt"), table)
    trained = judge_own(tables, data, own, seed=seed)
    write_directory(scratch / "model", trained, manifest_facts(trained, now=UNTIL), "# Study\n")
    frozen = read_reference(scratch / "model")
    return load_model(scratch / "model"), Reference.from_dict(frozen or {})


def _simulated(scratch: Path, seed: int, leads: int) -> CanonicalTables:
    world = simulate(leads=leads, months=MONTHS, until=UNTIL, seed=seed)
    world.write(scratch / "export", scratch / "truth.csv")
    history = History(scratch / "history")
    import_export(
        scratch / "export", mapping_file=None, history=history, strict=True, rejects_dir=scratch / "rejects"
    )
    return history.read()


def _as_of(tables: CanonicalTables, days_ago: int) -> CanonicalTables:
    return replace(tables, crm=replace(tables.crm, exported_at=UNTIL - timedelta(days=days_ago)))


def _quiet(
    tables: CanonicalTables, model: LoadedModel, reference: Reference
) -> Iterator[tuple[str, int, Look]]:
    for days_ago in QUIET_DAYS_AGO:
        yield "no_change", days_ago, look_at(_as_of(tables, days_ago), model, reference)


def _changed(
    tables: CanonicalTables, model: LoadedModel, reference: Reference, seed: int
) -> Iterator[tuple[str, int, Look]]:
    """Look two weeks after each change; outcomes count from when the first new horizon is over.

    Fewer wins are also looked for after four weeks, with a window as long.
    """
    random = np.random.default_rng(seed)
    cases = [(case, change, 0, WINDOW_DAYS) for case, change in INPUT_CHANGES.items()]
    horizon_days = tables.crm.horizon_days
    cases += [("fewer_wins", fewer_wins, horizon_days, WINDOW_DAYS)]
    cases += [("fewer_wins_4_weeks", fewer_wins, horizon_days, 2 * WINDOW_DAYS)]
    for case, change, wait_days, window_days in cases:
        from_us = to_us(UNTIL - timedelta(days=window_days + wait_days))
        yield case, 0, look_at(change(tables, from_us, random), model, reference, window_days=window_days)


def _seen(case: str, days_ago: int, look: Look) -> Seen:
    said = [
        (finding.severity, f"{finding.code}:{dict(finding.facts).get('subject', '')}")
        for finding in look.findings
    ]
    return Seen(
        case=case,
        days_ago=days_ago,
        warnings=tuple(text for severity, text in said if severity == "warning"),
        notes=tuple(text for severity, text in said if severity == "note"),
    )
