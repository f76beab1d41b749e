"""A workspace to measure in: a model of 300 trees with 31 leaves over 60 features, a signed policy, a key.

The model is trained on made-up requests through the features of the service, so its trees split as trees do.
"""

import json
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt

from experiments.benchmarks.measure import run_quietly
from features.catalogue import activity_features, attribute_feature, lead_age_feature, with_unique_names
from features.crm import CrmSettings
from features.definitions import Feature, FeatureKind, FeatureSet
from features.online import OnlineFeatures
from features.times import EPOCH
from training.artifact import GoldenRows, ModelCardFacts, write_model_directory
from training.calibration import Calibration, CalibrationKind
from training.champion import Champion, write_champion
from training.points import log_odds_to_probability

FloatArray = npt.NDArray[np.float64]

N_TREES, N_LEAVES, N_FEATURES = 300, 31, 60
N_ATTRIBUTES, N_ACTIVITIES = 25, 30
N_TRAINING_ROWS = 4_000
AS_OF = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KINDS = ("page_view", "pricing_view", "email_click", "webinar")
CHANNELS = ("web", "email", "paid")
LEVELS = tuple(f"level {number}" for number in range(12))
CRM = CrmSettings(name="benchmark", timezone="Europe/Berlin")
ONE_THREAD = ("env", "OMP_NUM_THREADS=1")
"""No library takes a second core."""

SCOPES = ("score", "read", "ingest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where everything is, and the key of the service."""

    root: Path
    key: str

    @property
    def model(self) -> Path:
        """The model directory."""
        return self.root / "models" / "version-1"


def attribute_kinds() -> Mapping[str, FeatureKind]:
    """Return the 25 attributes of a lead: numbers, texts, yes or no."""
    kinds = (FeatureKind.ATTRIBUTE_NUMBER, FeatureKind.ATTRIBUTE_CATEGORY, FeatureKind.ATTRIBUTE_BOOLEAN)
    return {f"attribute_{place}": kinds[place % 5 % 3] for place in range(N_ATTRIBUTES)}


def feature_set() -> FeatureSet:
    """Return 60 features: every attribute, the lead's age, and what the activities give."""
    own: list[Feature] = [
        attribute_feature(kind, name, CRM, LEVELS if kind is FeatureKind.ATTRIBUTE_CATEGORY else ())
        for name, kind in attribute_kinds().items()
    ]
    features = [*own, lead_age_feature(), *activity_features(KINDS, CRM, channels=CHANNELS, has_assets=True)]
    return FeatureSet(
        features=with_unique_names(iter(features[:N_FEATURES])),
        timezone="Europe/Berlin",
        activity_kinds=KINDS,
        channels=CHANNELS,
    )


def request_body(seed: int) -> dict[str, Any]:
    """Return one request: a lead with 25 attributes and 30 activities."""
    chance = random.Random(seed)
    lead = {"lead_id": f"L{seed}", "created_at": _ago(chance, 200)}
    return {
        "lead": lead | {name: value_of(chance, kind) for name, kind in attribute_kinds().items()},
        "activities": [activity(chance, f"A{seed}-{place}") for place in range(N_ACTIVITIES)],
        "as_of": AS_OF.isoformat(),
    }


def activity(chance: random.Random, activity_id: str) -> dict[str, Any]:
    """Return something a lead did."""
    return {
        "activity_id": activity_id,
        "occurred_at": _ago(chance, 120),
        "kind": chance.choice(KINDS),
        "asset": chance.choice(["/pricing", "/docs", "/blog", "/start"]),
        "channel": chance.choice(CHANNELS),
    }


def prepare(root: Path) -> Place:
    """Make the workspace, with a policy that both sides have signed, through the command line."""
    _write_model(root / "models")
    policy = root / "policy.toml"
    policy.write_text(
        (resources.files("sla") / "templates" / "first_policy.toml").read_text("utf-8"), "utf-8"
    )
    leadpact(root, "policy", "propose", str(policy), "--by", "Maria Sommer")
    for side, person in (("marketing", "Maria Sommer"), ("sales", "Jonas Weber")):
        leadpact(root, "policy", "sign", "--side", side, "--by", person)
    scopes = [part for scope in SCOPES for part in ("--scope", scope)]
    made = leadpact(root, "key", "create", "--name", "benchmark", "--json", *scopes)
    return Place(root=root, key=json.loads(made)["key"])


def leadpact(root: Path, *arguments: str) -> str:
    """Run one command over the workspace and return what it printed."""
    command = [*ONE_THREAD, sys.executable, "-m", "serving", *arguments, "--workspace", str(root)]
    return run_quietly(command)


def _write_model(models: Path) -> None:
    chosen = feature_set()
    online, as_of_us = OnlineFeatures(chosen), (AS_OF - EPOCH) // timedelta(microseconds=1)
    bodies = map(request_body, range(N_TRAINING_ROWS))
    matrix = np.vstack([online.row(body["lead"], body["activities"], as_of_us).values for body in bodies])
    text = _train(matrix, chosen).model_to_string()
    calibration = Calibration(
        kind=CalibrationKind.SIGMOID,
        slope=0.8,
        intercept=-0.3,
        venn_abers_margin=(-1.0, 0.0, 1.0),
        low=(0.1, 0.2, 0.4),
        high=(0.3, 0.5, 0.8),
    )
    write_model_directory(
        models / "version-1",
        facts=_facts(),
        feature_set=chosen,
        model_text=text,
        calibration=calibration,
        card_markdown="# A model to measure with\n",
        golden=_golden(text, calibration, matrix[:8]),
    )
    write_champion(models, Champion(version="1", folder=models / "version-1"))


def _train(matrix: FloatArray, chosen: FeatureSet) -> lightgbm.Booster:
    known = np.nan_to_num(matrix)
    noise = np.random.default_rng(0).logistic(size=len(matrix))
    label = (np.sin(known).sum(axis=1) + noise > 0.0).astype(np.float64)
    parameters = {
        "objective": "binary",
        "num_leaves": N_LEAVES,
        "min_data_in_leaf": 5,
        "learning_rate": 0.05,
        "deterministic": True,
        "num_threads": 1,
        "verbosity": -1,
        "seed": 0,
    }
    data = lightgbm.Dataset(matrix, label, categorical_feature=list(chosen.categorical_indices))
    return lightgbm.train(parameters, data, N_TREES)


def _golden(text: str, calibration: Calibration, matrix: FloatArray) -> GoldenRows:
    margin = np.asarray(lightgbm.Booster(model_str=text).predict(matrix, raw_score=True))
    log_odds = calibration.slope * margin + calibration.intercept
    return GoldenRows(matrix=matrix, probability=log_odds_to_probability(log_odds))


def _facts() -> ModelCardFacts:
    return ModelCardFacts(
        horizon_days=90,
        created_at="2026-01-02T03:04:05+00:00",
        crm_name="benchmark",
        data_hash="0" * 64,
        split="forward",
        metrics=(("auc", 0.8), ("log_loss", 0.4)),
        trained_from="2025-01-01T00:00:00+00:00",
        trained_until="2025-12-31T00:00:00+00:00",
    )


def value_of(chance: random.Random, kind: FeatureKind) -> object:
    """Return a value an attribute may have."""
    match kind:
        case FeatureKind.ATTRIBUTE_NUMBER:
            return round(chance.lognormvariate(3, 1.5), 2)
        case FeatureKind.ATTRIBUTE_BOOLEAN:
            return chance.random() < 0.5
        case _:
            return chance.choice(LEVELS)


def _ago(chance: random.Random, most_days: float) -> str:
    return (AS_OF - timedelta(days=chance.uniform(0.01, most_days))).isoformat()
