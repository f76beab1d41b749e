"""A champion without the recipe: one LightGBM setting on the training table, brought in as an own model."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import lightgbm

from features.tables import CanonicalTables
from features.workspace import Workspace
from tests.builders_training import NOW
from training.mlflow_store import StorePlace
from training.own_models.export import export_model
from training.own_models.importing import judge_own, read_own_model
from training.own_models.table import TrainingTable, read_training_table, write_training_table
from training.promote import pull_champion
from training.recipe import prepare
from training.registry import move_alias, register_folder
from training.run_facts import manifest_facts
from training.run_record import CHAMPION
from training.train import write_directory

SETTINGS = {"objective": "binary", "num_leaves": 4, "min_data_in_leaf": 20, "num_threads": 1, "verbosity": -1}


def as_of(tables: CanonicalTables, exported_at: datetime) -> CanonicalTables:
    """Return the same history as somebody saw it who stood earlier."""
    return replace(tables, crm=replace(tables.crm, exported_at=exported_at))


def training_table(tables: CanonicalTables, file: Path) -> TrainingTable:
    """Write a training table and read it back."""
    horizon_days = tables.crm.horizon_days
    write_training_table(tables, prepare(tables, horizon_days=horizon_days), file, horizon_days=horizon_days)
    return read_training_table(file)


def train_booster(table: TrainingTable, *, rounds: int = 30) -> lightgbm.Booster:
    """Train on a training table as its reader would."""
    rows = lightgbm.Dataset(
        table.matrix, table.label, weight=table.weight, categorical_feature=table.categorical
    )
    return lightgbm.train(SETTINGS, rows, rounds)


def own_directory(tables: CanonicalTables, folder: Path) -> Path:
    """Return the unregistered model directory of a small booster."""
    folder.mkdir(parents=True, exist_ok=True)
    table = training_table(tables, folder / "table.parquet")
    own = read_own_model(export_model(train_booster(table), table, folder / "model.txt"), table)
    data = prepare(tables, horizon_days=tables.crm.horizon_days)
    trained = judge_own(tables, data, own, seed=0)
    write_directory(folder / "model", trained, manifest_facts(trained, now=NOW), "# A model for tests\n")
    return folder / "model"


def install_own_champion(workspace: Workspace, tables: CanonicalTables, place: StorePlace) -> str:
    """Register a small booster and make it champion, past the gates; return its version."""
    folder = own_directory(tables, workspace.root / "own")
    version = register_folder(folder, place=place).version
    move_alias(CHAMPION, version, place=place)
    pull_champion(workspace, place=place)
    return version
