"""How MLflow is opened, quietly: which store, which errors, no telemetry. registry.py keeps things in it.

Nothing global is left changed: the tracking URI is set for the calls that need it and put back.
"""

import contextlib
import errno
import importlib
import logging
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from features.workspace import Workspace
from training.errors import RegistryError

if TYPE_CHECKING:
    from mlflow import MlflowClient

HTTP_RETRIES, HTTP_TIMEOUT_SECONDS = "2", "20"
CHATTY_LOGGERS = (
    ("mlflow", logging.WARNING),
    ("mlflow.store.db.utils", logging.CRITICAL),  # a traceback for what becomes our own error
    ("alembic", logging.WARNING),
    ("urllib3.connectionpool", logging.ERROR),  # every retry; the last failure is our own error
)
MLFLOW_WARNINGS = (
    ("The ``noload`` loader strategy is deprecated", DeprecationWarning),
    ("Operation with range is deprecated", DeprecationWarning),
    (r".*Any type hint is inferred as AnyType", UserWarning),
)
"""What MLflow 3.17 provokes in SQLAlchemy 2.1, in pandas 3.1 and in itself; remove each when MLflow has."""

DISK_WORDS = (
    *("database or disk is full", "disk I/O error"),
    *(os.strerror(number) for number in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)),
)
"""How SQLite and the system say that a disk takes no more."""

MLFLOW_DEFAULT_PLACES = frozenset({"mlflow.db", "mlruns"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePlace:
    """Where runs and models are kept. ``artifact_root`` is None when a server decides that."""

    tracking_uri: str
    artifact_root: Path | None


def choose_store(workspace: Workspace, tracking_uri: str | None, *, under_mlflow_run: bool) -> StorePlace:
    """Return the store to use: the configured one, else the workspace's own SQLite store.

    `mlflow run` always hands its child a tracking URI. When the user set none it is MLflow's default, a file
    mlflow.db (or a folder mlruns) where the user happened to stand; a model registered there would be lost to
    `leadpact promote`. So under `mlflow run` such a local default counts as "not configured".
    """
    own = _own_file(workspace)
    place = StorePlace(tracking_uri=f"sqlite:///{own}", artifact_root=workspace.mlflow_dir / "artifacts")
    if tracking_uri is None or _is_own(workspace, tracking_uri):
        return place
    if under_mlflow_run and is_mlflow_default(workspace, tracking_uri):
        return place
    return StorePlace(tracking_uri=tracking_uri, artifact_root=None)


def is_mlflow_default(workspace: Workspace, tracking_uri: str) -> bool:
    """Tell whether a tracking URI looks like what MLflow takes when nobody chose one."""
    path = _local_file(tracking_uri)
    is_default = path is not None and path.name in MLFLOW_DEFAULT_PLACES
    return is_default and not _is_own(workspace, tracking_uri)


def _own_file(workspace: Workspace) -> Path:
    return workspace.mlflow_dir / "mlflow.db"


def _is_own(workspace: Workspace, tracking_uri: str) -> bool:
    path = _local_file(tracking_uri)
    return path is not None and path.resolve() == _own_file(workspace).resolve()


@contextlib.contextmanager
def connect(place: StorePlace) -> "Iterator[MlflowClient]":
    """Open the store; whatever MLflow and its database raise becomes a RegistryError that names the store."""
    with _quiet():
        mlflow: Any = importlib.import_module("mlflow")
        from mlflow.exceptions import MlflowException
        from requests.exceptions import RequestException
        from sqlalchemy.exc import SQLAlchemyError

        _tame(mlflow)
        try:
            _create_store(place)
            with _fluent_store(mlflow, place.tracking_uri):
                yield mlflow.MlflowClient(tracking_uri=place.tracking_uri, registry_uri=place.tracking_uri)
        except (MlflowException, RequestException, SQLAlchemyError, OSError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            uri, advice = place.tracking_uri, _advice(error)
            raise RegistryError(
                f"MLflow at {shown(uri)} failed: {_without_login(reason, uri)}{advice}"
            ) from error


def _advice(error: Exception) -> str:
    """Return what to do about a disk that takes no more."""
    refused = any(words in str(error) for words in DISK_WORDS)
    return "; is the disk full? nothing was registered or promoted" if refused else ""


def _create_store(place: StorePlace) -> None:
    """Create the workspace's store if there is none: then even the Default experiment stays inside."""
    if place.artifact_root is None or place.artifact_root.is_dir():
        return
    stores: Any = importlib.import_module("mlflow.store.tracking.sqlalchemy_store")
    place.artifact_root.mkdir(parents=True)
    stores.SqlAlchemyStore(place.tracking_uri, place.artifact_root.as_uri())


def shown(tracking_uri: str) -> str:
    """Return a tracking URI without the user name and password it may hold."""
    return _without_login(tracking_uri, tracking_uri)


def _without_login(text: str, tracking_uri: str) -> str:
    login, at, _ = urlparse(tracking_uri).netloc.rpartition("@")
    return text.replace(login + at, "") if at else text


def _tame(mlflow: Any) -> None:
    """No telemetry, no progress bars, no chatter; a dead server is noticed in seconds, not in minutes."""
    variables = mlflow.environment_variables
    variables.MLFLOW_DISABLE_TELEMETRY.set("true")
    variables.MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR.set("false")
    mlflow.telemetry.set_telemetry_client()
    for name, level in CHATTY_LOGGERS:
        logging.getLogger(name).setLevel(level)
    for variable, value in (
        (variables.MLFLOW_HTTP_REQUEST_MAX_RETRIES, HTTP_RETRIES),
        (variables.MLFLOW_HTTP_REQUEST_TIMEOUT, HTTP_TIMEOUT_SECONDS),
    ):
        if not variable.is_set():
            variable.set(value)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence what MLflow itself provokes in newer libraries, and nothing else."""
    with warnings.catch_warnings():
        for message, category in MLFLOW_WARNINGS:
            warnings.filterwarnings("ignore", message=message, category=category)
        yield


@contextlib.contextmanager
def _fluent_store(mlflow: Any, uri: str) -> Iterator[None]:
    """Point MLflow's own functions at a store, and put back what they pointed at, environment included.

    Even the client needs it: a model version looks its logged model up in the global store.
    """
    variable = mlflow.environment_variables.MLFLOW_TRACKING_URI
    before, was_set = variable.get_raw(), variable.is_set()
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(None)
        if was_set:
            variable.set(before)


def _local_file(tracking_uri: str) -> Path | None:
    parts = urlparse(tracking_uri)
    if parts.scheme not in {"", "file", "sqlite"}:
        return None
    path = unquote(parts.path)
    return Path(path.removeprefix("/") if parts.scheme == "sqlite" else path)
