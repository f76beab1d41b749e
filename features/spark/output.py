"""Where a data frame goes: a folder of Parquet written by the workers, complete under its name or not there.

On a disk of this machine the folder is written beside its place and renamed. In a cluster's storage Spark's
committer decides: a complete folder holds `_SUCCESS`.
"""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pyarrow import parquet

from features.errors import InputError, LeadPactError
from features.files import disk_failures_named
from features.spark.session import spark_failures_named
from features.spark.tables import is_url

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ENDING = ".parquet"


def check_output(out: str) -> None:
    """Refuse a wrong OUT before the work that would be in vain."""
    if not out.rstrip("/").endswith(ENDING):
        raise InputError(f"with --engine spark OUT is a folder whose name ends in {ENDING}; got {out!r}")
    if is_url(out):
        return
    if Path(out).exists():
        raise InputError(f"with --engine spark OUT is a new folder; {out!r} is there already")
    if not Path(out).absolute().parent.is_dir():
        raise InputError(f"the folder of OUT must exist; got {str(Path(out).parent)!r}")


def write_rows(frame: "DataFrame", out: str) -> int:
    """Write a data frame as a folder of Parquet files and return its number of rows.

    Raises
    ------
    InputError
        OUT is there already, or a worker refused its input.
    LeadPactError
        Spark or the disk failed, or the workers wrote where this machine cannot see it.
    """
    if is_url(out):
        return _write(frame, out, named=out)
    with disk_failures_named(Path(out), "nothing was written"), _draft_folder(Path(out)) as draft:
        rows = _write(frame, f"file://{draft}", named=out)
        check_seen(draft, rows)
        draft.rename(out)
    return rows


def _write(frame: "DataFrame", folder: str, *, named: str) -> int:
    """Write and count in one pass: the count travels with the tasks, the rows do not."""
    from pyspark.sql import Observation
    from pyspark.sql import functions as fn

    seen = Observation()
    counted = frame.observe(seen, fn.count(fn.lit(1)).alias("rows"))
    with spark_failures_named(f"cannot write {named}"):
        counted.write.parquet(folder)
        return int(seen.get["rows"])


@contextmanager
def _draft_folder(out: Path) -> Iterator[Path]:
    """Give a new name beside OUT; the draft never outlives the block."""
    draft = out.absolute().with_name(f".{out.name}.{secrets.token_hex(4)}.draft")
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def check_seen(folder: Path, rows: int) -> None:
    """Compare with the files' footers: a cluster whose workers have their own disks leaves no file here."""
    found = sum(parquet.read_metadata(file).num_rows for file in folder.glob(f"*{ENDING}"))
    if found != rows:
        raise LeadPactError(
            f"the workers wrote {rows} rows and {found} of them are on this machine; "
            "give OUT as an address that all of them share, such as s3a://bucket/out.parquet"
        )
