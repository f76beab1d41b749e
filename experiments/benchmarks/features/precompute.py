"""What Feast is given to join: the features of every lead at every landmark age, computed by LeadPact.

`python -m experiments.benchmarks.features.precompute FOLDER`; outside any measured time.
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from experiments.benchmarks.features.chosen import chosen_features
from experiments.benchmarks.features.task import LANDMARK_DAYS, PRECOMPUTED
from features.attributes import instants_us
from features.build import Points, build_features
from features.encode import decode_table
from features.history.store import History
from features.tables import TIME_TYPE
from features.times import DAY_US


def write_precomputed(folder: Path) -> None:
    """Write lead_id, event_timestamp and the features, unless the folder has them."""
    if (folder / PRECOMPUTED).is_file():
        return
    feature_set, tables = chosen_features(), History(folder).read()
    created_us = instants_us(tables.leads.column("created_at"))
    lead = np.repeat(np.arange(len(created_us)), len(LANDMARK_DAYS))
    ages_us = np.tile(np.array(LANDMARK_DAYS) * DAY_US, len(created_us))
    points = Points(lead_index=lead, as_of_us=created_us[lead] + ages_us)
    features = decode_table(feature_set, build_features(feature_set, tables, points))
    ids = tables.leads.column("lead_id").take(pa.array(lead))
    instants = pa.array(points.as_of_us).cast(TIME_TYPE)
    names = ["lead_id", "event_timestamp", *features.column_names]
    parquet.write_table(pa.table([ids, instants, *features.columns], names=names), folder / PRECOMPUTED)


def main() -> None:
    """Write the values of one folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    write_precomputed(parser.parse_args().folder)


if __name__ == "__main__":
    main()
