"""LeadPact's side: what `leadpact features build` does with a history, and nothing else."""

from pyarrow import parquet

from experiments.benchmarks.features.task import AS_OF, Task, Work
from features.asked import AllLeadsAt, Asked, ListedPoints
from features.definitions import FeatureSet
from features.feature_table import write_feature_table
from features.history.store import History


def write_features(feature_set: FeatureSet, task: Task) -> None:
    """Compute the task from the history and write one file."""
    buckets = History(task.folder).buckets(feature_set.attributes)
    write_feature_table(feature_set, buckets, _asked(task), task.result())


def _asked(task: Task) -> Asked:
    if task.work is Work.BATCH:
        return AllLeadsAt(AS_OF)
    return ListedPoints(parquet.read_table(task.snapshots))
