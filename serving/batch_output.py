"""Where the scores of a batch go: Parquet or CSV by the ending; complete under its name, or not there."""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import IO

import pyarrow as pa
from pyarrow import parquet

from features.errors import InputError
from features.files import disk_failures_named, draft_of
from features.tables import TIME_TYPE
from serving.answers import ScoreAnswer

NOT_FLAT = ("reasons", "warnings")
COLUMNS = tuple(field.name for field in fields(ScoreAnswer) if field.name not in NOT_FLAT)
TIMES = ("as_of", "respond_by")
NUMBERS = ("probability", "probability_low", "probability_high", "persona_confidence", "base_points")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

WriteBlock = Callable[[Sequence[ScoreAnswer]], None]


@contextmanager
def open_output(path: Path) -> Iterator[WriteBlock]:
    """Give a function that writes a block of answers; the file appears under its name when all went well."""
    writers = {".parquet": _parquet_writer, ".csv": _csv_writer}
    if path.suffix not in writers:
        raise InputError(f"OUT must end in {' or '.join(writers)}; got {path.name!r}")
    if not path.parent.is_dir():
        raise InputError(f"the folder of OUT must exist; got {str(path.parent)!r}")
    with disk_failures_named(path, "no scores were written"), draft_of(path) as draft:
        with draft.open("wb") as file:
            with writers[path.suffix](file) as write:
                yield write
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


@contextmanager
def _parquet_writer(file: IO[bytes]) -> Iterator[WriteBlock]:
    with parquet.ParquetWriter(file, answers_schema()) as writer:
        yield lambda answers: writer.write_table(answers_table(answers))


def answers_table(answers: Sequence[ScoreAnswer]) -> pa.Table:
    """Return the flat fields of answers, one row each."""
    columns = [[getattr(answer, name) for answer in answers] for name in COLUMNS]
    return pa.table(columns, schema=answers_schema())


def answers_schema() -> pa.Schema:
    """Return the columns of `answers_table`."""
    return pa.schema([(name, _arrow_type(name)) for name in COLUMNS])


@contextmanager
def _csv_writer(file: IO[bytes]) -> Iterator[WriteBlock]:
    write_row = csv_row_writer(file)
    write_row(COLUMNS)

    def write(answers: Sequence[ScoreAnswer]) -> None:
        for answer in answers:
            write_row([getattr(answer, name) for name in COLUMNS])

    yield write


def csv_row_writer(file: IO[bytes]) -> Callable[[Sequence[object]], None]:
    """Return a function that writes one row as RFC 4180 CSV in UTF-8, safe to open in a spreadsheet."""
    # Encoded here, so that the file below stays open for the final flush to disk. The line end of the RFC
    # makes the csv module quote both of its characters.
    lines = csv.writer(_Encoded(file), lineterminator="\r\n")
    return lambda values: lines.writerow([csv_cell(value) for value in values])


class _Encoded:
    """The one method the csv module asks for, over a binary file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write text as UTF-8."""
        return self._file.write(text.encode())


def csv_cell(value: object) -> object:
    """Return a value as a cell; a text that a spreadsheet would run as a formula gets a quote before it."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def _arrow_type(name: str) -> pa.DataType:
    if name in TIMES:
        return TIME_TYPE
    if name in NUMBERS:
        return pa.float64()
    return pa.int64() if name == "points" else pa.string()
