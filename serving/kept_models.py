"""The model directories of `models/` by the hash of their content: what made a score of the past.

Decides what is found and what is said when it is not; nothing is fetched, and nothing in service is touched.
"""

import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from features.errors import InputError, LeadPactError
from serving.champion import Champion, ChampionPointer, load_champion
from training.artifact import read_manifest

MOST_LOADED = 4


class ModelGoneError(LeadPactError):
    """No directory holds the model any more that made a score."""


class KeptModels:
    """Loads a model by its hash and keeps the last few; safe to share between threads."""

    def __init__(self, models_dir: Path) -> None:
        self._models_dir = models_dir
        self._loading = threading.Lock()
        self._load = lru_cache(maxsize=MOST_LOADED)(self._load_now)

    def model(self, model_hash: str, version: str) -> Champion:
        """Return a verified model; `ModelGoneError` when no directory holds it, or only a damaged one."""
        with self._loading:
            return self._load(model_hash, version)

    def _load_now(self, model_hash: str, version: str) -> Champion:
        for folder in _folders(self._models_dir):
            if _hash_of(folder) == model_hash:
                return load_champion(self._models_dir, ChampionPointer(version=version, folder=folder.name))
        raise ModelGoneError(
            f"the directory of model version {version} (manifest hash {model_hash[:16]}…) is not in "
            f"{self._models_dir} any more: put it back there from a backup or from MLflow's artifacts"
        )


def _folders(models_dir: Path) -> Iterator[Path]:
    if models_dir.is_dir():
        yield from sorted(each for each in models_dir.iterdir() if each.is_dir() and each.name[0] != ".")


def _hash_of(folder: Path) -> str | None:
    """Return the hash a directory says it has; whether it is so is checked when it is loaded."""
    try:
        return read_manifest(folder).manifest_hash
    except (InputError, OSError):
        return None
