"""The same model on every kind of labels, and how its mean over open leads compares with what came."""

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np

from experiments.simulator.outcomes import HORIZON_DAYS
from experiments.studies.censoring.hazard import HazardTrees
from experiments.studies.censoring.methods import Labeller, Method
from experiments.studies.censoring.regimes import Case
from features.build import Points, build_features
from features.choosing import choose_features
from features.definitions import FeatureSet
from training import recipe
from training.calibration_fit import fit_calibration
from training.first_pass import Probability, first_pass
from training.labels import TeachingLabels
from training.metrics import area_under_roc, log_losses
from training.outcomes import IntArray, lead_created_us
from training.points import FloatArray, probability_to_log_odds
from training.snapshots import snapshot_points
from training.splits import Part, split_leads
from training.trees import parse_model_text, predict_margin

AGE_EDGES_DAYS = (14, 30, 60, 90, 180)
CONFIDENCE_Z = 1.96
RECIPE_SECONDS = 600.0
"""Enough for the plan of the search on a busy machine too."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshots:
    """One part that teaches: its snapshots, their features (n, n_features) and its cut-off."""

    points: Points
    matrix: FloatArray
    known_until_us: int
    created_us: IntArray

    @property
    def age_us(self) -> IntArray:
        """How old the lead of each snapshot was, (n,)."""
        return self.points.as_of_us - self.created_us


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """One case, split and with features, shared by all methods."""

    case: Case
    feature_set: FeatureSet
    train: Snapshots
    calibration: Snapshots
    open_matrix: FloatArray
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One method on one seed: sums by age of the open leads, and how well it tells them apart."""

    expected_by_age: tuple[float, ...]
    won_by_age: tuple[int, ...]
    log_loss: float
    auc: float

    @property
    def ratio(self) -> float:
        """Mean predicted probability of the open leads by their true rate."""
        return math.fsum(self.expected_by_age) / sum(self.won_by_age)


def prepare(case: Case, seed: int) -> Prepared:
    """Split as `leadpact train` does and compute all features once."""
    split = split_leads(case.tables, horizon_days=HORIZON_DAYS)
    feature_set = choose_features(
        case.tables, lead_index=split.train.lead_index, known_until_us=split.train.known_until_us
    )
    return Prepared(
        case=case,
        feature_set=feature_set,
        train=_snapshots(case, split.train, feature_set),
        calibration=_snapshots(case, split.calibration, feature_set),
        open_matrix=build_features(feature_set, case.tables, case.open_points),
        seed=seed,
    )


def measure(prepared: Prepared, method: Method) -> Found:
    """Label, fit, calibrate and compare the mean prediction of open leads with what came."""
    train, calibration = (
        _labels(prepared.case, part, labeller)
        for part, labeller in (
            (prepared.train, method.train),
            (prepared.calibration, method.calibration),
        )
    )
    model = _fit(prepared, train)
    if method.sharpened:
        model = _fit(prepared, train.sharpened(model(prepared.train.matrix)))
        calibration = calibration.sharpened(model(prepared.calibration.matrix))
    rows, part = calibration.rows(), prepared.calibration
    fitted = fit_calibration(
        probability_to_log_odds(model(part.matrix))[rows.position],
        rows.label,
        rows.weight,
        lead=part.points.lead_index[rows.position],
    )
    return found(prepared.case, fitted.apply(probability_to_log_odds(model(prepared.open_matrix))))


def measure_hazard(prepared: Prepared) -> Found:
    """Compare a discrete-time hazard model of both ends, fitted on all leads that teach, uncalibrated."""
    trees = HazardTrees.fit(
        prepared.case.tables,
        (prepared.train, prepared.calibration),
        categorical=prepared.feature_set.categorical_indices,
        seed=prepared.seed,
    )
    return found(prepared.case, trees.win_probability(prepared.open_matrix))


def measure_recipe(case: Case, seed: int) -> Found:
    """Compare what `leadpact train` learns, whole: candidates, search, blend and calibration."""
    data = recipe.prepare(case.tables, horizon_days=HORIZON_DAYS)
    fitted = recipe.fit_model(
        case.tables,
        data,
        horizon_days=HORIZON_DAYS,
        seed=seed,
        progress=lambda _: nullcontext(),
        budget_seconds=RECIPE_SECONDS,
    )
    margin = predict_margin(
        parse_model_text(fitted.model_text), build_features(data.feature_set, case.tables, case.open_points)
    )
    return found(case, fitted.calibration.apply(margin))


def found(case: Case, probability: FloatArray) -> Found:
    """Compare probabilities of the open leads (n_open,) with what became of them."""
    age = np.digitize(case.open_age_days, AGE_EDGES_DAYS)
    bins = len(AGE_EDGES_DAYS) + 1
    label, weight = case.open_won.astype(np.int8), np.ones(len(case.open_won))
    return Found(
        expected_by_age=tuple(np.bincount(age, probability, bins).tolist()),
        won_by_age=tuple(np.bincount(age, case.open_won, bins).astype(int).tolist()),
        log_loss=float(log_losses(label, np.clip(probability, 1e-9, 1.0 - 1e-9)).mean()),
        auc=float(area_under_roc(label, probability, weight)),
    )


def summarise(results: Sequence[Found]) -> Mapping[str, object]:
    """Return the mean ratio with its 95 % interval over seeds, and means of the rest."""
    ratios = np.array([each.ratio for each in results])
    error = float(ratios.std(ddof=1)) / math.sqrt(len(ratios)) if len(ratios) > 1 else math.nan
    expected, won = (
        np.array([getattr(each, name) for each in results], dtype=np.float64).sum(axis=0)
        for name in ("expected_by_age", "won_by_age")
    )
    mean = float(ratios.mean())
    return {
        "seeds": len(results),
        "ratio": round(mean, 4),
        "low": round(mean - CONFIDENCE_Z * error, 4),
        "high": round(mean + CONFIDENCE_Z * error, 4),
        "spread_over_seeds": round(error * math.sqrt(len(ratios)), 4),
        "ratio_by_age": np.round(expected / np.maximum(won, 1.0), 3).tolist(),
        "log_loss": round(float(np.mean([each.log_loss for each in results])), 5),
        "auc": round(float(np.mean([each.auc for each in results])), 4),
    }


def _snapshots(case: Case, part: Part, feature_set: FeatureSet) -> Snapshots:
    points = snapshot_points(case.tables, until_us=part.known_until_us, lead_index=part.lead_index)
    return Snapshots(
        points=points,
        matrix=build_features(feature_set, case.tables, points),
        known_until_us=part.known_until_us or 0,
        created_us=lead_created_us(case.tables)[points.lead_index],
    )


def _labels(case: Case, part: Snapshots, labeller: Labeller) -> TeachingLabels:
    return labeller(case, part.points, part.known_until_us)


def _fit(prepared: Prepared, labels: TeachingLabels) -> Probability:
    return first_pass(
        prepared.train.matrix,
        labels.rows(),
        categorical=prepared.feature_set.categorical_indices,
        seed=prepared.seed,
    )
