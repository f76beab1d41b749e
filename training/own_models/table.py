"""The training table: the labelled snapshots of the training leads, for a model that is fitted elsewhere.

One Parquet file in readable form. The leads that calibrate and judge are not in it, so nobody trains on them
by accident; the feature set travels in its metadata, so that the model is read with the same levels.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from features.build import build_features
from features.definitions import FeatureSet
from features.encode import decode_table, encode_table
from features.errors import InputError
from features.files import disk_failures_named, draft_of
from features.tables import TIME_TYPE, CanonicalTables
from training.outcomes import IntArray
from training.points import FloatArray
from training.recipe import PreparedData

METADATA_KEY = b"leadpact.training_table"
LABEL, WEIGHT = "won_within_horizon", "label_weight"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingTable:
    """What a model may learn from: one row per snapshot with a known outcome.

    ``matrix`` (n, n_features) in the order of ``names``: numbers, 0 and 1, codes of categories (the columns
    ``categorical``), NaN for missing. ``label`` (n,) 1 = won within the horizon; ``weight`` (n,) makes up for
    leads that are still open; ``lead_id`` (n,) says which rows belong to one lead.
    """

    feature_set: FeatureSet
    horizon_days: int
    matrix: FloatArray
    label: npt.NDArray[np.int8]
    weight: FloatArray
    lead_id: npt.NDArray[np.object_]
    as_of: npt.NDArray[np.datetime64]

    @property
    def names(self) -> tuple[str, ...]:
        """The features, in the order of the columns."""
        return self.feature_set.names

    @property
    def categorical(self) -> list[int]:
        """The columns whose numbers are codes without an order."""
        return list(self.feature_set.categorical_indices)


def write_training_table(tables: CanonicalTables, data: PreparedData, out: Path, *, horizon_days: int) -> int:
    """Write the known snapshots of the training part as Parquet, whole or not at all; return the rows."""
    part, feature_set = data.train, data.feature_set
    known = np.flatnonzero(part.labels.known)
    matrix = build_features(feature_set, tables, part.points)[known]
    ids = tables.leads.column("lead_id").take(pa.array(part.points.lead_index[known]))
    columns = {
        "lead_id": ids,
        "as_of": _instants(tables, part.points.as_of_us[known]),
        LABEL: pa.array(part.labels.label[known]),
        WEIGHT: pa.array(part.labels.weight[known]),
    }
    readable = decode_table(feature_set, matrix)
    told = {"feature_set": feature_set.to_dict(), "horizon_days": horizon_days}
    rows = pa.table([*columns.values(), *readable.columns], names=[*columns, *readable.column_names])
    with disk_failures_named(out, "no table was written"), draft_of(out) as draft:
        parquet.write_table(rows.replace_schema_metadata({METADATA_KEY: json.dumps(told)}), draft)
        draft.replace(out)
    return int(rows.num_rows)


def read_training_table(path: Path | str) -> TrainingTable:
    """Read what `leadpact model table` wrote; InputError when the file is something else."""
    try:
        rows = parquet.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path}: must be a training table of `leadpact model table`; {error}") from error
    told = (rows.schema.metadata or {}).get(METADATA_KEY)
    if told is None:
        raise InputError(
            f"{path}: must be a training table of `leadpact model table`; it holds a table without a feature "
            "set (a table that was written again by another program loses it)"
        )
    plain = json.loads(told)
    feature_set = FeatureSet.from_dict(plain["feature_set"])
    return TrainingTable(
        feature_set=feature_set,
        horizon_days=int(plain["horizon_days"]),
        matrix=encode_table(feature_set, rows),
        label=rows.column(LABEL).to_numpy().astype(np.int8),
        weight=rows.column(WEIGHT).to_numpy(),
        lead_id=rows.column("lead_id").to_numpy(),
        as_of=rows.column("as_of").to_numpy(),
    )


def _instants(tables: CanonicalTables, as_of_us: IntArray) -> pa.Array:
    if not tables.has_times:
        return pa.nulls(len(as_of_us), TIME_TYPE)
    return pa.array(as_of_us, pa.int64()).cast(TIME_TYPE)
