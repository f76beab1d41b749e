"""From tables to a calibrated model: labels, features, candidates, calibration, predictions of the test part.

Pure: the same tables and seed give the same model. Writing, logging and registering are done elsewhere.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from features.build import Points, build_features
from features.choosing import choose_features
from features.definitions import FeatureSet
from features.errors import InputError
from features.leakage import Finding
from features.personas import PersonaRules
from features.tables import CanonicalTables
from training.calibration import Calibration
from training.calibration_fit import fit_calibration
from training.candidates.candidate import Candidate, TrainingRows, Tried, choose, try_candidate
from training.candidates.lightgbm_model import TREE_CANDIDATES
from training.candidates.prior import Prior
from training.evaluation import ScoredPoints, scored_points
from training.first_pass import first_pass
from training.labels import MIN_FOLLOWED_SHARE, Labels, TeachingLabels, WeightedRows, teaching_labels
from training.leakage import refuse_leaks
from training.points import FloatArray
from training.splits import (
    Part,
    Split,
    SplitKind,
    label_part,
    lead_positions,
    split_leads,
    validation_leads,
)
from training.trees import parse_model_text, predict_margin

MIN_OUTCOMES = 20
CANDIDATES: tuple[Candidate, ...] = (Prior(), *TREE_CANDIDATES)
"""Simplest first."""

Progress = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledPart:
    """Snapshots of one part with labels as known at its cut-off."""

    points: Points
    labels: Labels
    teaching: TeachingLabels
    """For the parts that teach: open leads are in it too."""

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
    findings: tuple[Finding, ...]
    """What the leakage guard says about the training leads; no error among them that is not allowed."""


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


def prepare(
    tables: CanonicalTables, *, horizon_days: int, personas: tuple[PersonaRules, ...] = ()
) -> PreparedData:
    """Split, label, look for leaks and choose features; InputError says what is there and what is needed.

    `personas` are those both teams agreed; which one a lead is becomes a feature.
    """
    check_outcomes(tables, horizon_days=horizon_days)
    split = split_leads(tables, horizon_days=horizon_days)
    parts = [_labelled(tables, part, horizon_days) for part in (split.train, split.calibration, split.test)]
    _check_parts(parts, horizon_days)
    findings = refuse_leaks(tables, split.train)
    feature_set = choose_features(
        tables,
        lead_index=split.train.lead_index,
        known_until_us=split.train.known_until_us,
        personas=personas,
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
        findings=findings,
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
            f"open for the horizon of {horizon_days} days, and {MIN_FOLLOWED_SHARE:.0%} of the leads older "
            f"than that; of its {tables.leads.num_rows} leads the history has {won} and "
            f"{answered - won} that count; import more closed deals, or set a shorter horizon_days"
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
    newest_leads = validation_leads(tables, data.split, horizon_days=horizon_days)
    newest = np.isin(data.train.points.lead_index, data.split.train.lead_index[newest_leads])
    _check_known("newest training", int((data.train.labels.known & newest).sum()), horizon_days)
    with progress("Asking a quick model about open leads"):
        teaching, calibrating = _sharpened(data, matrices, seed=seed)
    rows = _training_rows(matrices[0], data.train.points, teaching.rows())
    is_newest = newest[teaching.rows().position]
    older, validation = rows.where(~is_newest), rows.where(is_newest)
    with progress("Trying candidates"):
        tried = _try_all(older, validation, data.feature_set, seed=seed)
        chosen = choose(tried, validation)
    with progress(f"Fitting {chosen.candidate.name} and calibrating it"):
        model_text = chosen.candidate.fit(rows, rounds=chosen.rounds, feature_set=data.feature_set, seed=seed)
        calibration = _calibrate(tables, data, matrices[1], calibrating.rows(), model_text)
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
    teaching = teaching_labels(tables, points, horizon_days=horizon_days, known_until_us=part.known_until_us)
    return LabelledPart(points=points, labels=labels, teaching=teaching)


def _check_parts(parts: Sequence[LabelledPart], horizon_days: int) -> None:
    """Refuse a training part of one class, and a part that cannot calibrate or judge."""
    labels = parts[0].labels
    won, known = int(labels.label[labels.known].sum()), int(labels.known.sum())
    if won in (0, known):
        raise InputError(
            "the training part (the oldest leads) needs won and other leads; "
            f"of its {known} snapshots with a known outcome {won} are won"
        )
    for name, part in zip(("calibration", "test"), parts[1:], strict=True):
        _check_known(name, int(part.labels.known.sum()), horizon_days)


def _check_known(name: str, n_known: int, horizon_days: int) -> None:
    if n_known == 0:
        raise InputError(
            f"the {name} leads must hold known outcomes, {MIN_FOLLOWED_SHARE:.0%} of these leads being older "
            f"than the horizon of {horizon_days} days; they hold none; import a longer history, or set a "
            "shorter horizon_days"
        )


def _base_rate(labels: Labels) -> float:
    """Return the weighted share of wins, shrunken by one lead at even odds so that it is never 0 or 1."""
    return float((labels.weight @ labels.label + 0.5) / (labels.weight.sum() + 1.0))


def _sharpened(
    data: PreparedData, matrices: Sequence[FloatArray], *, seed: int
) -> tuple[TeachingLabels, TeachingLabels]:
    """Return the labels of both parts that teach, open leads told apart by a model of the training part."""
    train, calibration = data.train.teaching, data.calibration.teaching
    if train.answered.all() and calibration.answered.all():
        return train, calibration
    probability = first_pass(
        matrices[0], train.rows(), categorical=data.feature_set.categorical_indices, seed=seed
    )
    return train.sharpened(probability(matrices[0])), calibration.sharpened(probability(matrices[1]))


def _training_rows(matrix: FloatArray, points: Points, rows: WeightedRows) -> TrainingRows:
    return TrainingRows(
        matrix=matrix[rows.position],
        label=rows.label,
        weight=rows.weight,
        lead_index=points.lead_index[rows.position],
    )


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
    tables: CanonicalTables,
    data: PreparedData,
    matrix: FloatArray,
    rows: WeightedRows,
    model_text: str,
) -> Calibration:
    lead_index = data.calibration.points.lead_index[rows.position]
    ordered = data.split.kind is not SplitKind.STRATIFIED
    return fit_calibration(
        predict_margin(parse_model_text(model_text), matrix)[rows.position],
        rows.label,
        rows.weight,
        order=lead_positions(tables, data.split.kind)[lead_index] if ordered else None,
        lead=lead_index,
    )


def _scored(data: PreparedData, probability: FloatArray) -> ScoredPoints:
    points = data.test.points
    return scored_points(
        points.lead_index,
        points.as_of_us,
        data.test.labels,
        probability,
        prior_probability=data.prior_probability,
    )
