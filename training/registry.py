"""MLflow: log a training, register its model, move aliases, fetch a model directory.

Only this module, mlflow_store.py (how MLflow is opened) and pyfunc_model.py import mlflow. Which model
deserves an alias is decided in `training.gates`.
"""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from features.definitions import Feature, FeatureKind, FeatureSet
from features.encode import decode_table
from features.errors import InputError
from training.artifact import LoadedModel, load_model, stamp_version
from training.errors import writing_to
from training.mlflow_store import StorePlace, connect, shown
from training.points import FloatArray
from training.run_record import (
    CHALLENGER,
    MODEL_NAME,
    CandidateRecord,
    DatasetRecord,
    FileRecord,
    MonitoringRecord,
    Pairs,
    Registered,
    TrainingRecord,
)

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.types import DataType
    from mlflow.types.schema import AnyType

MODEL_DIRECTORY = "model_directory"
PYFUNC_FILE = Path(__file__).with_name("pyfunc_model.py")
OUTPUTS = ("probability", "probability_low", "probability_high", "points")
MODEL_DESCRIPTION = "Calibrated chance that a lead is won within the horizon."
REQUIREMENTS = ("leadpact", "mlflow", "msgspec", "numba", "numpy", "pandas", "pyarrow")
LONGEST_PARAMETER = 500
LONGEST_TAG = 5_000
UNKNOWN_CODES = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"})
"""What MLflow answers for a model nobody registered, and for an alias or a version it does not know."""


def register_training(record: TrainingRecord, *, place: StorePlace) -> Registered:
    """Log one training, register its model directory as a new version, and give it the alias challenger.

    The version is made last, so a failure leaves a failed run and nothing in the registry.
    """
    with connect(place) as client:
        experiment_id = _experiment(client, record.experiment, place)
        run_id, experiment_id = _open_run(client, experiment_id, record)
        with _failing_together(client, run_id):
            _log_values(
                client, run_id, metrics=record.metrics, parameters=record.parameters, tags=record.tags
            )
            _log_inputs(client, run_id, record.dataset, "training")
            _log_files(client, run_id, record.files)
            for candidate in record.candidates:
                _log_candidate(client, experiment_id, run_id, candidate)
            version = _register(client, run_id, record.folder, dict(record.tags))
    return Registered(
        version=version, run_id=run_id, experiment=record.experiment, store=shown(place.tracking_uri)
    )


def register_folder(folder: Path, *, place: StorePlace) -> Registered:
    """Register a model directory that no training of this store logged, and make it the challenger."""
    model = load_model(folder)
    experiment = f"leadpact/{model.manifest.crm_name}"
    with connect(place) as client:
        run_id = client.create_run(
            _experiment(client, experiment, place), run_name=f"register {folder.name}"
        ).info.run_id
        with _failing_together(client, run_id):
            _log_values(client, run_id, metrics=model.manifest.metrics)
            version = _register(client, run_id, folder, {"leadpact.origin": "folder"})
    return Registered(version=version, run_id=run_id, experiment=experiment, store=shown(place.tracking_uri))


def log_monitoring(record: MonitoringRecord, *, place: StorePlace) -> str:
    """Log one look at a registered version as a run that names the version as its input; return the run.

    The version is tagged with its newest look. RegistryError when MLflow fails.
    """
    from mlflow.entities import LoggedModelInput

    with connect(place) as client:
        run_id = str(
            client.create_run(
                _experiment(client, record.experiment, place), run_name=record.run_name
            ).info.run_id
        )
        with _failing_together(client, run_id):
            _log_values(
                client, run_id, metrics=record.metrics, parameters=record.parameters, tags=record.tags
            )
            _log_inputs(client, run_id, record.dataset, "monitoring")
            _log_files(client, run_id, record.files)
            _check_version(client, record.version, place)
            source = str(client.get_model_version(MODEL_NAME, record.version).source)
            client.log_inputs(run_id, models=[LoggedModelInput(source.rpartition("/")[2])])
            client.set_terminated(run_id)
            client.set_model_version_tag(MODEL_NAME, record.version, "leadpact.monitoring_run", run_id)
    return run_id


def find_version(alias: str, *, place: StorePlace) -> str | None:
    """Return the version that carries an alias; None when no version does."""
    from mlflow.exceptions import MlflowException

    with connect(place) as client:
        try:
            return str(client.get_model_version_by_alias(MODEL_NAME, alias).version)
        except MlflowException as error:
            if error.error_code in UNKNOWN_CODES:
                return None
            raise


def move_alias(alias: str, version: str, *, place: StorePlace, tags: Pairs = ()) -> None:
    """Give a version an alias, and tag the version with why."""
    tag_version(version, tags, place=place)
    with connect(place) as client:
        client.set_registered_model_alias(MODEL_NAME, alias, version)


def tag_version(version: str, tags: Pairs, *, place: StorePlace) -> None:
    """Write tags of a version; a value longer than MLflow keeps is cut."""
    with connect(place) as client:
        for key, value in tags:
            client.set_model_version_tag(MODEL_NAME, version, key, value[:LONGEST_TAG])


def drop_alias(alias: str, *, place: StorePlace) -> None:
    """Take an alias away from whichever version carries it."""
    with connect(place) as client:
        client.delete_registered_model_alias(MODEL_NAME, alias)


def pull(version: str, models_dir: Path, *, place: StorePlace) -> Path:
    """Fetch a version's model directory, stamp its version, verify it; return its folder.

    A folder that is there and sound is kept; the folder appears at once and complete, or not at all.
    """
    target = models_dir / f"{MODEL_NAME}-{version}"
    with writing_to(models_dir), tempfile.TemporaryDirectory(dir=models_dir, prefix=".pull-") as scratch:
        folder = _download(version, Path(scratch), place)
        stamp_version(folder, version)
        fetched = load_model(folder)
        if _is_same_model(target, fetched):
            return target
        if target.exists():
            shutil.move(target, Path(scratch) / "replaced")
        folder.rename(target)
    return target


def predict_through_mlflow(
    version: str, feature_set: FeatureSet, matrix: FloatArray, *, place: StorePlace
) -> FloatArray:
    """Return probabilities (n,) of a registered version as `mlflow.pyfunc.load_model` gives them."""
    import mlflow

    with connect(place):
        model = mlflow.pyfunc.load_model(f"models:/{MODEL_NAME}/{version}")
        answer = model.predict(decode_table(feature_set, matrix).to_pandas())
    probability: FloatArray = answer["probability"].to_numpy()
    return probability


def leave_note(run_id: str, text: str, *, tracking_uri: str) -> None:
    """Write into a run of another store where the work was logged instead."""
    with connect(StorePlace(tracking_uri=tracking_uri, artifact_root=None)) as client:
        client.set_tag(run_id, "mlflow.note.content", text)


def _experiment(client: "MlflowClient", name: str, place: StorePlace) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    root = None if place.artifact_root is None else place.artifact_root.as_uri()
    return str(client.create_experiment(name, artifact_location=root))


def _open_run(client: "MlflowClient", experiment_id: str, record: TrainingRecord) -> tuple[str, str]:
    """Return the run to log into and its experiment; `mlflow run` opened one wherever it was told to."""
    if record.parent_run_id is None:
        return str(client.create_run(experiment_id, run_name=record.run_name).info.run_id), experiment_id
    client.update_run(record.parent_run_id, name=record.run_name)
    return record.parent_run_id, str(client.get_run(record.parent_run_id).info.experiment_id)


@contextlib.contextmanager
def _failing_together(client: "MlflowClient", run_id: str) -> Iterator[None]:
    """Say in the run that it failed when anything does, if MLflow still listens; the error goes on."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except BaseException:
        with contextlib.suppress(MlflowException):
            client.set_terminated(run_id, status="FAILED")
        raise


def _log_inputs(client: "MlflowClient", run_id: str, dataset: DatasetRecord, context: str) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    entity = Dataset(
        name=dataset.name,
        digest=dataset.digest,
        source_type="leadpact history",
        source="{}",
        schema=dataset.schema_json,
        profile=dataset.profile_json,
    )
    tags = [InputTag("mlflow.data.context", context)]
    client.log_inputs(run_id, [DatasetInput(dataset=entity, tags=tags)])


def _log_files(client: "MlflowClient", run_id: str, files: tuple[FileRecord, ...]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        for file in files:
            path = Path(scratch) / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
        client.log_artifacts(run_id, scratch)


def _log_candidate(
    client: "MlflowClient", experiment_id: str, parent_run_id: str, candidate: CandidateRecord
) -> None:
    tags = {"mlflow.parentRunId": parent_run_id}
    run_id = client.create_run(experiment_id, run_name=candidate.name, tags=tags).info.run_id
    _log_values(client, run_id, metrics=candidate.metrics, parameters=candidate.parameters)
    client.set_terminated(run_id)


def _log_values(
    client: "MlflowClient",
    run_id: str,
    *,
    metrics: tuple[tuple[str, float], ...] = (),
    parameters: Pairs = (),
    tags: Pairs = (),
) -> None:
    from mlflow.entities import Metric, Param, RunTag

    started_ms = client.get_run(run_id).info.start_time
    client.log_batch(
        run_id,
        metrics=[Metric(name, value, started_ms, 0) for name, value in metrics],
        params=[Param(name, value[:LONGEST_PARAMETER]) for name, value in parameters],
        tags=[RunTag(name, value) for name, value in tags],
    )


def _log_model(run_id: str, folder: Path) -> str:
    """Log the model directory as a pyfunc model whose only artifact it is; return the model's URI.

    MLflow keeps an artifact under the name its source had, so a copy gives it the name that `pull` asks for.
    """
    import mlflow

    feature_set = load_model(folder).feature_set
    with tempfile.TemporaryDirectory() as scratch, mlflow.start_run(run_id=run_id):
        named = Path(scratch) / MODEL_DIRECTORY
        named.mkdir()
        for file in folder.iterdir():
            shutil.copyfile(file, named / file.name)
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(PYFUNC_FILE),
            artifacts={MODEL_DIRECTORY: str(named)},
            signature=_signature(feature_set),
            input_example=_example(folder, feature_set),
            pip_requirements=list(REQUIREMENTS),
        )
    return str(logged.model_uri)


def _signature(feature_set: FeatureSet) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    inputs: list[ColSpec | TensorSpec] = [
        ColSpec(_column_type(feature), feature.name, required=False) for feature in feature_set.features
    ]
    outputs: list[ColSpec | TensorSpec] = [ColSpec("double", name) for name in OUTPUTS]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def _column_type(feature: Feature) -> "DataType | AnyType":
    """Return how MLflow reads a column; a missing boolean would become False if it was told to read one."""
    from mlflow.types import DataType
    from mlflow.types.schema import AnyType

    if feature.kind is FeatureKind.ATTRIBUTE_BOOLEAN:
        return AnyType()  # type: ignore[no-untyped-call]
    return DataType.string if feature.is_category else DataType.double


def _example(folder: Path, feature_set: FeatureSet) -> "pd.DataFrame":
    """Return the model's golden rows in readable form: real rows that any environment can try."""
    golden = json.loads((folder / "golden.json").read_bytes())
    matrix = np.array(golden["matrix"], dtype=np.float64)
    example: pd.DataFrame = decode_table(feature_set, matrix).to_pandas()
    return example


def _register(client: "MlflowClient", run_id: str, folder: Path, tags: dict[str, str]) -> str:
    """Log the model, end the run, make the version and let the challenger's alias point at it, in that order.

    The version comes when all its files are there and is taken back when the alias cannot be moved.
    """
    model_uri = _log_model(run_id, folder)
    _create_registered_model(client)
    client.set_terminated(run_id)
    version = str(
        client.create_model_version(
            MODEL_NAME, source=model_uri, run_id=run_id, model_id=model_uri.rpartition("/")[2], tags=tags
        ).version
    )
    try:
        client.set_registered_model_alias(MODEL_NAME, CHALLENGER, version)
    except BaseException:
        _take_back(client, version)
        raise
    return version


def _take_back(client: "MlflowClient", version: str) -> None:
    from mlflow.exceptions import MlflowException

    with contextlib.suppress(MlflowException):
        client.delete_model_version(MODEL_NAME, version)


def _create_registered_model(client: "MlflowClient") -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(MODEL_NAME, description=MODEL_DESCRIPTION)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _download(version: str, scratch: Path, place: StorePlace) -> Path:
    import mlflow

    with connect(place) as client:
        _check_version(client, version, place)
        return Path(
            mlflow.artifacts.download_artifacts(
                artifact_uri=f"models:/{MODEL_NAME}/{version}/artifacts/{MODEL_DIRECTORY}",
                dst_path=str(scratch),
                tracking_uri=place.tracking_uri,
                registry_uri=place.tracking_uri,
            )
        )


def _check_version(client: "MlflowClient", version: str, place: StorePlace) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.get_model_version(MODEL_NAME, version)
    except MlflowException as error:
        if error.error_code not in UNKNOWN_CODES:
            raise
        raise InputError(
            f"there is no version {version!r} of {MODEL_NAME} in the registry at {shown(place.tracking_uri)}"
        ) from error


def _is_same_model(folder: Path, fetched: LoadedModel) -> bool:
    """Tell whether a folder already holds this model, sound; a damaged one is replaced."""
    try:
        return folder.is_dir() and load_model(folder).manifest == fetched.manifest
    except InputError:
        return False
