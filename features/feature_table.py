"""The feature table people read: one row per lead known at an instant, values in words.

Decides which leads have a row; the values are those of `features.build`.
"""

from datetime import datetime

import numpy as np
import pyarrow as pa

from features.attributes import instants_us
from features.build import Points, build_features
from features.definitions import FeatureSet
from features.encode import decode_table
from features.tables import TIME_TYPE, CanonicalTables
from features.times import EPOCH, MICROSECOND


def feature_table(feature_set: FeatureSet, tables: CanonicalTables, *, as_of: datetime) -> pa.Table:
    """Return `lead_id`, `as_of` and one column per feature, for the leads created at or before `as_of`.

    For a set that needs no times, and for tables without them, every lead has a row; `as_of` is null there.
    """
    as_of_us = (as_of - EPOCH) // MICROSECOND
    points = _points(tables, as_of_us)
    readable = decode_table(feature_set, build_features(feature_set, tables, points))
    instant = as_of if feature_set.needs_times else None
    ids = tables.leads.column("lead_id").take(pa.array(points.lead_index))
    instants = pa.array([instant] * len(points), TIME_TYPE)
    return pa.table([ids, instants, *readable.columns], names=["lead_id", "as_of", *readable.column_names])


def _points(tables: CanonicalTables, as_of_us: int) -> Points:
    known = np.ones(tables.leads.num_rows, dtype=np.bool_)
    if tables.has_times:
        known = instants_us(tables.leads.column("created_at")) <= as_of_us
    lead_index = np.flatnonzero(known).astype(np.int64)
    return Points(lead_index=lead_index, as_of_us=np.full(lead_index.size, as_of_us, dtype=np.int64))
