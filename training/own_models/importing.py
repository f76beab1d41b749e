"""A LightGBM text that somebody trained elsewhere, made a challenger by the project's own rules.

Calibrated and judged on the same held-out newest leads as any model of ours, written as a model directory,
registered. What the text must be is checked by the reader of model directories; whether the model may serve
is for the gates.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from features.build import build_features
from features.errors import InputError
from features.tables import CanonicalTables
from features.workspace import Workspace
from training.calibration import Calibration
from training.calibration_fit import fit_calibration
from training.candidates.boosting import Parameter
from training.candidates.learn import Learned
from training.candidates.rows import Columns, TrainingRows
from training.candidates.search import Judged
from training.evaluation import scored_points
from training.mlflow_store import StorePlace
from training.own_models.table import TrainingTable, read_training_table
from training.points import FloatArray
from training.recipe import FittedModel, LabelledPart, PreparedData, Progress, prepare
from training.run_facts import TrainedModel
from training.train import TrainResult, evaluate_fitted, only_training, publish
from training.trees import TreeEnsemble, parse_model_text, predict_margin

LARGEST_TEXT_BYTES = 256 * 1024 * 1024
CODED_BY_PANDAS = "pandas_categorical:["


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnModel:
    """A finished model with the face of a candidate: there is nothing to try or to fit."""

    ensemble: TreeEnsemble
    text: str
    source: str
    name: str = "own_model"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Where the text came from; how it was trained only its author knows."""
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        return (("file", self.source), ("file_sha256", digest), ("trees", self.ensemble.n_trees))

    @property
    def rounds(self) -> int:
        """Its trees."""
        return self.ensemble.n_trees

    def fit(self, rows: TrainingRows, columns: Columns, *, seed: int) -> str:  # noqa: ARG002 - one face for all
        """Return the text as it was given."""
        return self.text


def import_lightgbm(
    workspace: Workspace,
    tables: CanonicalTables,
    *,
    model_file: Path,
    table_file: Path,
    place: StorePlace,
    seed: int,
    now: datetime,
    progress: Progress,
) -> TrainResult:
    """Calibrate, evaluate and register a model that was fitted on a training table.

    Raises
    ------
    InputError : a text that is no binary LightGBM model of the table's features, a table of other leads than
        those that may teach today, a history with too few outcomes; names the file, the rule and the value.
    RegistryError : MLflow failed; names the model directory and the command that registers it.
    """
    table = read_training_table(table_file)
    own = read_own_model(model_file, table)
    with only_training(workspace):
        with progress("Splitting leads and labelling snapshots"):
            data = _prepared(tables, table, table_file)
        with progress("Calibrating and evaluating on leads it has never seen"):
            trained = judge_own(tables, data, own, seed=seed)
        return publish(workspace, trained, place=place, now=now, progress=progress)


def read_own_model(model_file: Path, table: TrainingTable) -> OwnModel:
    """Read a model text; InputError when it is no binary LightGBM model of the table's features."""
    text = _read_text(model_file)
    return OwnModel(ensemble=_parse(text, table, model_file), text=text, source=model_file.name)


def judge_own(tables: CanonicalTables, data: PreparedData, own: OwnModel, *, seed: int) -> TrainedModel:
    """Calibrate a model on the calibration leads and evaluate it on the test leads; writes nothing."""
    fitted = _fitted(tables, data, own)
    return TrainedModel(
        tables=tables,
        data=data,
        fitted=fitted,
        evaluation=evaluate_fitted(data, fitted, seed=seed),
        horizon_days=tables.crm.horizon_days,
        seed=seed,
    )


def _read_text(model_file: Path) -> str:
    if not model_file.is_file() or model_file.stat().st_size > LARGEST_TEXT_BYTES:
        raise InputError(f"{model_file}: must be a file of at most {LARGEST_TEXT_BYTES} bytes")
    try:
        text = model_file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{model_file}: must be a LightGBM model as text; {error}") from error
    if CODED_BY_PANDAS in text and "pandas_categorical:[]" not in text:
        raise InputError(
            f"{model_file}: was trained on a data frame whose categories LightGBM coded by itself; train on "
            "the table's matrix and name its categorical columns, so that the codes are those of the model"
        )
    return text


def _parse(text: str, table: TrainingTable, model_file: Path) -> TreeEnsemble:
    ensemble = parse_model_text(text)
    if ensemble.n_features != len(table.names):
        raise InputError(
            f"{model_file}: must have the {len(table.names)} features of the table in its order; "
            f"got {ensemble.n_features}"
        )
    return ensemble


def _prepared(tables: CanonicalTables, table: TrainingTable, table_file: Path) -> PreparedData:
    """Return today's split with the table's features; refused when the table's leads would judge."""
    if table.horizon_days != tables.crm.horizon_days:
        raise InputError(
            f"{table_file}: was labelled for a horizon of {table.horizon_days} days and the history says "
            f"{tables.crm.horizon_days}; write the table again: leadpact model table"
        )
    data = prepare(tables, horizon_days=table.horizon_days)
    held_out = np.concatenate([data.split.calibration.lead_index, data.split.test.lead_index])
    ids = tables.leads.column("lead_id").to_pylist()
    seen = set(table.lead_id.tolist()) & {ids[lead] for lead in held_out.tolist()}
    if seen:
        raise InputError(
            f"{table_file}: {len(seen)} of its leads calibrate or judge models today, because the history "
            "has changed since; write the table again (leadpact model table), train, import"
        )
    return replace(data, feature_set=table.feature_set)


def _fitted(tables: CanonicalTables, data: PreparedData, own: OwnModel) -> FittedModel:
    """Calibrate and score like any model of ours; its validation leads are the calibration leads."""
    calibration_matrix, test_matrix = (
        build_features(data.feature_set, tables, part.points) for part in (data.calibration, data.test)
    )
    rows = _known_rows(calibration_matrix, data.calibration)
    judged = Judged(rows=rows, importance=rows.weight, fold=np.zeros(len(rows.label), dtype=np.int64))
    trial = judged.trial(own, predict_margin(own.ensemble, rows.matrix))
    calibration = _calibrate(data, predict_margin(own.ensemble, calibration_matrix))
    probability = calibration.apply(predict_margin(own.ensemble, test_matrix))
    points = data.test.points
    return FittedModel(
        learned=Learned(
            model_text=own.text,
            calibration=calibration,
            candidates=(trial,),
            chosen=trial,
            n_trials=1,
            cut_short=False,
        ),
        test_matrix=test_matrix,
        test_probability=probability,
        scored=scored_points(
            points.lead_index,
            points.as_of_us,
            data.test.labels,
            probability,
            prior_probability=data.prior_probability,
        ),
    )


def _known_rows(matrix: FloatArray, part: LabelledPart) -> TrainingRows:
    rows = TrainingRows(
        matrix=matrix,
        label=part.labels.label,
        weight=part.labels.weight,
        lead_index=part.points.lead_index,
    )
    return rows.where(part.labels.known)


def _calibrate(data: PreparedData, margin: FloatArray) -> Calibration:
    labels, lead_index = data.calibration.labels, data.calibration.points.lead_index
    return fit_calibration(margin, labels.label, labels.weight, lead=lead_index)
