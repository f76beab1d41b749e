"""What a training has to tell: the manifest's facts and the MLflow record, from the values it computed.

Nothing is computed here that was not measured before, and nothing is written.
"""

import json
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa

from features.tables import TABLE_NAMES, CanonicalTables
from features.words.phrases import LANGUAGES
from training.artifact import ModelCardFacts
from training.candidates.boosting import Parameter
from training.candidates.search import Trial
from training.data_hash import hash_tables
from training.evaluation import Evaluation
from training.groups import is_off
from training.influence import Influence
from training.outcomes import lead_created_us
from training.pictures import standalone
from training.recipe import FittedModel, LabelledPart, PreparedData
from training.report import Report, ReportedModel, pictures_of, render_report
from training.run_record import (
    CandidateRecord,
    DatasetRecord,
    FileRecord,
    Numbers,
    Pairs,
    TrainingRecord,
)
from training.splits import SplitKind

LIBRARIES = ("leadpact", "lightgbm", "scikit-learn", "numpy", "pyarrow", "numba")
"""What a repeated training must have in the same version to give the same model."""

METRIC_TEST_FROM = "test_from_position"
METRIC_PRIOR = "prior_probability"
"""Two numbers of the manifest that later comparisons need: where the test part begins, and the base rate."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainedModel:
    """Everything one training computed before anything is written."""

    tables: CanonicalTables
    data: PreparedData
    fitted: FittedModel
    evaluation: Evaluation
    horizon_days: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartCounts:
    """How much of the history one part holds; ``known`` and ``won`` count snapshots with a known outcome."""

    name: str
    leads: int
    snapshots: int
    known: int
    won: int
    known_until: str | None


def count_parts(data: PreparedData) -> tuple[PartCounts, ...]:
    """Return the counts of the three parts, oldest first."""
    split = data.split
    parts = (
        ("train", data.train, split.train),
        ("calibration", data.calibration, split.calibration),
        ("test", data.test, split.test),
    )
    return tuple(_count(name, part, cut.known_until_us) for name, part, cut in parts)


def _count(name: str, part: LabelledPart, known_until_us: int | None) -> PartCounts:
    known = part.labels.known
    return PartCounts(
        name=name,
        leads=part.n_leads,
        snapshots=len(known),
        known=int(known.sum()),
        won=int(part.labels.label[known].sum()),
        known_until=_iso(known_until_us),
    )


def manifest_facts(trained: TrainedModel, *, now: datetime) -> ModelCardFacts:
    """Return what the manifest says about this training."""
    data, crm = trained.data, trained.tables.crm
    trained_from, trained_until = _window(trained)
    return ModelCardFacts(
        horizon_days=trained.horizon_days,
        created_at=now.astimezone(UTC).isoformat(timespec="seconds"),
        crm_name=crm.name,
        data_hash=hash_tables(trained.tables),
        split=data.split.kind.value,
        metrics=run_metrics(trained),
        trained_from=trained_from,
        trained_until=trained_until,
        evidence=trained.fitted.learned.evidence,
    )


def run_metrics(trained: TrainedModel) -> Numbers:
    """Return every number of the evaluation by name, intervals as ``…_low`` and ``…_high``."""
    evaluation, data = trained.evaluation, trained.data
    judged = [row for row in evaluation.slices if not row.not_applicable]
    numbers: dict[str, float] = {
        METRIC_TEST_FROM: float(data.split.test_from),
        METRIC_PRIOR: data.prior_probability,
        "test_snapshots": float(evaluation.snapshots),
        "test_leads": float(evaluation.leads),
        "test_won_snapshots": float(evaluation.won_snapshots),
        "validation_log_loss": trained.fitted.chosen.validation_log_loss,
        "slices_judged": float(len(judged)),
        "slices_off": float(sum(is_off(row) for row in judged)),
        **{f"brier_{name}": value for name, value in asdict(evaluation.brier_parts).items()},
    }
    for name, interval in evaluation.metrics:
        numbers |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return tuple(sorted(numbers.items()))


def training_record(
    trained: TrainedModel,
    facts: ModelCardFacts,
    *,
    folder: Path,
    card: str,
    parent_run_id: str | None,
    influences: tuple[Influence, ...] = (),
) -> TrainingRecord:
    """Return what is logged to MLflow; ``influences`` are those of the written model."""
    return TrainingRecord(
        experiment=f"leadpact/{facts.crm_name}",
        run_name=f"train {facts.created_at}",
        folder=folder,
        parameters=_parameters(trained, facts),
        metrics=facts.metrics,
        tags=_tags(trained, facts),
        candidates=tuple(_candidate(each, trained.seed) for each in trained.fitted.tried),
        dataset=dataset_record(trained.tables, facts.data_hash),
        files=_files(trained, facts, card, influences),
        parent_run_id=parent_run_id,
    )


def _window(trained: TrainedModel) -> tuple[str | None, str | None]:
    """Return the first training lead's creation and the last instant any label was known that taught."""
    split = trained.data.split
    if split.kind is not SplitKind.FORWARD:
        return None, None
    first_us = int(lead_created_us(trained.tables)[split.train.lead_index].min())
    return _iso(first_us), _iso(split.calibration.known_until_us)


def _iso(instant_us: int | None) -> str | None:
    if instant_us is None:
        return None
    return str(np.datetime_as_string(np.datetime64(instant_us, "us"), unit="s")) + "Z"


def _parameters(trained: TrainedModel, facts: ModelCardFacts) -> Pairs:
    chosen, data_split = trained.fitted.chosen, trained.data.split
    own = {
        "seed": trained.seed,
        "horizon_days": trained.horizon_days,
        "candidate": chosen.candidate.name,
        "trees": chosen.rounds,
        "calibration": trained.fitted.calibration.kind.value,
        "evidence": trained.fitted.learned.evidence,
        "trials": trained.fitted.learned.n_trials,
        "search_cut_short": trained.fitted.learned.cut_short,
        "split": facts.split,
        "features": len(trained.data.feature_set.features),
        "feature_set_hash": trained.data.feature_set.hash,
        "data_hash": facts.data_hash,
        "trained_from": facts.trained_from,
        "trained_until": facts.trained_until,
        METRIC_TEST_FROM: data_split.test_from,
        "left_out_leads": sum(count for _, count in trained.tables.left_out),
        **{f"{part.name}_leads": part.leads for part in count_parts(trained.data)},
        **{f"{part.name}_known_until": part.known_until for part in count_parts(trained.data)},
        **{f"version.{name}": version(name) for name in LIBRARIES},
        "version.python": platform.python_version(),
    }
    return (*((name, str(value)) for name, value in own.items()), *_texts(chosen.candidate.parameters))


def _texts(parameters: tuple[Parameter, ...]) -> Pairs:
    return tuple((f"candidate.{name}", str(value)) for name, value in parameters)


def _tags(trained: TrainedModel, facts: ModelCardFacts) -> Pairs:
    return (
        ("leadpact.crm", facts.crm_name),
        ("leadpact.data_hash", facts.data_hash),
        ("leadpact.trained_from", str(facts.trained_from)),
        ("leadpact.trained_until", str(facts.trained_until)),
        ("leadpact.split", trained.data.split.reason),
    )


def _candidate(tried: Trial, seed: int) -> CandidateRecord:
    return CandidateRecord(
        name=tried.candidate.name,
        parameters=(("seed", str(seed)), *_texts(tried.candidate.parameters)),
        metrics=(("validation_log_loss", tried.validation_log_loss), ("trees", float(tried.rounds))),
    )


def dataset_record(tables: CanonicalTables, data_hash: str) -> DatasetRecord:
    """Return what MLflow keeps of a history: its hash, the columns of its leads, and the rows per table."""
    columns = [
        {"name": field.name, "type": _column_type(field.type), "required": field.name == "lead_id"}
        for field in tables.leads.schema
    ]
    profile = {name: tables.table(name).num_rows for name in TABLE_NAMES}
    return DatasetRecord(
        name=tables.crm.name,
        digest=data_hash[:DIGEST_LENGTH],
        schema_json=json.dumps({"mlflow_colspec": columns}),
        profile_json=json.dumps(profile),
    )


def _column_type(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "datetime"
    return {"double": "double", "bool": "boolean", "int64": "long"}.get(str(kind), "string")


DIGEST_LENGTH = 36
"""MLflow keeps no more of a digest; the whole hash is a parameter and a tag of the run."""


def _files(
    trained: TrainedModel, facts: ModelCardFacts, card: str, influences: tuple[Influence, ...]
) -> tuple[FileRecord, ...]:
    evaluation = trained.evaluation
    features = trained.data.feature_set.to_dict()
    leakage = [finding.to_dict() for finding in trained.data.findings]
    return (
        FileRecord(path="card.md", content=card.encode()),
        FileRecord(path="evaluation.json", content=json.dumps(evaluation.to_dict(), indent=2).encode()),
        FileRecord(path="features.json", content=json.dumps(features, indent=2).encode()),
        FileRecord(path="leakage.json", content=json.dumps(leakage, indent=2).encode()),
        *_pictures(trained.evaluation, influences),
        *_reports(trained, facts, influences),
    )


def _pictures(evaluation: Evaluation, influences: tuple[Influence, ...]) -> tuple[FileRecord, ...]:
    drawn = pictures_of(evaluation, influences, "en")
    return tuple(FileRecord(path=f"pictures/{name}.svg", content=standalone(svg)) for name, svg in drawn)


def _reports(
    trained: TrainedModel, facts: ModelCardFacts, influences: tuple[Influence, ...]
) -> tuple[FileRecord, ...]:
    """Return the report that `leadpact evaluate --html` writes, in both languages."""
    model = ReportedModel(role="trained", version="", evaluation=trained.evaluation, influences=influences)
    report = Report(
        crm_name=facts.crm_name,
        horizon_days=facts.horizon_days,
        models=(model,),
        difference=None,
        written_on=datetime.fromisoformat(facts.created_at).date(),
    )
    return tuple(
        FileRecord(path=f"report_{lang}.html", content=render_report(report, lang).encode())
        for lang in LANGUAGES
    )
