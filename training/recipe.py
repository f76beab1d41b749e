"""From tables to a calibrated model: labels, features, the candidates' recipe, predictions of the test part.

Pure but for the stopwatch of the budget: the same tables and seed give the same model. Writing, logging and
registering are done elsewhere.
"""

import time
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
from training.candidates.learn import Learned, learn
from training.candidates.rows import TrainingRows, columns_of
from training.candidates.search import Trial
from training.evaluation import ScoredPoints, scored_points
from training.first_pass import told_apart
from training.labels import MIN_FOLLOWED_SHARE, Labels, teaching_labels
from training.leakage import refuse_leaks
from training.outcomes import IntArray
from training.points import FloatArray
from training.snapshots import snapshot_points
from training.splits import (
    Part,
    Split,
    SplitKind,
    label_part,
    lead_positions,
    split_leads,
)
from training.trees import parse_model_text, predict_margin

MIN_OUTCOMES = 20
BUDGET_SECONDS = 60.0
"""What bounds the search unless something else is asked for; its fixed plan usually ends before."""

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
    """The three parts, and the features chosen from what the leads that teach knew before the test begins.

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

    learned: Learned
    test_matrix: FloatArray
    test_probability: FloatArray
    scored: ScoredPoints

    @property
    def tried(self) -> tuple[Trial, ...]:
        """What could be chosen, simplest first."""
        return self.learned.candidates

    @property
    def chosen(self) -> Trial:
        """The candidate that was taken."""
        return self.learned.chosen

    @property
    def model_text(self) -> str:
        """The fitted candidate as LightGBM text."""
        return self.learned.model_text

    @property
    def calibration(self) -> Calibration:
        """What makes its margins probabilities."""
        return self.learned.calibration


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
        lead_index=_teaching_leads(split),
        known_until_us=split.calibration.known_until_us,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCounts:
    """Leads whose end within the horizon is known, whatever the split: won, and all others."""

    won: int
    other: int

    @property
    def are_enough(self) -> bool:
        """Whether there is anything to learn from."""
        return min(self.won, self.other) >= MIN_OUTCOMES


def count_outcomes(tables: CanonicalTables, *, horizon_days: int) -> OutcomeCounts:
    """Count the leads of a history that have an end to learn from."""
    everyone = Part(
        lead_index=np.arange(tables.leads.num_rows, dtype=np.int64), known_until_us=tables.known_until_us
    )
    points, labels = label_part(tables, everyone, horizon_days=horizon_days)
    won = len(np.unique(points.lead_index[labels.known & (labels.label == 1)]))
    answered = len(np.unique(points.lead_index[labels.known]))
    return OutcomeCounts(won=won, other=answered - won)


def check_outcomes(tables: CanonicalTables, *, horizon_days: int) -> None:
    """Refuse a history with too few outcomes to learn from, whatever the split."""
    found = count_outcomes(tables, horizon_days=horizon_days)
    if not found.are_enough:
        raise InputError(
            f"training needs at least {MIN_OUTCOMES} won leads and {MIN_OUTCOMES} that were lost or stayed "
            f"open for the horizon of {horizon_days} days, and {MIN_FOLLOWED_SHARE:.0%} of the leads older "
            f"than that; of its {tables.leads.num_rows} leads the history has {found.won} and "
            f"{found.other} that count; import more closed deals, set a shorter horizon_days, or sign a "
            "policy with expected_conversion: then scores rest on what both teams expect"
        )


def fit_model(
    tables: CanonicalTables,
    data: PreparedData,
    *,
    horizon_days: int,
    seed: int,
    progress: Progress,
    budget_seconds: float = BUDGET_SECONDS,
    evidence: str = "model",
) -> FittedModel:
    """Find, fit and calibrate a model on everything known before the test part, and predict that.

    The calibration leads are the newest of these rows: the folds judge and calibrate on them, and the final
    fit knows them too, because where a market moves they say most about the next lead. `evidence` is the most
    that scores may rest on: "scorecard" or "model".
    """
    started = time.monotonic()
    with progress("Computing features"):
        rows = _learning_rows(tables, data, horizon_days, seed=seed)
        test_matrix = build_features(data.feature_set, tables, data.test.points)
    with progress("Trying candidates, choosing, fitting and calibrating"):
        learned = learn(
            rows,
            columns_of(data.feature_set),
            seed=seed,
            seconds_left=lambda: budget_seconds - (time.monotonic() - started),
            evidence=evidence,
        )
    ensemble = parse_model_text(learned.model_text)
    probability = learned.calibration.apply(predict_margin(ensemble, test_matrix))
    return FittedModel(
        learned=learned,
        test_matrix=test_matrix,
        test_probability=probability,
        scored=_scored(data, probability),
    )


def _teaching_leads(split: Split) -> IntArray:
    """Return the leads of the training and the calibration part: those a model may learn from."""
    return np.union1d(split.train.lead_index, split.calibration.lead_index)


def _learning_rows(
    tables: CanonicalTables, data: PreparedData, horizon_days: int, *, seed: int
) -> TrainingRows:
    """Return the snapshots of training and calibration leads as known when the test part begins.

    Open ones are among them, as a win and as a no, weighted by their chance (decision 0014).
    """
    split = data.split
    leads = _teaching_leads(split)
    until_us = split.calibration.known_until_us
    points = snapshot_points(tables, until_us=until_us, lead_index=leads)
    taught = teaching_labels(tables, points, horizon_days=horizon_days, known_until_us=until_us)
    matrix = build_features(data.feature_set, tables, points)
    rows = told_apart(matrix, taught, categorical=data.feature_set.categorical_indices, seed=seed).rows()
    lead_index = points.lead_index[rows.position]
    if split.kind is SplitKind.FORWARD:
        position = points.as_of_us[rows.position]
    else:
        position = lead_positions(tables, split.kind)[lead_index]
    return TrainingRows(
        matrix=matrix[rows.position],
        label=rows.label,
        weight=rows.weight,
        lead_index=lead_index,
        position=None if split.kind is SplitKind.STRATIFIED else position,
    )


def _labelled(tables: CanonicalTables, part: Part, horizon_days: int) -> LabelledPart:
    points, labels = label_part(tables, part, horizon_days=horizon_days)
    return LabelledPart(points=points, labels=labels)


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


def _scored(data: PreparedData, probability: FloatArray) -> ScoredPoints:
    points = data.test.points
    return scored_points(
        points.lead_index,
        points.as_of_us,
        data.test.labels,
        probability,
        prior_probability=data.prior_probability,
    )
