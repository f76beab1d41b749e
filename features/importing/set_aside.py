"""Rejects that may be more than memory holds: on disk as they are found, read back in the order of rows."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from features.files import disk_failures_named
from features.importing.raw import REJECTS_SCHEMA, in_row_order

ROWS_PER_SLICE = 250_000
ROWS_PER_PART = 50_000


class SetAside:
    """The rejects of one source, each table's in slices of its row numbers; add first, then read.

    The folder is the caller's to remove. LeadPactError when its disk refuses. Not safe to share by threads.
    """

    def __init__(self, folder: Path, tables: Sequence[str], rows_per_slice: int = ROWS_PER_SLICE) -> None:
        self._folder = folder
        self._tables = tuple(tables)
        self._rows_per_slice = rows_per_slice
        self._files = ExitStack()
        self._writers: dict[tuple[str, int], ipc.RecordBatchStreamWriter] = {}

    def add(self, table: str, rejects: pa.Table) -> None:
        """Keep rejects of one table; all rejects of a row come at once, in the order of its rules."""
        numbers = rejects.column("row").to_numpy() // self._rows_per_slice
        with disk_failures_named(self._folder, "rows could not be set aside"):
            for number in np.unique(numbers).tolist():
                self._writer(table, int(number)).write_table(rejects.filter(pa.array(numbers == number)))

    def close(self) -> None:
        """Finish the files."""
        self._files.close()

    def parts(self) -> Iterator[pa.Table]:
        """Yield all rejects, table by table, by row; after `close`."""
        for table in self._tables:
            for _, number in sorted(key for key in self._writers if key[0] == table):
                with pa.OSFile(str(self._file(table, number))) as file, ipc.open_stream(file) as reader:
                    rejects = in_row_order(reader.read_all())
                yield from (
                    rejects.slice(first, ROWS_PER_PART) for first in range(0, rejects.num_rows, ROWS_PER_PART)
                )

    def __bool__(self) -> bool:
        return bool(self._writers)

    def _file(self, table: str, number: int) -> Path:
        return self._folder / f"rejects-{table}-{number}.arrows"

    def _writer(self, table: str, number: int) -> ipc.RecordBatchStreamWriter:
        if (table, number) not in self._writers:
            options = ipc.IpcWriteOptions(compression="lz4")
            writer = ipc.new_stream(self._file(table, number), REJECTS_SCHEMA, options=options)
            self._writers[table, number] = self._files.enter_context(writer)
        return self._writers[table, number]
