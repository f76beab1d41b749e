"""The model directory: what was evaluated is what scores, and nothing else is loaded."""

import dataclasses
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest

from features.definitions import FeatureSet
from features.errors import InputError
from tests.builders_models import (
    ANY_CALIBRATION,
    golden_rows,
    labels_for,
    random_matrix,
    small_facts,
    small_feature_set,
    small_model_text,
    train_booster,
    write_small_model,
)
from training.artifact import GoldenRows, load_model, read_manifest, stamp_version, write_model_directory
from training.manifest import Manifest
from training.points import log_odds_to_points, log_odds_to_probability
from training.strict_json import read_json_object, write_json

FILES = ("calibration.json", "card.md", "features.json", "golden.json", "manifest.json", "model.txt")
PROJECT_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a sound model directory."""
    write_small_model(tmp_path / "model")
    return tmp_path / "model"


def _reseal(folder: Path, **changes: object) -> None:
    """Write a manifest that fits the files as they are now, as somebody with all the knowledge would."""
    manifest = read_manifest(folder)
    files = tuple(
        (name, hashlib.sha256((folder / name).read_bytes()).hexdigest()) for name, _ in manifest.files
    )
    resealed = dataclasses.replace(manifest, files=files, **changes)  # type: ignore[arg-type]
    (folder / "manifest.json").write_bytes(write_json(resealed.to_dict()))


def _edit(path: Path, **changes: object) -> None:
    fields = read_json_object(path.read_bytes(), source=path.name)
    path.write_bytes(write_json({**fields, **changes}))


def test_scores_equal_lightgbm_and_the_formula(folder: Path) -> None:
    """Probability, points and contributions are LightGBM's, moved by the calibration line."""
    model, matrix = load_model(folder), random_matrix(40, seed=9)
    booster = lightgbm.Booster(model_str=(folder / "model.txt").read_text())
    log_odds = 0.8 * np.asarray(booster.predict(matrix, raw_score=True)) - 0.3
    prediction = model.predict(matrix)
    np.testing.assert_allclose(prediction.probability, log_odds_to_probability(log_odds), rtol=0, atol=1e-15)
    np.testing.assert_allclose(prediction.points, log_odds_to_points(log_odds), rtol=0, atol=1e-12)
    assert (prediction.low <= prediction.probability).all()
    assert (prediction.probability <= prediction.high).all()
    shap = np.asarray(booster.predict(matrix, pred_contrib=True))[:, :-1]
    np.testing.assert_allclose(model.explain(matrix), shap * 0.8 * 5 / np.log(2), rtol=0, atol=1e-9)


def test_contributions_and_reasons_add_up_to_the_points(folder: Path) -> None:
    """base_points plus all features, or plus all families, is the points, to 1e-9; the loudest come first."""
    model, matrix = load_model(folder), random_matrix(40, seed=9)
    points = model.predict(matrix).points
    contributions = model.explain(matrix)
    np.testing.assert_allclose(model.base_points + contributions.sum(axis=1), points, rtol=0, atol=1e-9)
    for row, shares, expected in zip(matrix, contributions, points, strict=True):
        reasons = model.reasons(row)
        loudness = [abs(reason.points) for reason in reasons]
        assert model.base_points + sum(reason.points for reason in reasons) == pytest.approx(
            expected, abs=1e-9
        )
        assert loudness == sorted(loudness, reverse=True)
        shared = {reason.family: reason for reason in reasons}.get("attribute:employees")
        assert shared is None or shared.points == pytest.approx(shares[0] + shares[1], abs=1e-12)
        assert shared is None or shared.feature_index == int(abs(shares[1]) > abs(shares[0]))


def test_reading_back_gives_what_was_written(folder: Path) -> None:
    """Manifest, features and calibration survive; writing twice gives the same bytes."""
    model = load_model(folder)
    assert (model.feature_set, model.calibration) == (small_feature_set(), ANY_CALIBRATION)
    assert model.manifest == Manifest.from_dict(model.manifest.to_dict()) == read_manifest(folder)
    write_small_model(folder.parent / "again")
    for name in FILES:
        assert (folder / name).read_bytes() == (folder.parent / "again" / name).read_bytes()


def test_a_version_is_stamped_without_breaking_the_seal(folder: Path) -> None:
    """Registering changes the version only; the identity of the model stays."""
    before = load_model(folder).manifest
    assert stamp_version(folder, "7").version == "7"
    after = load_model(folder).manifest
    assert after == dataclasses.replace(before, version="7")
    assert after.manifest_hash == before.manifest_hash
    assert sorted(path.name for path in folder.parent.iterdir()) == ["model"]
    with pytest.raises(InputError, match="version: must match"):
        stamp_version(folder, "../7")


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_is_refused(folder: Path, name: str) -> None:
    """Whichever file, wherever the byte."""
    data = (folder / name).read_bytes()
    for place in np.linspace(0, len(data) - 1, 12).astype(int):
        (folder / name).write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(InputError, match=name.replace(".", r"\.")):
            load_model(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_or_linked_file_is_refused(folder: Path, name: str) -> None:
    """Six plain files, no less, and none from elsewhere."""
    elsewhere = folder.parent / "elsewhere"
    (folder / name).rename(elsewhere)
    with pytest.raises(InputError, match=name):
        load_model(folder)
    (folder / name).symlink_to(elsewhere)
    with pytest.raises(InputError, match="must be a plain file"):
        load_model(folder)


def test_an_extra_file_is_refused(folder: Path) -> None:
    """Nothing rides along."""
    (folder / "model.pkl").write_bytes(b"")
    with pytest.raises(InputError, match=r"model\.pkl: must not be there"):
        load_model(folder)


def test_no_folder_is_refused(tmp_path: Path) -> None:
    """A wrong path is wrong input."""
    with pytest.raises(InputError, match="must be a folder"):
        load_model(tmp_path / "nothing")


@pytest.mark.parametrize("key", sorted(json.loads(write_json(dict.fromkeys(Manifest.__dataclass_fields__)))))
def test_every_key_of_the_manifest_is_sealed(folder: Path, key: str) -> None:
    """Another value, another type and no value are refused for every key; only the version may change."""
    fields = json.loads((folder / "manifest.json").read_text())
    other: dict[type, object] = {str: "1" * 64, int: 3, dict: {}, type(None): "2020-01-01"}
    for changed in ({**fields, key: other[type(fields[key])]}, {**fields, key: [1]}, {**fields, key: 1.5}):
        (folder / "manifest.json").write_bytes(write_json(changed))
        if key == "version" and changed[key] == "1" * 64:
            assert load_model(folder).manifest.version == "1" * 64
        else:
            with pytest.raises(InputError, match=r"manifest\.json"):
                load_model(folder)
    del fields[key]
    (folder / "manifest.json").write_bytes(write_json(fields))
    with pytest.raises(InputError, match=rf"must hold exactly the keys.*{key}"):
        load_model(folder)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        pytest.param({"horizon_days": 0}, "horizon_days: must be 1 to", id="horizon"),
        pytest.param({"split": "random"}, "split: must be one of", id="split"),
        pytest.param({"evidence": "magic"}, "evidence: must be one of", id="evidence"),
        pytest.param({"created_at": "yesterday"}, "created_at: must be an ISO-8601 time", id="created"),
        pytest.param({"metrics": (("auc", float("nan")),)}, "metrics: must be finite", id="metric-nan"),
        pytest.param({"name": "Lead Conversion"}, "name: must match", id="name"),
        pytest.param({"golden_rows": 0}, "golden_rows: must be at least 1", id="golden"),
    ],
)
def test_meaningless_facts_are_refused(folder: Path, changes: dict[str, Any], rule: str) -> None:
    """A manifest cannot even be built with them."""
    with pytest.raises(InputError, match=rule):
        dataclasses.replace(read_manifest(folder), **changes)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        pytest.param(b'{"name": 1, "name": 2}', "key 'name' occurs twice", id="duplicate-key"),
        pytest.param(b'{"name": NaN}', "NaN is not a JSON number", id="nan"),
        pytest.param(b'{"name": 1e999}', "too large", id="infinite"),
        pytest.param(b'{"name": ' + b"9" * 5000 + b"}", "too long", id="long-integer"),
        pytest.param(b"[" * 100_000, "strict JSON", id="deep"),
        pytest.param(b"\xff", "strict JSON", id="not-utf8"),
        pytest.param(b"[]", "must hold one JSON object", id="not-an-object"),
    ],
)
def test_loose_json_is_refused(folder: Path, data: bytes, rule: str) -> None:
    """Only one reading of a file is possible."""
    (folder / "manifest.json").write_bytes(data)
    with pytest.raises(InputError, match=rule):
        load_model(folder)


def test_a_resealed_forgery_must_still_reproduce_the_golden_rows(folder: Path) -> None:
    """With all hashes made to fit, a moved calibration or leaf is still found out."""
    _edit(folder / "calibration.json", intercept=-0.300001)
    _reseal(folder)
    with pytest.raises(InputError, match=r"golden\.json: probabilities must be reproduced"):
        load_model(folder)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        pytest.param({"probability": [0.5]}, "must hold 8 rows of 4 features", id="one-probability"),
        pytest.param({"probability": ["x"] * 8}, "must hold matrix and probability", id="text"),
        pytest.param({"probability": [None] * 8}, "must be reproduced", id="null-probability"),
        pytest.param({"matrix": [[1.0]]}, "must hold 8 rows of 4 features", id="one-value"),
        pytest.param({"matrix": [[1.0], [1.0, 2.0]]}, "must hold matrix and probability", id="ragged"),
    ],
)
def test_broken_golden_rows_are_refused(folder: Path, changes: dict[str, object], rule: str) -> None:
    """Golden rows that prove nothing are no golden rows."""
    _edit(folder / "golden.json", **changes)
    _reseal(folder)
    with pytest.raises(InputError, match=rule):
        load_model(folder)


@pytest.mark.parametrize("change", [{"features": 1}, {"features": [1]}, {"timezone": None}, {"features": []}])
def test_broken_features_are_refused(folder: Path, change: dict[str, object]) -> None:
    """Wrong types inside features.json are wrong input, not a crash."""
    _edit(folder / "features.json", **change)
    _reseal(folder)
    with pytest.raises(InputError, match=r"feature|timezone"):
        load_model(folder)


def _write(folder: Path, *, feature_set: FeatureSet | None = None, text: str = "", **golden: Any) -> None:
    text = text or small_model_text()
    write_model_directory(
        folder,
        facts=small_facts(),
        feature_set=feature_set or small_feature_set(),
        model_text=text,
        calibration=ANY_CALIBRATION,
        card_markdown="",
        golden=GoldenRows(**golden) if golden else golden_rows(text, ANY_CALIBRATION, random_matrix(3)),
    )


def _with_levels(n_levels: int) -> FeatureSet:
    features = small_feature_set().features
    shorter = dataclasses.replace(features[3], levels=features[3].levels[:n_levels])
    return dataclasses.replace(small_feature_set(), features=(*features[:3], shorter))


def _text_with_number_for_industry() -> str:
    matrix = random_matrix()
    return str(train_booster(matrix, labels_for(matrix)).model_to_string())


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        pytest.param(
            {
                "feature_set": dataclasses.replace(
                    small_feature_set(), features=small_feature_set().features[:3]
                )
            },
            "must have the 3 features",
            id="number-of-features",
        ),
        pytest.param({"feature_set": _with_levels(0)}, "'industry' must be at most 0; got", id="levels"),
        pytest.param(
            {"text": _text_with_number_for_industry()}, "must be split as a category", id="kind-of-split"
        ),
        pytest.param(
            {"text": "tree\n", "matrix": random_matrix(2), "probability": np.full(2, 0.5)},
            "the header is refused",
            id="text",
        ),
        pytest.param(
            {"matrix": random_matrix(2), "probability": np.full(2, 0.5)},
            "must be reproduced",
            id="golden-wrong",
        ),
        pytest.param(
            {"matrix": random_matrix(17), "probability": np.full(17, 0.5)}, "1 to 16 rows", id="golden-many"
        ),
        pytest.param(
            {"matrix": np.full((1, 4), np.inf), "probability": np.full(1, 0.5)},
            "finite or NaN",
            id="golden-infinite",
        ),
    ],
)
def test_what_does_not_fit_is_not_written(tmp_path: Path, wrong: dict[str, Any], rule: str) -> None:
    """Writing ends with loading: a directory that would be refused never appears, and no part of it stays."""
    with pytest.raises(InputError, match=rule):
        _write(tmp_path / "models" / "one", **wrong)
    assert not (tmp_path / "models").exists() or list((tmp_path / "models").iterdir()) == []


def test_an_existing_directory_is_never_overwritten(folder: Path) -> None:
    """A model directory is written once."""
    with pytest.raises(InputError, match="must not exist yet"):
        write_small_model(folder)


def test_loading_needs_no_training_library(folder: Path) -> None:
    """The service loads and scores without lightgbm, pandas, scikit-learn or mlflow.

    numba itself imports ``scipy`` and ``scipy.linalg`` where they are installed, so others are asked for.
    """
    program = f"""
import sys
from pathlib import Path
from training.artifact import load_model
import numpy
model = load_model(Path({str(folder)!r}))
model.predict(numpy.zeros((1, 4))), model.reasons(numpy.zeros(4))
packages = {{"lightgbm", "pandas", "sklearn", "mlflow", "matplotlib", "pyarrow"}}
parts = {{"scipy.optimize", "scipy.sparse", "scipy.special", "scipy.stats"}}
heavy = (packages | parts) & set(sys.modules)
print(sorted(heavy))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
