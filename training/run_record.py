"""What one training leaves behind in MLflow, as plain values. How it is stored is decided in the registry."""

from dataclasses import dataclass
from pathlib import Path

Pairs = tuple[tuple[str, str], ...]
Numbers = tuple[tuple[str, float], ...]

MODEL_NAME = "lead-conversion"
CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRecord:
    """One candidate: logged as a child run."""

    name: str
    parameters: Pairs
    metrics: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRecord:
    """The data a model was trained on, or looked at: hash, columns and size, never the content.

    ``schema_json`` is a column list as MLflow shows it (``mlflow_colspec``).
    """

    name: str
    digest: str
    schema_json: str
    profile_json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """One small file of a run: a picture, a table, the card."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """Everything logged for one training; ``folder`` is the unregistered model directory.

    ``parent_run_id`` is the run that `mlflow run` opened, if any: then training logs into it.
    """

    experiment: str
    run_name: str
    folder: Path
    parameters: Pairs
    metrics: Numbers
    tags: Pairs
    candidates: tuple[CandidateRecord, ...]
    dataset: DatasetRecord
    files: tuple[FileRecord, ...]
    parent_run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringRecord:
    """Everything logged for one look at a registered version; ``files`` hold the findings in full."""

    experiment: str
    run_name: str
    version: str
    parameters: Pairs
    metrics: Numbers
    tags: Pairs
    dataset: DatasetRecord
    files: tuple[FileRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """Where a model landed: the registered version, the run that logged it, and the store without a login."""

    version: str
    run_id: str
    experiment: str
    store: str
