"""From tables to a calibrated model: labels, features, candidates, calibration, predictions of the test part.

Pure: the same tables and seed give the same model. Writing, logging and registering are done elsewhere.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from features.build import Points, build_features
from features.choosing import choose_features
from features.definitions import FeatureSet
from features.errors import InputError
from features.tables import CanonicalTables
from training.calibration import Calibration
from training.calibration_fit import fit_calibration
from training.candidates.candidate import Candidate, TrainingRows, Tried, choose, try_candidate
from training.candidates.lightgbm_model import TREE_CANDIDATES
from training.candidates.prior import Prior
from training.evaluation import ScoredPoints, scored_points
from training.labels import Labels, label_points
from training.outcomes import DAY_US, BoolArray, IntArray
from training.points import FloatArray
from training.splits import (
    Part,
    Split,
    SplitKind,
    label_part,
    lead_positions,
    newest_slice,
    split_leads,
)
from training.trees import parse_model_text, predict_margin

MIN_OUTCOMES = 20
VALIDATION_SHARE = 0.20
CANDIDATES: tuple[Candidate, ...] = (Prior(), *TREE_CANDIDATES)
"""Simplest first."""

Progress = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledPart:
    """Snapshots of one part with labels as known at its cut-off."""

    points: Points
    labels: Labels

    @property
    def n_leads(self) -> int:
        """Leads with at least one snapshot whose label is known."""
        return len(np.unique(self.points.lead_index[self.labels.known]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreparedData:
    """The three parts, and the features chosen from what the training leads knew.

    ``prior_probability`` is the base rate of the calibration part: the newest that was known before the test.
    """

    split: Split
    train: LabelledPart
    calibration: LabelledPart
    test: LabelledPart
    feature_set: FeatureSet
    prior_probability: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FittedModel:
    """The chosen candidate, fitted and calibrated, and what it says about the test part."""

    tried: tuple[Tried, ...]
    chosen: Tried
    model_text: str
    calibration: Calibration
    test_matrix: FloatArray
    test_probability: FloatArray
    scored: ScoredPoints


def prepare(tables: CanonicalTables, *, horizon_days: int) -> PreparedData:
    """Split, label and choose features; InputError says what is there and what is needed."""
    check_outcomes(tables, horizon_days=horizon_days)
    split = split_leads(tables, horizon_days=horizon_days)
    parts = [_labelled(tables, part, horizon_days) for part in (split.train, split.calibration, split.test)]
    _check_both_classes(parts[0].labels)
    feature_set = choose_features(
        tables, lead_index=split.train.lead_index, known_until_us=split.train.known_until_us
    )
    if not feature_set.features:
        raise InputError(
            "no usable feature: the leads have no attribute that may be used and no activities; "
            "check [attributes] never in crm.toml and the mapping of activities"
        )
    return PreparedData(
        split=split,
        train=parts[0],
        calibration=parts[1],
        test=parts[2],
        feature_set=feature_set,
        prior_probability=_base_rate(parts[1].labels),
    )


def check_outcomes(tables: CanonicalTables, *, horizon_days: int) -> None:
    """Refuse a history with too few outcomes to learn from, whatever the split."""
    everyone = Part(
        lead_index=np.arange(tables.leads.num_rows, dtype=np.int64), known_until_us=tables.known_until_us
    )
    points, labels = label_part(tables, everyone, horizon_days=horizon_days)
    won = len(np.unique(points.lead_index[labels.known & (labels.label == 1)]))
    answered = len(np.unique(points.lead_index[labels.known]))
    if min(won, answered - won) < MIN_OUTCOMES:
        raise InputError(
            f"training needs at least {MIN_OUTCOMES} won leads and {MIN_OUTCOMES} that were lost or stayed "
            f"open for the horizon of {horizon_days} days; of its {tables.leads.num_rows} leads the history "
            f"has {won} and {answered - won}; import more closed deals, or set a shorter horizon_days"
        )


def fit_model(
    tables: CanonicalTables, data: PreparedData, *, horizon_days: int, seed: int, progress: Progress
) -> FittedModel:
    """Try every candidate, fit the chosen one on the whole training part, calibrate, predict the test."""
    with progress("Computing features"):
        matrices = [
            build_features(data.feature_set, tables, part.points)
            for part in (data.train, data.calibration, data.test)
        ]
    newest = _newest_points(tables, data, horizon_days=horizon_days)
    older, validation = (
        _slice(tables, data, matrices[0], chosen, horizon_days=horizon_days) for chosen in (~newest, newest)
    )
    with progress("Trying candidates"):
        tried = _try_all(older, validation, data.feature_set, seed=seed)
        chosen = choose(tried, validation)
    with progress(f"Fitting {chosen.candidate.name} and calibrating it"):
        model_text = chosen.candidate.fit(
            _training_rows(matrices[0], data.train),
            rounds=chosen.rounds,
            feature_set=data.feature_set,
            seed=seed,
        )
        calibration = _calibrate(tables, data, matrices[1], model_text)
    probability = calibration.apply(predict_margin(parse_model_text(model_text), matrices[2]))
    return FittedModel(
        tried=tried,
        chosen=chosen,
        model_text=model_text,
        calibration=calibration,
        test_matrix=matrices[2],
        test_probability=probability,
        scored=_scored(data, probability),
    )


def _labelled(tables: CanonicalTables, part: Part, horizon_days: int) -> LabelledPart:
    points, labels = label_part(tables, part, horizon_days=horizon_days)
    return LabelledPart(points=points, labels=labels)


def _check_both_classes(labels: Labels) -> None:
    won = int(labels.label[labels.known].sum())
    if won in (0, int(labels.known.sum())):
        raise InputError(
            "the training part (the oldest leads) needs won and other leads; "
            f"of its {int(labels.known.sum())} snapshots with a known outcome {won} are won"
        )


def _base_rate(labels: Labels) -> float:
    """Return the weighted share of wins, shrunken by one lead at even odds so that it is never 0 or 1."""
    return float((labels.weight @ labels.label + 0.5) / (labels.weight.sum() + 1.0))


def _training_rows(matrix: FloatArray, part: LabelledPart) -> TrainingRows:
    rows = TrainingRows(
        matrix=matrix,
        label=part.labels.label,
        weight=part.labels.weight,
        lead_index=part.points.lead_index,
    )
    return rows.where(part.labels.known)


def _newest_points(tables: CanonicalTables, data: PreparedData, *, horizon_days: int) -> BoolArray:
    """Return which training points (n,) are of the newest leads, on which candidates are judged."""
    train = data.split.train
    position = lead_positions(tables, data.split.kind)
    matured_until = int(position.max())
    if train.known_until_us is not None:
        matured_until = train.known_until_us - horizon_days * DAY_US
    newest = newest_slice(position[train.lead_index], matured_until=matured_until, share=VALIDATION_SHARE)
    return np.isin(data.train.points.lead_index, train.lead_index[newest])


def _slice(
    tables: CanonicalTables, data: PreparedData, matrix: FloatArray, chosen: BoolArray, *, horizon_days: int
) -> TrainingRows:
    """Return the chosen training points, weighted by their own follow-up, which differs by age."""
    everyone = data.train.points
    points = Points(lead_index=everyone.lead_index[chosen], as_of_us=everyone.as_of_us[chosen])
    labels = label_points(
        tables, points, horizon_days=horizon_days, known_until_us=data.split.train.known_until_us
    )
    return _training_rows(matrix[chosen], LabelledPart(points=points, labels=labels))


def _try_all(
    rows: TrainingRows, validation: TrainingRows, feature_set: FeatureSet, *, seed: int
) -> tuple[Tried, ...]:
    """Try what can be tried: with one class in either slice only the prior means anything."""
    learnable = all(0 < slice_.label.sum() < len(slice_.label) for slice_ in (rows, validation))
    candidates = CANDIDATES if learnable else CANDIDATES[:1]
    return tuple(
        try_candidate(candidate, rows, validation, feature_set=feature_set, seed=seed)
        for candidate in candidates
    )


def _calibrate(
    tables: CanonicalTables, data: PreparedData, matrix: FloatArray, model_text: str
) -> Calibration:
    labels, known = data.calibration.labels, data.calibration.labels.known
    margin = predict_margin(parse_model_text(model_text), matrix)
    order = _order(tables, data)
    return fit_calibration(
        margin[known],
        labels.label[known],
        labels.weight[known],
        order=None if order is None else order[known],
    )


def _order(tables: CanonicalTables, data: PreparedData) -> IntArray | None:
    """Return what orders the calibration snapshots in time (n,); None where nothing does."""
    points = data.calibration.points
    if data.split.kind is SplitKind.FORWARD:
        return points.as_of_us
    if data.split.kind is SplitKind.ORDER:
        return lead_positions(tables, data.split.kind)[points.lead_index]
    return None


def _scored(data: PreparedData, probability: FloatArray) -> ScoredPoints:
    points = data.test.points
    return scored_points(
        points.lead_index,
        points.as_of_us,
        data.test.labels,
        probability,
        prior_probability=data.prior_probability,
    )
