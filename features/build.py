"""Tables and points -> the matrix the model eats: each lead as it was known at each instant.

The activity features are the kernel's (`features.kernel`); attributes as of, and ages, are decided here.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.attributes import AttributesAsOf, ages_days, instants_us
from features.definitions import ACTIVITY_KINDS, Feature, FeatureKind, FeatureSet
from features.kernel import fill_activity_features
from features.log import read_log
from features.plan import compile_plan
from features.tables import CanonicalTables

Int64Array = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Points:
    """What is asked: lead i, as it was known at instant i.

    lead_index : int64 (n_points,), rows of `tables.leads`.
    as_of_us : int64 (n_points,), microseconds UTC; ignored by a feature set that needs no times.
    """

    lead_index: Int64Array
    as_of_us: Int64Array

    def __post_init__(self) -> None:
        if self.lead_index.shape != self.as_of_us.shape or self.lead_index.ndim != 1:
            raise ValueError(
                "lead_index and as_of_us must be one-dimensional and of equal length; "
                f"got {self.lead_index.shape} and {self.as_of_us.shape}"
            )

    def __len__(self) -> int:
        return int(self.lead_index.size)


def build_features(feature_set: FeatureSet, tables: CanonicalTables, points: Points) -> Float64Array:
    """Return the values of every feature at every point: float64 (n_points, n_features).

    The order of rows in any table changes no bit, and neither does anything that happened after as_of.
    """
    return np.ascontiguousarray(feature_columns(feature_set, tables, points).T)


def feature_columns(feature_set: FeatureSet, tables: CanonicalTables, points: Points) -> Float64Array:
    """Return the same values feature by feature: float64 (n_features, n_points)."""
    _check_leads(points, tables.leads.num_rows)
    columns = np.empty((len(feature_set.features), len(points)))
    lead, as_of_us = (np.array(each, dtype=np.int64) for each in (points.lead_index, points.as_of_us))
    _fill_activities(columns, feature_set, tables, lead, as_of_us)
    attributes = AttributesAsOf(tables, lead, as_of_us)
    for values, feature in zip(columns, feature_set.features, strict=True):
        if feature.kind is FeatureKind.LEAD_AGE_DAYS:
            created_us = instants_us(tables.leads.column("created_at"))
            values[:] = ages_days(created_us[lead], as_of_us)
        elif feature.kind not in ACTIVITY_KINDS:
            values[:] = _of_attributes(feature, feature_set, attributes)
    return columns


def _of_attributes(feature: Feature, feature_set: FeatureSet, attributes: AttributesAsOf) -> Float64Array:
    if feature.kind is FeatureKind.PERSONA:
        return attributes.personas(feature)
    if feature.kind is FeatureKind.ATTRIBUTE_CHANGES:
        return attributes.change_counts(watched_attributes(feature, feature_set), feature.window_days or 0)
    return attributes.values(feature)


def watched_attributes(feature: Feature, feature_set: FeatureSet) -> frozenset[str]:
    """Return the attributes whose changes a feature counts: its own, or all that the set reads."""
    return feature_set.attributes if feature.attribute is None else feature.reads


def _check_leads(points: Points, n_leads: int) -> None:
    if len(points) and not (points.lead_index.min() >= 0 and points.lead_index.max() < n_leads):
        raise ValueError(
            f"lead_index must lie in [0, {n_leads - 1}]; "
            f"got {points.lead_index.min()} to {points.lead_index.max()}"
        )


def _fill_activities(
    columns: Float64Array,
    feature_set: FeatureSet,
    tables: CanonicalTables,
    lead: Int64Array,
    as_of_us: Int64Array,
) -> None:
    plan = compile_plan(feature_set)
    if len(plan.steps):
        log = read_log(feature_set, tables)
        fill_activity_features(columns, *plan.arrays, *log.arrays, lead, as_of_us)
