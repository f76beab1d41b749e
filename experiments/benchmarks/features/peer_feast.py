"""Feast's point-in-time join, in a Python of its own that has Feast and need not have LeadPact.

`python peer_feast.py STORE FOLDER SOURCE SNAPSHOTS OUT`: STORE is `dask` or `duckdb`, Feast's two offline
stores on files; FOLDER takes its registry. SOURCE holds values that were computed before: lead_id,
event_timestamp and one column per feature. For each snapshot Feast finds the newest row of the lead at or
before as_of. It prints `{"work_s": …}`; registering the view is part of set-up and not of the work.
"""

import argparse
import json
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64, String
from pyarrow import parquet

VIEW = "lead_features"


def open_store(folder: Path, source: Path, store: str) -> FeatureStore:
    """Return a store whose one view reads the source."""
    schema = parquet.read_schema(source)
    lead = Entity(name="lead", join_keys=["lead_id"], value_type=ValueType.STRING)
    fields = [
        Field(name=field.name, dtype=String if pa.types.is_string(field.type) else Float64)
        for field in schema
        if field.name not in ("lead_id", "event_timestamp")
    ]
    view = FeatureView(
        name=VIEW,
        entities=[lead],
        schema=[Field(name="lead_id", dtype=String), *fields],
        source=FileSource(path=str(source), timestamp_field="event_timestamp"),
    )
    config = RepoConfig(
        project="benchmark",
        provider="local",
        registry=str(folder / "registry.db"),
        offline_store={"type": store},
        online_store=None,
        entity_key_serialization_version=3,
    )
    opened = FeatureStore(config=config)
    opened.apply([lead, view])
    return opened


def main() -> None:
    """Join and write one file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", choices=["dask", "duckdb"])
    for name in ("folder", "source", "snapshots", "out"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    store = open_store(given.folder, given.source, given.store)
    names = [
        name for name in parquet.read_schema(given.source).names if name not in ("lead_id", "event_timestamp")
    ]
    start = time.perf_counter()
    snapshots = pd.read_parquet(given.snapshots, columns=["lead_id", "as_of"])
    snapshots = snapshots.rename(columns={"as_of": "event_timestamp"})
    job = store.get_historical_features(entity_df=snapshots, features=[f"{VIEW}:{name}" for name in names])
    found = job.to_arrow().rename_columns({"event_timestamp": "as_of"})
    parquet.write_table(found, given.out / "part-000.parquet", compression="snappy")
    print(json.dumps({"work_s": time.perf_counter() - start}))  # noqa: T201 - it is read


if __name__ == "__main__":
    main()
