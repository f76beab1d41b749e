"""One training from history to challenger: lock, recipe, model directory, MLflow. recipe.py is the recipe.

The registered model is the evaluated one, not a refit. When MLflow fails the model directory stays, and the
error says how to register it later.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from features.leakage import Finding
from features.personas import PersonaRules
from features.tables import CanonicalTables
from features.workspace import Workspace
from training.artifact import GoldenRows, ModelCardFacts, load_model, write_model_directory
from training.errors import BusyError, RegistryError, writing_to
from training.evaluation import Evaluation, evaluate
from training.groups import slicings_of
from training.influence import influences_of
from training.mlflow_store import StorePlace
from training.model_card import write_card
from training.monitoring.reference import freeze_reference
from training.recipe import (
    BUDGET_SECONDS,
    FittedModel,
    PreparedData,
    Progress,
    fit_model,
    prepare,
)
from training.registry import register_training
from training.run_facts import PartCounts, TrainedModel, count_parts, manifest_facts, training_record
from training.run_record import Registered, TrainingRecord
from training.trees import parse_model_text, predict_margin

GOLDEN_ROWS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateResult:
    """One candidate's log loss on the folds, its boosted trees per seed, and whether it was chosen."""

    name: str
    validation_log_loss: float
    trees: int
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """What a training found and where its model landed."""

    registered: Registered
    horizon_days: int
    split_kind: str
    split_reason: str
    parts: tuple[PartCounts, ...]
    features: int
    candidates: tuple[CandidateResult, ...]
    calibration: str
    evidence: str
    search_cut_short: bool
    evaluation: Evaluation
    findings: tuple[Finding, ...]
    left_out: tuple[tuple[str, int], ...] = ()


def train(
    workspace: Workspace,
    tables: CanonicalTables,
    *,
    place: StorePlace,
    seed: int,
    now: datetime,
    progress: Progress,
    personas: tuple[PersonaRules, ...] = (),
    parent_run_id: str | None = None,
    budget_seconds: float = BUDGET_SECONDS,
    evidence: str = "model",
) -> TrainResult:
    """Train on the history and register the model as challenger.

    Parameters
    ----------
    tables : the whole history of one CRM; its settings give the horizon.
    now : aware; when this training happens, written into the model.
    progress : shows a step while it runs; called with its title.
    personas : those both teams agreed; the model is told which one a lead is.
    parent_run_id : the MLflow run to log into, when `mlflow run` opened one.
    budget_seconds : bounds the search for a model; its fixed plan usually ends before.
    evidence : the most that scores may rest on: "scorecard" or "model".

    Raises
    ------
    InputError : too few outcomes, a column that knows the outcome, or no usable feature; says what is there
        and what is needed.
    BusyError : another training runs in this workspace.
    RegistryError : MLflow failed; names the model directory and the command that registers it.
    """
    with only_training(workspace):
        trained = _fit_and_evaluate(
            tables,
            seed=seed,
            personas=personas,
            progress=progress,
            budget_seconds=budget_seconds,
            evidence=evidence,
        )
        return publish(
            workspace, trained, place=place, now=now, progress=progress, parent_run_id=parent_run_id
        )


def publish(
    workspace: Workspace,
    trained: TrainedModel,
    *,
    place: StorePlace,
    now: datetime,
    progress: Progress,
    parent_run_id: str | None = None,
) -> TrainResult:
    """Write a trained model as a directory, log it and register it; the training lock must be held.

    The directory goes when MLflow has it; when MLflow fails it stays, and the RegistryError says how to
    register it later.
    """
    facts = manifest_facts(trained, now=now)
    card = _card(trained, facts)
    folder = workspace.models_dir / f"unregistered-{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}"
    write_directory(folder, trained, facts, card)
    record = training_record(
        trained,
        facts,
        folder=folder,
        card=card,
        influences=influences_of(load_model(folder), trained.fitted.test_matrix),
        parent_run_id=parent_run_id,
    )
    with progress("Logging to MLflow and registering"):
        registered = register(record, place)
    shutil.rmtree(folder)
    return _result(registered, trained)


def _fit_and_evaluate(
    tables: CanonicalTables,
    *,
    seed: int,
    personas: tuple[PersonaRules, ...],
    progress: Progress,
    budget_seconds: float,
    evidence: str,
) -> TrainedModel:
    horizon_days = tables.crm.horizon_days
    with progress("Splitting leads and labelling snapshots"):
        data = prepare(tables, horizon_days=horizon_days, personas=personas)
    fitted = fit_model(
        tables,
        data,
        horizon_days=horizon_days,
        seed=seed,
        progress=progress,
        budget_seconds=budget_seconds,
        evidence=evidence,
    )
    with progress("Evaluating on never-trained-on leads"):
        evaluation = evaluate_fitted(data, fitted, seed=seed)
    return TrainedModel(
        tables=tables, data=data, fitted=fitted, evaluation=evaluation, horizon_days=horizon_days, seed=seed
    )


def evaluate_fitted(data: PreparedData, fitted: FittedModel, *, seed: int) -> Evaluation:
    """Judge a fitted model on the test leads, as a whole and by the attributes its features know."""
    slicings = slicings_of(data.feature_set, fitted.test_matrix)
    known = tuple(each.where(data.test.labels.known) for each in slicings)
    return evaluate(fitted.scored, seed=seed, slicings=known)


def _card(trained: TrainedModel, facts: ModelCardFacts) -> str:
    return write_card(
        crm_name=facts.crm_name,
        horizon_days=trained.horizon_days,
        data=trained.data,
        fitted=trained.fitted,
        evaluation=trained.evaluation,
        left_out=trained.tables.left_out,
    )


def write_directory(folder: Path, trained: TrainedModel, facts: ModelCardFacts, card: str) -> None:
    """Write the model directory of a training, unregistered; what monitoring needs is frozen in it."""
    fitted = trained.fitted
    golden = GoldenRows(
        matrix=fitted.test_matrix[:GOLDEN_ROWS], probability=fitted.test_probability[:GOLDEN_ROWS]
    )
    write_model_directory(
        folder,
        facts=facts,
        feature_set=trained.data.feature_set,
        model_text=fitted.model_text,
        calibration=fitted.calibration,
        card_markdown=card,
        golden=golden,
        reference=_reference(trained),
    )


def _reference(trained: TrainedModel) -> dict[str, object] | None:
    """Return what `leadpact monitor` will compare with: the leads that calibrated and judged this model."""
    fitted = trained.fitted
    ensemble = parse_model_text(fitted.model_text)
    reference = freeze_reference(
        trained.tables,
        trained.data.split,
        horizon_days=trained.horizon_days,
        feature_set=trained.data.feature_set,
        predict=lambda matrix: fitted.calibration.apply(predict_margin(ensemble, matrix)),
    )
    return None if reference is None else reference.to_dict()


def register(record: TrainingRecord, place: StorePlace) -> Registered:
    """Log and register; a RegistryError says where the model directory is kept, and how it gets in later."""
    try:
        return register_training(record, place=place)
    except RegistryError as error:
        raise RegistryError(
            f"{error}. The trained model is kept in {record.folder}; when MLflow is back, register it with "
            f"`leadpact model register {record.folder}`"
        ) from error


@contextmanager
def only_training(workspace: Workspace) -> Iterator[None]:
    """Hold the workspace's training lock; the system frees it even when the process is killed."""
    with writing_to(workspace.models_dir), (workspace.models_dir / ".training.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(
                f"another training is running in the workspace {workspace.root}; wait until it has ended"
            ) from None
        yield


def _result(registered: Registered, trained: TrainedModel) -> TrainResult:
    chosen = trained.fitted.chosen
    return TrainResult(
        registered=registered,
        horizon_days=trained.horizon_days,
        split_kind=trained.data.split.kind.value,
        split_reason=trained.data.split.reason,
        parts=count_parts(trained.data),
        features=len(trained.data.feature_set.features),
        candidates=tuple(
            CandidateResult(
                name=each.candidate.name,
                validation_log_loss=each.validation_log_loss,
                trees=each.rounds,
                chosen=each is chosen,
            )
            for each in trained.fitted.tried
        ),
        calibration=trained.fitted.calibration.kind.value,
        evidence=trained.fitted.learned.evidence,
        search_cut_short=trained.fitted.learned.cut_short,
        evaluation=trained.evaluation,
        findings=trained.data.findings,
        left_out=trained.tables.left_out,
    )
