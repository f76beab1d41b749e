"""LeadPact's side: what a user of the history runs, and nothing else."""

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from experiments.benchmarks.features.task import AS_OF, Task, Work
from features.attributes import instants_us
from features.build import Points, build_features
from features.definitions import FeatureSet
from features.encode import decode_table
from features.feature_table import feature_table
from features.history.store import History
from features.log import lead_codes
from features.tables import CanonicalTables


def write_features(feature_set: FeatureSet, task: Task) -> None:
    """Compute the task from the history and write one file."""
    tables = History(task.folder).read()
    if task.work is Work.BATCH:
        table = feature_table(feature_set, tables, as_of=AS_OF)
    else:
        table = _training_table(feature_set, tables, task)
    parquet.write_table(table, task.result(), compression="snappy")


def _training_table(feature_set: FeatureSet, tables: CanonicalTables, task: Task) -> pa.Table:
    snapshots = parquet.read_table(task.snapshots)
    points = Points(
        lead_index=lead_codes(snapshots.column("lead_id"), tables),
        as_of_us=instants_us(snapshots.column("as_of")),
    )
    readable = decode_table(feature_set, build_features(feature_set, tables, points))
    return readable.add_column(0, "point", pa.array(np.arange(len(points))))
