"""One look at a champion: the newest leads against its reference, matured cohorts against its promises.

Decides what is worth a finding. The whole look has one level: without any change it says something with a
probability of 1 %, half of it for inputs, scores and unknown values together, half for outcomes. At one look
a week that is one false alarm in two years.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from features.build import Points, build_features
from features.tables import CanonicalTables
from features.times import EPOCH, MICROSECOND
from training.loaded_model import LoadedModel
from training.monitoring.cohorts import (
    LEAST_VARIANCE,
    Cohort,
    Ratio,
    compare_lift,
    expected_to_real_always,
    expected_to_real_now,
    lift_of_top,
)
from training.monitoring.drift import compare_counts, unknown_chance
from training.monitoring.findings import Facts, MonitoringFinding, Severity, Silence
from training.monitoring.reference import (
    SCORE,
    Predict,
    Reference,
    ReferenceAge,
    ReferenceColumn,
    column_values,
    points_at_age,
    read_cohort,
    unknown_split,
)
from training.outcomes import DAY_US, IntArray
from training.points import FloatArray

WINDOW_DAYS = 14
FEWEST_LEADS = 50
DRIFT_LEVEL = 0.005
OUTCOME_LEVEL = 0.005
N_OUTCOME_TESTS = 3
TOLERATED_DEVIATION = 0.10
"""Outcomes must be off by more than this with their whole interval, as the gates have it."""

SMALL_PSI, SMALL_SHARE = 0.10, 0.05
"""Below these a change that is no chance is a note: on many leads any change is significant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftMeasure:
    """How one input, or the score, of the newest leads differs from the reference.

    ``critical`` is the PSI that is exceeded without change at this look's level. ``mean`` is that of the
    score, None for an input; ``family`` joins inputs that move together. ``unknown`` is the share of
    filled values that the model does not know, now and before; None for what is no category.
    """

    name: str
    family: str
    age_days: int
    rows: int
    psi: float
    critical: float
    mean: float | None = None
    unknown: float | None = None
    unknown_before: float | None = None
    unknown_raised: bool = False

    @property
    def raised(self) -> bool:
        """Whether the difference is more than chance and the usual ups and downs."""
        return self.psi > self.critical


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeMeasure:
    """One question to a matured cohort; ``code`` is that of the finding it may become."""

    code: str
    leads: int
    expected_wins: float
    real_wins: int
    ratio: Ratio

    @property
    def raised(self) -> bool:
        """Whether the whole interval is off by more than what is tolerated; better lift is no finding."""
        too_low = self.ratio.high < self.ratio.promised * (1.0 - TOLERATED_DEVIATION)
        if self.code == "lift_lost":
            return too_low
        return too_low or self.ratio.low > self.ratio.promised * (1.0 + TOLERATED_DEVIATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look found: all measures, the findings among them, and what could not be judged."""

    model_version: str
    window_days: int
    until_us: int | None
    drift: tuple[DriftMeasure, ...] = ()
    outcomes: tuple[OutcomeMeasure, ...] = ()
    findings: tuple[MonitoringFinding, ...] = ()
    silences: tuple[Silence, ...] = ()


def look_at(
    tables: CanonicalTables,
    model: LoadedModel,
    reference: Reference | None,
    *,
    window_days: int = WINDOW_DAYS,
) -> Look:
    """Compare the newest ``window_days`` of a history, and all matured cohorts, with what a model froze.

    Only reads. What was promised is computed again as it was known when each lead was created, which is the
    same number the service gave then.
    """
    until_us = tables.known_until_us
    look = Look(model_version=model.manifest.version, window_days=window_days, until_us=until_us)
    if until_us is None:
        return replace(look, silences=(Silence(code="no_times"),))
    if reference is None:
        return replace(look, silences=(Silence(code="no_reference"),))
    drift, few = _drift(tables, model, reference, window_days, until_us)
    outcomes, immature = _outcomes(tables, model, reference, window_days, until_us)
    findings = (*_drift_findings(drift), *_outcome_findings(outcomes))
    return replace(look, drift=drift, outcomes=outcomes, findings=findings, silences=(*few, *immature))


def _drift(
    tables: CanonicalTables, model: LoadedModel, reference: Reference, window_days: int, until_us: int
) -> tuple[tuple[DriftMeasure, ...], tuple[Silence, ...]]:
    """Return all measures at one level that the tests share, and the ages with too few leads."""
    windows = [(age, _window(tables, age, window_days, until_us)) for age in reference.ages]
    level = DRIFT_LEVEL / max(1, sum(_n_tests(age) for age, points in windows if _enough(points)))
    measures = [
        measure
        for age, points in windows
        if _enough(points)
        for measure in _measure_age(tables, model, age, points, level)
    ]
    silences = [
        _few_leads(age, points, window_days, until_us) for age, points in windows if not _enough(points)
    ]
    return tuple(measures), tuple(silences)


def _window(tables: CanonicalTables, age: ReferenceAge, window_days: int, until_us: int) -> Points:
    everyone = np.arange(tables.leads.num_rows, dtype=np.int64)
    after_us = until_us - window_days * DAY_US
    return points_at_age(tables, everyone, age.age_days, after_us=after_us, until_us=until_us)


def _enough(points: Points) -> bool:
    return len(points) >= FEWEST_LEADS


def _n_tests(age: ReferenceAge) -> int:
    """Count what is tested at an age: every column, and the unknown values of each category."""
    return sum(1 if column.edges is not None else 2 for column in age.columns)


def _few_leads(age: ReferenceAge, points: Points, window_days: int, until_us: int) -> Silence:
    until = (EPOCH + until_us * MICROSECOND).date().isoformat()
    return Silence(
        code="few_new_leads",
        facts=(
            ("age_days", age.age_days),
            ("rows", len(points)),
            ("window_days", window_days),
            ("until", until),
            ("needed", FEWEST_LEADS),
        ),
    )


def _measure_age(
    tables: CanonicalTables, model: LoadedModel, age: ReferenceAge, points: Points, level: float
) -> Iterator[DriftMeasure]:
    matrix = build_features(model.feature_set, tables, points)
    frozen = {column.name: column for column in age.columns}
    family = {feature.name: feature.family for feature in model.feature_set.features}
    for name, values in column_values(model.feature_set, _predict(model), matrix, age.age_days):
        measure = _measure(frozen[name], values, age, level) if name in frozen else None
        if measure is not None:
            yield replace(measure, family=family.get(name, name))


def _predict(model: LoadedModel) -> Predict:
    return lambda matrix: model.predict(matrix).probability


def _measure(
    column: ReferenceColumn, values: FloatArray, age: ReferenceAge, level: float
) -> DriftMeasure | None:
    """Return the difference of one column; None when one cell holds everything, then and now."""
    counts, before = column.count(values), np.array(column.counts, dtype=np.int64)
    found = compare_counts(counts, before)
    if found is None:
        return None
    measure = DriftMeasure(
        name=column.name,
        family=column.name,
        age_days=age.age_days,
        rows=len(values),
        psi=found.psi,
        critical=found.critical(level, between=column.between, periods=age.periods),
        mean=float(values.mean()) if column.name == SCORE else None,
    )
    return measure if column.edges is not None else _with_unknown(measure, column, age, counts, before, level)


def _with_unknown(
    measure: DriftMeasure,
    column: ReferenceColumn,
    age: ReferenceAge,
    counts: IntArray,
    before: IntArray,
    level: float,
) -> DriftMeasure:
    """Add the share of unknown values, and whether it is more than chance and usual ups and downs."""
    now, then = unknown_split(counts), unknown_split(before)
    if now.sum() == 0 or then.sum() == 0:
        return measure
    share, share_before = float(now[0] / now.sum()), float(then[0] / then.sum())
    by_chance = unknown_chance(int(now[0]), int(now.sum()), int(then[0]), int(then.sum())) >= level
    split = compare_counts(now, then)
    usual = split is not None and split.psi <= split.critical(
        2.0 * level, between=column.unknown_between, periods=age.periods
    )
    return replace(
        measure,
        unknown=share,
        unknown_before=share_before,
        unknown_raised=share > share_before and not by_chance and not (usual and column.unknown_between > 0),
    )


def _outcomes(
    tables: CanonicalTables, model: LoadedModel, reference: Reference, window_days: int, until_us: int
) -> tuple[tuple[OutcomeMeasure, ...], tuple[Silence, ...]]:
    """Return what matured cohorts say; a cohort that is too small is a silence."""
    matured_us = until_us - model.manifest.horizon_days * DAY_US
    newest_us = max(reference.newest_lead_us, matured_us - window_days * DAY_US)
    newest = _cohort(tables, model, after_us=newest_us, until_us=matured_us)
    everyone = _cohort(tables, model, after_us=reference.newest_lead_us, until_us=matured_us)
    level = OUTCOME_LEVEL / N_OUTCOME_TESTS
    asked = (
        ("calibration_newest", newest, expected_to_real_now(newest, level=level)),
        ("calibration_since_training", everyone, expected_to_real_always(everyone, level=level)),
        ("lift_lost", everyone, _lift(everyone, reference, level)),
    )
    measures = [
        OutcomeMeasure(
            code=code,
            leads=len(cohort.label),
            expected_wins=cohort.expected_wins,
            real_wins=cohort.real_wins,
            ratio=ratio,
        )
        for code, cohort, ratio in asked
        if ratio is not None
    ]
    silences = [
        _immature(code, cohort, model.manifest.horizon_days)
        for code, cohort in (("no_newest_cohort", newest), ("no_matured_cohort", everyone))
        if cohort.variance.sum() < LEAST_VARIANCE
    ]
    return tuple(measures), tuple(silences)


def _cohort(tables: CanonicalTables, model: LoadedModel, *, after_us: int, until_us: int) -> Cohort:
    """Return the leads created in (after, until]; the horizon of each must be over."""
    everyone = np.arange(tables.leads.num_rows, dtype=np.int64)
    return read_cohort(
        tables,
        points_at_age(tables, everyone, 0, after_us=after_us, until_us=until_us),
        horizon_days=model.manifest.horizon_days,
        feature_set=model.feature_set,
        predict=_predict(model),
    )


def _lift(cohort: Cohort, reference: Reference, level: float) -> Ratio | None:
    now = lift_of_top(cohort)
    if now is None or reference.lift is None:
        return None
    return compare_lift(now, reference.lift, level=level)


def _immature(code: str, cohort: Cohort, horizon_days: int) -> Silence:
    return Silence(
        code=code,
        facts=(
            ("leads", len(cohort.label)),
            ("horizon_days", horizon_days),
            ("expected_wins", cohort.expected_wins),
            ("needed", int(LEAST_VARIANCE)),
        ),
    )


def _drift_findings(measures: tuple[DriftMeasure, ...]) -> Iterator[MonitoringFinding]:
    """Yield a finding per family of inputs that moved, and one per category with new values."""
    moved: dict[str, list[DriftMeasure]] = {}
    for each in measures:
        if each.raised:
            moved.setdefault(f"{each.family} at {each.age_days}", []).append(each)
    for family in moved.values():
        loudest = max(family, key=lambda each: each.psi / each.critical)
        yield _moved(loudest, others=len(family) - 1)
    yield from (_unknown(each) for each in measures if each.unknown_raised)


def _moved(measure: DriftMeasure, *, others: int) -> MonitoringFinding:
    is_score = measure.name == SCORE
    more: Facts = (("mean", measure.mean or 0.0),) if is_score else (("others", others),)
    return MonitoringFinding(
        code="score_drift" if is_score else "input_drift",
        severity=_severity(measure.psi, SMALL_PSI),
        facts=(*_facts(measure), ("psi", measure.psi), ("critical", measure.critical), *more),
    )


def _unknown(measure: DriftMeasure) -> MonitoringFinding:
    share, before = measure.unknown or 0.0, measure.unknown_before or 0.0
    return MonitoringFinding(
        code="unknown_levels",
        severity=_severity(share, SMALL_SHARE),
        facts=(*_facts(measure), ("share", share), ("share_before", before)),
    )


def _facts(measure: DriftMeasure) -> Facts:
    return (("subject", measure.name), ("rows", measure.rows), ("age_days", measure.age_days))


def _severity(size: float, small: float) -> Severity:
    return "note" if size < small else "warning"


def _outcome_findings(measures: tuple[OutcomeMeasure, ...]) -> Iterator[MonitoringFinding]:
    for each in measures:
        if not each.raised:
            continue
        ratio = each.ratio
        numbers = {"leads": each.leads, "expected_wins": each.expected_wins, "real_wins": each.real_wins}
        interval = (("ratio", ratio.value), ("low", ratio.low), ("high", ratio.high))
        yield MonitoringFinding(
            code=each.code,
            severity="warning",
            facts=(*numbers.items(), *interval, ("promised", ratio.promised)),
        )
