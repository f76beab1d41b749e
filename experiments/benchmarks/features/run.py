"""One engine, one task, one process: what is measured.

`python -m experiments.benchmarks.features.run ENGINE WORK FOLDER OUT [--form FORM] [--parts N]`.
"""

import argparse
import json
import time
from importlib import import_module
from pathlib import Path

from experiments.benchmarks.features.chosen import chosen_features
from experiments.benchmarks.features.task import Form, Task, Work

MODULES = {
    "leadpact": "experiments.benchmarks.features.leadpact",
    "duckdb": "experiments.benchmarks.features.peers_duckdb",
    "polars": "experiments.benchmarks.features.peers_polars",
    "pandas": "experiments.benchmarks.features.peers_pandas",
}


def main() -> None:
    """Run what the arguments say, importing only the engine asked for, and print how long the work took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=sorted(MODULES))
    parser.add_argument("work", type=Work)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--form", type=Form, default=Form.HISTORY)
    parser.add_argument("--parts", type=int, default=1)
    given = parser.parse_args()
    task = Task(work=given.work, folder=given.folder, out=given.out, form=given.form, parts=given.parts)
    engine, feature_set = import_module(MODULES[given.engine]), chosen_features()
    start = time.perf_counter()
    engine.write_features(feature_set, task)
    print(json.dumps({"work_s": time.perf_counter() - start}))  # noqa: T201 - the parent process reads it


if __name__ == "__main__":
    main()
