"""Contract 2: the model directory. Decides what is written and what is refused at loading; no pickle.

Text and JSON only. Loading verifies every hash, parses strictly and recomputes the golden rows, so that what
scores is what was evaluated. How a model was trained is not known here, nor how it scores (loaded_model.py).
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from features.definitions import FeatureSet
from features.errors import InputError
from features.files import draft_of
from training.calibration import Calibration
from training.loaded_model import FamilyReason, LoadedModel, Prediction, assemble
from training.manifest import Manifest, ModelCardFacts, seal
from training.strict_json import read_json_object, write_json
from training.trees import TreeEnsemble, parse_model_text

__all__ = [
    "FamilyReason",
    "GoldenRows",
    "LoadedModel",
    "Manifest",
    "ModelCardFacts",
    "Prediction",
    "load_model",
    "read_manifest",
    "read_reference",
    "stamp_version",
    "write_model_directory",
]

FloatArray = npt.NDArray[np.float64]

MAX_GOLDEN_ROWS = 16
MAX_FILE_BYTES = 256 * 1024 * 1024
GOLDEN_PROBABILITY_TOLERANCE = 1e-12
GOLDEN_POINTS_TOLERANCE = 1e-9

_MANIFEST, _FEATURES, _MODEL = "manifest.json", "features.json", "model.txt"
_CALIBRATION, _CARD, _GOLDEN = "calibration.json", "card.md", "golden.json"
_REFERENCE = "reference.json"
_SEALED = (_CALIBRATION, _CARD, _FEATURES, _GOLDEN, _MODEL)
_OPTIONAL = frozenset({_REFERENCE})
"""Files that a directory may have: those of an earlier version, or of a history without times, have not."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GoldenRows:
    """1 to 16 rows a model must reproduce: ``matrix`` (n, n_features) finite or NaN, ``probability`` (n,)."""

    matrix: FloatArray
    probability: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryProblem:
    """One rule that a file of a model directory breaks."""

    file: str
    rule: str
    value: str

    def text(self) -> str:
        """Return one line naming file, rule and value."""
        return f"{self.file}: {self.rule}; got {self.value}"


def write_model_directory(
    folder: Path,
    *,
    facts: ModelCardFacts,
    feature_set: FeatureSet,
    model_text: str,
    calibration: Calibration,
    card_markdown: str,
    golden: GoldenRows,
    reference: Mapping[str, object] | None = None,
) -> Manifest:
    """Write a complete, unregistered model directory; it appears at once and only after loading it succeeded.

    Parameters
    ----------
    folder : where it shall be; must not exist yet, its parents are made.
    golden : 1 to 16 rows of the evaluated model, NaN where missing.
    reference : what monitoring compares with later, as `training.monitoring.reference` writes it.
    """
    if folder.exists():
        raise InputError(f"model directory: must not exist yet; got {folder}")
    files = {
        _FEATURES: write_json(feature_set.to_dict()),
        _MODEL: model_text.encode(),
        _CALIBRATION: write_json(calibration.to_dict()),
        _CARD: card_markdown.encode(),
        _GOLDEN: write_json(_golden_to_dict(golden)),
        **({} if reference is None else {_REFERENCE: write_json(reference)}),
    }
    manifest = seal(
        facts, feature_set_hash=feature_set.hash, files=files, golden_rows=golden.probability.size
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.part"
    try:
        part.mkdir()
        for name, data in {**files, _MANIFEST: write_json(manifest.to_dict())}.items():
            _write_durably(part / name, data)
        load_model(part)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    _sync_folder(folder.parent)
    return manifest


def stamp_version(folder: Path, version: str) -> Manifest:
    """Rewrite manifest.json, atomically, with the registry's version; nothing else changes."""
    manifest = replace(read_manifest(folder), version=version)
    # Beside the folder, not in it: a draft left by a kill would be an extra file, which loading refuses.
    with draft_of(folder.with_name(f"{folder.name}.{_MANIFEST}")) as draft:
        _write_durably(draft, write_json(manifest.to_dict()))
        draft.replace(folder / _MANIFEST)
    _sync_folder(folder)
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Read and check manifest.json alone: what a list of models shows. Scoring needs :func:`load_model`."""
    return Manifest.from_dict(read_json_object(_read_file(folder, _MANIFEST), source=_MANIFEST))


def read_reference(folder: Path) -> dict[str, object] | None:
    """Return what a verified directory freezes for monitoring; None when it has no such file."""
    if not (folder / _REFERENCE).exists():
        return None
    return read_json_object(_read_file(folder, _REFERENCE), source=_REFERENCE)


def load_model(folder: Path) -> LoadedModel:
    """Verify and load a model directory; InputError names the file and the rule it breaks.

    Refused: a missing, extra or changed file, a broken seal, anything the strict readers refuse, a model that
    does not fit its features, golden rows that are not reproduced to 1e-12.
    """
    if not folder.is_dir():
        raise InputError(f"model directory: must be a folder; got {folder}")
    manifest = read_manifest(folder)
    files = _read_sealed_files(folder, manifest)
    feature_set = _read_feature_set(files[_FEATURES], manifest)
    model = assemble(
        manifest,
        feature_set,
        parse_model_text(_text(files[_MODEL], _MODEL)),
        Calibration.from_dict(read_json_object(files[_CALIBRATION], source=_CALIBRATION)),
    )
    problems = [*_misfits(feature_set, model.ensemble)]
    if problems:
        raise InputError(problems[0].text(), problems)
    _text(files[_CARD], _CARD)
    _check_golden(model, _read_golden(files[_GOLDEN], model))
    return model


def _read_sealed_files(folder: Path, manifest: Manifest) -> dict[str, bytes]:
    problems = [*_unexpected_names(folder, manifest)]
    files = {} if problems else {name: _read_file(folder, name) for name, _ in manifest.files}
    for name, expected in manifest.files:
        actual = hashlib.sha256(files.get(name, b"")).hexdigest()
        if files and actual != expected:
            problems.append(DirectoryProblem(file=name, rule=f"SHA-256 must be {expected}", value=actual))
    if problems:
        raise InputError(f"model directory {folder}: {problems[0].text()}", problems)
    return files


def _unexpected_names(folder: Path, manifest: Manifest) -> Iterator[DirectoryProblem]:
    named = {name for name, _ in manifest.files}
    if named - _OPTIONAL != set(_SEALED):
        yield DirectoryProblem(
            file=_MANIFEST, rule=f"files must be {sorted(_SEALED)}", value=str(sorted(named))
        )
    found = {entry.name for entry in folder.iterdir()}
    for name in sorted(found ^ {*_SEALED, *(named & _OPTIONAL), _MANIFEST}):
        rule, value = ("must not be there", "a file") if name in found else ("must be there", "nothing")
        yield DirectoryProblem(file=name, rule=rule, value=value)


def _read_file(folder: Path, name: str) -> bytes:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise InputError(f"model directory {folder}: {name} must be a plain file")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise InputError(f"model directory {folder}: {name} must not exceed {MAX_FILE_BYTES} bytes")
    return path.read_bytes()


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: must be UTF-8 text; {error}") from error


def _read_feature_set(data: bytes, manifest: Manifest) -> FeatureSet:
    plain = read_json_object(data, source=_FEATURES)
    try:
        feature_set = FeatureSet.from_dict(plain)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise InputError(f"{_FEATURES}: must hold a feature set; {error!r}") from error
    if feature_set.hash != manifest.feature_set_hash:
        raise InputError(
            f"{_FEATURES}: the feature set's hash must be {manifest.feature_set_hash}; got {feature_set.hash}"
        )
    return feature_set


def _misfits(feature_set: FeatureSet, ensemble: TreeEnsemble) -> Iterator[DirectoryProblem]:
    """Yield where trees and features disagree: number, order, kind of split, levels."""
    names, given = feature_set.names, ensemble.feature_names
    if len(names) != len(given):
        rule = f"must have the {len(names)} features of {_FEATURES}"
        yield DirectoryProblem(file=_MODEL, rule=rule, value=str(len(given)))
        return
    if set(names) == set(given) and names != given:
        yield DirectoryProblem(
            file=_MODEL, rule=f"features must be in the order of {_FEATURES}", value=str(given)
        )
    coded = set(feature_set.categorical_indices)
    wrong = (ensemble.split_features(categorical=True) - coded) | (
        ensemble.split_features(categorical=False) & coded
    )
    for index in sorted(wrong):
        rule = f"feature {names[index]!r} must be split as {'a category' if index in coded else 'a number'}"
        yield DirectoryProblem(file=_MODEL, rule=rule, value="the other kind of split")
    for index in sorted(coded):
        n_levels, highest = len(feature_set.features[index].levels), ensemble.highest_category(index)
        if highest > n_levels:
            rule = f"category codes of feature {names[index]!r} must be at most {n_levels}"
            yield DirectoryProblem(file=_MODEL, rule=rule, value=str(highest))


def _golden_to_dict(golden: GoldenRows) -> dict[str, object]:
    matrix, probability = golden.matrix, golden.probability
    if matrix.ndim != 2 or probability.shape != matrix.shape[:1] or not 1 <= len(matrix) <= MAX_GOLDEN_ROWS:
        raise InputError(
            f"golden rows: must be 1 to {MAX_GOLDEN_ROWS} rows with a probability each; "
            f"got {matrix.shape} and {probability.shape}"
        )
    if np.isinf(matrix).any():
        raise InputError("golden rows: values must be finite or NaN; got an infinite one")
    rows = [[None if np.isnan(value) else value for value in row] for row in matrix.tolist()]
    return {"matrix": rows, "probability": probability.tolist()}


def _read_golden(data: bytes, model: LoadedModel) -> GoldenRows:
    plain: Mapping[str, Any] = read_json_object(data, source=_GOLDEN)
    try:
        matrix = np.array(plain["matrix"], dtype=np.float64)  # null becomes NaN
        probability = np.array(plain["probability"], dtype=np.float64)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{_GOLDEN}: must hold matrix and probability; {error!r}") from error
    n_rows = model.manifest.golden_rows
    if matrix.shape != (n_rows, len(model.feature_set.names)) or probability.shape != (n_rows,):
        raise InputError(
            f"{_GOLDEN}: must hold {n_rows} rows of {len(model.feature_set.names)} features and their "
            f"probabilities; got {matrix.shape} and {probability.shape}"
        )
    return GoldenRows(matrix=matrix, probability=probability)


def _check_golden(model: LoadedModel, golden: GoldenRows) -> None:
    prediction = model.predict(golden.matrix)
    error = np.abs(prediction.probability - golden.probability).max()
    if not error <= GOLDEN_PROBABILITY_TOLERANCE:
        raise InputError(
            f"{_GOLDEN}: probabilities must be reproduced to {GOLDEN_PROBABILITY_TOLERANCE}; got {error} off"
        )
    explained = model.base_points + model.explain(golden.matrix).sum(axis=1)
    error = np.abs(explained - prediction.points).max()
    if not error <= GOLDEN_POINTS_TOLERANCE:
        raise InputError(
            f"{_GOLDEN}: contributions must add up to points to {GOLDEN_POINTS_TOLERANCE}; got {error} off"
        )


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
