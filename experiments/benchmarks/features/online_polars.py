"""One lead in polars: a frame of the dicts, one pass of the expressions that the batch uses.

Tried: `select` without grouping against the query of the batch with one group (2 times as long).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from experiments.benchmarks.features.peers_polars import (
    AGE,
    CHANNELS,
    KINDS,
    column_of,
    count_of,
    totals_of,
    with_day_bit,
)
from experiments.benchmarks.features.task import AS_OF_US
from features.definitions import FeatureKind, FeatureSet
from features.times import EPOCH, MICROSECOND

SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "occurred_at": pl.String,
    "kind": KINDS,
    "asset": pl.String,
    "channel": CHANNELS,
}


class PolarsOnline:
    """Holds the expressions."""

    def __init__(self, feature_set: FeatureSet) -> None:
        features = feature_set.features
        self._totals = [*totals_of(features), *(each for each in _distincts(feature_set))]
        self._columns = [column_of(each, feature_set).alias(each.name) for each in features]

    def row(self, lead: Mapping[str, Any], activities: Sequence[Mapping[str, Any]]) -> Sequence[object]:
        """Return one value per feature, as text or number."""
        given = {name: [each[name] for each in activities] for name in SCHEMA}
        created_us = (datetime.fromisoformat(lead["created_at"]) - EPOCH) // MICROSECOND
        occurred = pl.col("occurred_at").str.to_datetime("%+", time_unit="us").cast(pl.Int64)
        known = (
            pl.DataFrame(given, schema=SCHEMA)
            .lazy()
            .with_columns(age=AS_OF_US - occurred)
            .filter(AGE >= 0)
            .sort("age", descending=True)
            .with_columns(gap=AGE.shift(1) - AGE)
        )
        totals = (
            with_day_bit(known).select(self._totals).with_columns(as_of_us=AS_OF_US, created_us=created_us)
        )
        row: tuple[object, ...] = totals.select(self._columns).collect().row(0)
        return row


def _distincts(feature_set: FeatureSet) -> list[pl.Expr]:
    return [
        pl.col("asset").filter(count_of(each)).drop_nulls().n_unique().alias(each.name)
        for each in feature_set.features
        if each.kind is FeatureKind.DISTINCT_ASSETS
    ]
