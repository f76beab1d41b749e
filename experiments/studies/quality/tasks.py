"""The fixed tasks: loaded from the data's folder, never copied, so that everyone measures the same rows."""

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import InputError

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """One data set: rows oldest first, 0 or 1, and which rows teach and which judge, split by split."""

    name: str
    frame: pd.DataFrame
    label: IntArray
    splits: tuple[tuple[IntArray, IntArray], ...]


def load_tasks(folder: Path, names: Sequence[str]) -> Iterator[Task]:
    """Yield the named tasks of ``tasks.py`` in `folder`, all of them without names."""
    source = folder / "tasks.py"
    if not source.is_file():
        raise InputError(f"the data folder must hold tasks.py; got {folder}")
    spec = importlib.util.spec_from_file_location("leadpact_quality_tasks", source)
    if spec is None or spec.loader is None:
        raise InputError(f"{source} must be a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    unknown = sorted(set(names) - set(module.TASKS))
    if unknown:
        raise InputError(f"tasks must be among {', '.join(module.TASKS)}; got {', '.join(unknown)}")
    for name in names or module.TASKS:
        given = module.TASKS[name](folder)
        yield Task(
            name=given.name, frame=given.X, label=np.asarray(given.y, np.int64), splits=tuple(given.splits)
        )
