"""LeadPact's side: what `leadpact features build` does with a history, and nothing else."""

import numpy as np

from experiments.benchmarks.features.task import AS_OF, Task, Work
from features.asked import AllLeadsAt, Asked, read_points
from features.definitions import FeatureSet
from features.feature_table import write_feature_table
from features.history.store import History
from features.kernel import looked_up

# numba imports a third of itself at the first call of any function: here, with all other imports
looked_up(np.zeros(1, np.int8), np.zeros(1, np.int32))


def write_features(feature_set: FeatureSet, task: Task) -> None:
    """Compute the task from the history and write one file."""
    buckets = History(task.folder).buckets(feature_set.attributes)
    write_feature_table(feature_set, buckets, _asked(task), task.result())


def _asked(task: Task) -> Asked:
    return AllLeadsAt(AS_OF) if task.work is Work.BATCH else read_points(task.snapshots)
