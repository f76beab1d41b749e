"""One lead in pandas: a frame of the dicts, then the vectorised columns that the batch uses."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from experiments.benchmarks.features.peers_pandas import Known, features_columns
from experiments.benchmarks.features.task import AS_OF_US, SHARES_OF_CHANNELS, SHARES_OF_KINDS
from features.definitions import FeatureSet

KINDS, CHANNELS = pd.Index(list(SHARES_OF_KINDS)), pd.Index([name for name in SHARES_OF_CHANNELS if name])


def pandas_row(
    feature_set: FeatureSet, lead: Mapping[str, Any], activities: Sequence[Mapping[str, Any]]
) -> Sequence[object]:
    """Return one value per feature, as text or number."""
    frame = pd.DataFrame(activities)
    occurred = pd.to_datetime(frame["occurred_at"], utc=True, format="ISO8601")
    age = AS_OF_US - occurred.dt.as_unit("us").astype("int64").to_numpy()
    order = np.argsort(-age, kind="stable")
    order = order[age[order] >= 0]
    rows = pd.DataFrame(
        {
            "key": np.zeros(len(order), dtype=np.int64),
            "kind": KINDS.get_indexer(pd.Index(frame["kind"]))[order],
            "channel": CHANNELS.get_indexer(pd.Index(frame["channel"]))[order],
            "asset": pd.factorize(frame["asset"])[0][order],
            "age": age[order],
            "gap": np.concatenate([[-1], -np.diff(age[order])]),
        },
        copy=False,
    )
    created_us = pd.Timestamp(lead["created_at"]).value // 1000
    points = pd.DataFrame({"as_of_us": [AS_OF_US], "created_us": [created_us]})
    columns = features_columns(feature_set, Known(rows, points, KINDS, CHANNELS))
    return [values.iloc[0] if isinstance(values, pd.Series) else values[0] for _, values in columns]
