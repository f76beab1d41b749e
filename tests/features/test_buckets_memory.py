"""Memory of a source in buckets: it does not grow with the number of activities."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import parquet

N_LEADS = 20_000
SMALL, LARGE = 500_000, 3_000_000
MOST_GROWTH_MB = 350
"""Read whole, six times the rows need about 850 MB more; buffers of a fixed size are filled by then."""

MEASURE = """
import resource, sys
from pathlib import Path
from features.sources.buckets import open_buckets

def rows(folder):
    with open_buckets(folder) as buckets:
        read = sum(buckets.read(number).activities.num_rows for number in range(len(buckets)))
        return read, len(buckets)

for folder in sys.argv[1:]:
    print(*rows(folder), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def write_log(folder: Path, rows: int, kind: str) -> str:
    """Write leads and a log of so many activities in no order, as a CRM would name things."""
    folder.mkdir()
    chance = np.random.default_rng(rows)
    leads = pa.table({"lead_id": [f"lead-{number:07d}" for number in range(N_LEADS)]})
    at = pa.array(1_767_225_600_000_000 + chance.integers(0, 10**13, rows), pa.timestamp("us", "UTC"))
    activities = pa.table(
        {
            "activity_id": pa.array(np.arange(rows)).cast(pa.string()),
            "lead_id": leads["lead_id"].take(pa.array(chance.integers(0, N_LEADS, rows))),
            "occurred_at": pc.strftime(at, "%Y-%m-%dT%H:%M:%SZ") if kind == "csv" else at,
            "kind": pa.array(["page_view", "call", "mail"]).take(pa.array(chance.integers(0, 3, rows))),
            "value": chance.random(rows),
        }
    )
    write = arrow_csv.write_csv if kind == "csv" else parquet.write_table
    for name, table in (("leads", leads), ("activities", activities)):
        write(table, folder / f"{name}.{kind}")
    return str(folder)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_six_times_the_activities_need_little_more_memory(tmp_path: Path, kind: str) -> None:
    """Every row is read, and the peak of the process stays where the buffers put it."""
    folders = [write_log(tmp_path / str(rows), rows, kind) for rows in (SMALL, LARGE)]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *folders], capture_output=True, text=True, check=True
    )
    (small_rows, _, small_mb), (large_rows, buckets, large_mb) = (
        map(int, line.split()) for line in done.stdout.splitlines()
    )
    assert (small_rows, large_rows) == (SMALL, LARGE)
    assert buckets > 5
    assert large_mb - small_mb < MOST_GROWTH_MB, done.stdout
