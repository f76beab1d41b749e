"""One canonical CSV file -> raw tables of text. Decides what a row is and which rows cannot be read at all.

Why not DuckDB's reader here: after a quote that is never closed it goes on reading somewhere else and
drops the rows between without a word. Arrow's reader stops, and hands over every row of the wrong width.
"""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from features.importing.raw import RawStream, RawTable, numbered_from_one, unreadable_rows
from features.problems import Problem
from features.sources.reading import UnreadableFileError, repeated_names

LONGEST_ROW_BYTES = 8 << 20
LONGEST_HEADER_BYTES = 1 << 20
DELIMITERS = (",", ";", "\t", "|")
SHOWN_ROW_LENGTH = 2000
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"
Int64Array = npt.NDArray[np.int64]

NOT_UTF8 = "must be UTF-8 without NUL characters; save the export as UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The column names of a file, the delimiter between them, and the lines they take up."""

    names: tuple[str, ...]
    delimiter: str
    lines: int

    @property
    def plain_names(self) -> list[str]:
        """Names that survive whatever encoding the rows are read in."""
        return [f"c{place}" for place in range(len(self.names))]


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteFacts:
    """What one pass over the bytes tells: whether all is clean UTF-8, and whether quotes come in pairs."""

    is_clean: bool
    quotes_pair: bool


class WrongWidth:
    """Collects the rows whose number of values differs from the header's, until they are taken."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._texts: list[str] = []

    def __call__(self, row: arrow_csv.InvalidRow) -> str:
        """Note a row of the wrong width and let the reader go on."""
        self._numbers.append(row.number)
        self._texts.append(row.text[:SHOWN_ROW_LENGTH])
        return "skip"

    def take(self) -> tuple[Int64Array, list[str]]:
        """Return the lines and texts of the rows found since the last time."""
        taken = np.array(self._numbers, dtype=np.int64), self._texts
        self._numbers, self._texts = [], []
        return taken


def read_csv_table(path: Path, table: str) -> RawTable:
    """Read a CSV file as a whole; see `open_csv_table`."""
    return open_csv_table(path, table).whole()


def open_csv_table(path: Path, table: str) -> RawStream:
    """Read a CSV file with a header as text columns, in batches; the empty text is null.

    The delimiter is the one of comma, semicolon, tab and bar that splits the header most. Rows of the wrong
    width and rows that are not UTF-8 are in `unreadable`.

    Raises
    ------
    UnreadableFileError
        Empty, no usable header, a row over 8 MB, a quote that is never closed, a file we may not read. Some
        of it shows only while the batches are read.
    """
    with _readable(path):
        header, facts = _read_header(path), _scan_bytes(path)
    columns = {name: pa.array([], pa.string()) for name in header.names}
    head = RawTable(
        name=table, file=path.name, data=pa.table(columns), row_numbers=numbered_from_one(0), is_text=True
    )
    return RawStream(head=head, batches=lambda: _read_batches(path, header, facts, head))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unreadable(path, "unreadable_file", f"cannot be read: {error.strerror}") from error


def _read_header(path: Path) -> Header:
    with path.open("rb") as file:
        start = file.read(LONGEST_HEADER_BYTES).removeprefix(BYTE_ORDER_MARK)
    if not start.strip():
        raise _unreadable(path, "empty_file", "the file is empty: it must begin with the column names")
    if start.startswith(GZIP):
        raise _unreadable(path, "compressed", "the file is compressed (gzip); unpack it")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in start.split(b"\n", 1)[0]:
        raise _unreadable(path, "not_utf8", "the file is UTF-16 or binary; save the export as UTF-8 text")
    blank = len(start) - len(start.lstrip(b"\r\n"))
    line = start[blank:].splitlines()[0]
    if len(line) + blank >= LONGEST_HEADER_BYTES:
        raise _unreadable(path, "long_row", f"the header is longer than {LONGEST_HEADER_BYTES:,} bytes")
    text = line.decode(errors="replace")
    delimiter = max(DELIMITERS, key=lambda each: len(_split(text, each)))
    names = tuple(name.strip() for name in _split(text, delimiter))
    if not names:
        raise _unreadable(path, "long_row", "the header has a column name longer than 131,072 characters")
    _check_names(path, names)
    return Header(names=names, delimiter=delimiter, lines=start[:blank].count(b"\n") + 1)


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(line), delimiter=delimiter), [])
    except csv.Error:  # a name of more than 128 KB: this is not the delimiter
        return []


def _check_names(path: Path, names: tuple[str, ...]) -> None:
    problems = [
        _problem(path, "unnamed_column", f"column {place} of the header has no name")
        for place, name in enumerate(names, start=1)
        if not name
    ]
    problems += [
        _problem(path, "repeated_column", "the header names this column twice", column=name)
        for name in repeated_names(names)
        if name
    ]
    problems += [
        _problem(path, "not_utf8", f"the header {NOT_UTF8}", column=name)
        for name in names
        if "\ufffd" in name
    ]
    if problems:
        raise UnreadableFileError(*problems)


def _scan_bytes(path: Path) -> ByteFacts:
    """Read the file once in blocks: bounded memory, whatever is in it."""
    unfinished, quotes, lines, is_clean = b"", 0, 0, True
    with path.open("rb") as file:
        while block := file.read(LONGEST_ROW_BYTES):
            line_ends = block.count(b"\n") or block.count(b"\r")
            if not line_ends and len(block) == LONGEST_ROW_BYTES:
                rule = f"line {lines + 1} of the file is longer than {LONGEST_ROW_BYTES:,} bytes"
                raise _unreadable(path, "long_row", rule)
            lines += line_ends
            quotes += block.count(b'"')
            if is_clean:
                is_clean, unfinished = _is_clean(unfinished + block)
    return ByteFacts(is_clean=is_clean and not unfinished, quotes_pair=quotes % 2 == 0)


def _is_clean(block: bytes) -> tuple[bool, bytes]:
    """Whether the block is UTF-8 without NUL, and the bytes of a character that the next block completes."""
    if b"\x00" in block:
        return False, b""
    try:
        block.decode("utf-8")
    except UnicodeDecodeError as error:
        rest = block[error.start :]
        return error.reason == "unexpected end of data" and len(rest) < 4, rest
    return True, b""


def _read_batches(path: Path, header: Header, facts: ByteFacts, head: RawTable) -> Iterator[RawTable]:
    """Yield the rows that were read, with what is unreadable among them; refuse swallowed rows at the end."""
    wrong_width = WrongWidth()
    numbers = RowNumbers()
    last_row = (0, "")
    for rows in _read_rows(path, header, facts, wrong_width):
        lines, texts = wrong_width.take()
        skipped = lines - header.lines
        read = numbers.of_next(rows.num_rows, skipped)
        last_row = max(last_row, _last_row(rows, read), *zip(skipped.tolist()[-1:], texts[-1:], strict=True))
        unreadable = _wrong_width_rejects(path, header, skipped, texts)
        if not facts.is_clean:
            rows, read, broken = _set_broken_text_aside(path, rows, read)
            unreadable = pa.concat_tables([unreadable, broken])
        yield replace(head, data=_as_text(rows), row_numbers=read, unreadable=unreadable)
    if not facts.quotes_pair:
        _refuse_swallowed_rows(path, *last_row)


def _read_rows(
    path: Path, header: Header, facts: ByteFacts, wrong_width: Callable[..., str]
) -> Iterator[pa.Table]:
    """Yield all rows; bytes that are not UTF-8 come in as Latin-1, so that each row can be judged alone.

    The last table has no rows: rows of the wrong width may follow the last one that can be read.
    """
    rows_read = 0
    try:
        with _readable(path), arrow_csv.open_csv(path, **_csv_options(header, facts, wrong_width)) as reader:
            for batch in reader:
                rows_read += batch.num_rows
                yield pa.Table.from_batches([batch]).rename_columns(header.names)
    except pa.ArrowInvalid as error:
        if "Could not skip initial" not in str(error) and "Empty CSV" not in str(error):
            rule = (
                f"a row after row {rows_read} is longer than {LONGEST_ROW_BYTES:,} bytes, "
                "or its quote is never closed"
            )
            raise _unreadable(path, "long_row", rule, value=str(error)) from error
    yield pa.table({name: pa.array([], pa.string()) for name in header.names})


def _csv_options(header: Header, facts: ByteFacts, wrong_width: Callable[..., str]) -> dict[str, object]:
    return {
        "read_options": arrow_csv.ReadOptions(
            use_threads=False,  # only then does the reader know the number of a row of the wrong width
            block_size=LONGEST_ROW_BYTES,
            skip_rows=header.lines,
            column_names=header.plain_names,
            encoding="utf8" if facts.is_clean else "latin1",
        ),
        "parse_options": arrow_csv.ParseOptions(
            delimiter=header.delimiter, newlines_in_values=True, invalid_row_handler=wrong_width
        ),
        "convert_options": arrow_csv.ConvertOptions(
            column_types={name: pa.string() for name in header.plain_names},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    }


class RowNumbers:
    """Numbers the rows that were read, batch by batch, without the numbers of the rows that were not."""

    def __init__(self) -> None:
        self._next = 1
        self._skipped = np.empty(0, dtype=np.int64)

    def of_next(self, rows: int, skipped: Int64Array) -> pa.Array:
        """Return the numbers (rows,) of the next rows.

        `skipped` are the numbers of the rows found since the last time that could not be read; the reader may
        be ahead with them.
        """
        self._skipped = np.concatenate([self._skipped, skipped])
        every = np.arange(self._next, self._next + rows + self._skipped.size, dtype=np.int64)
        numbers = np.setdiff1d(every, self._skipped, assume_unique=True)[:rows]
        if rows:
            self._next = int(numbers[-1]) + 1
            self._skipped = self._skipped[self._skipped >= self._next]
        return pa.array(numbers)


def _last_row(rows: pa.Table, numbers: pa.Array) -> tuple[int, str]:
    """Return the number and the text of the last row, (0, "") when there is none."""
    last = rows.slice(max(rows.num_rows - 1, 0)).to_pylist()
    return max(
        [(numbers[-1].as_py(), " ".join(value or "" for value in row.values())) for row in last],
        default=(0, ""),
    )


def _refuse_swallowed_rows(path: Path, number: int, text: str) -> None:
    """Refuse the file when its last row runs over line ends because its quote is never closed."""
    if "\n" in text or "\r" in text:
        rule = "a quote is opened in this row and never closed, so the rest of the file is unreadable"
        raise UnreadableFileError(_problem(path, "unclosed_quote", rule, row=number))


def _wrong_width_rejects(path: Path, header: Header, rows: Int64Array, texts: list[str]) -> pa.Table:
    rule = f"must have {len(header.names)} values, one per column of the header"
    content = pa.array(texts, pa.string())
    return unreadable_rows(path.name, pa.array(rows), content, code="wrong_width", rule=rule)


def _set_broken_text_aside(
    path: Path, rows: pa.Table, numbers: pa.Array
) -> tuple[pa.Table, pa.Array, pa.Table]:
    """Turn Latin-1 back into the bytes it was, and set the rows aside whose bytes are not UTF-8."""
    broken = np.zeros(rows.num_rows, dtype=np.bool_)
    for place, name in enumerate(rows.column_names):
        column, is_broken = _restore_utf8(rows.column(name))
        rows = rows.set_column(place, name, column)
        broken |= is_broken
    mask = pa.array(broken)
    text = pc.binary_join_element_wise(
        *[column.cast(pa.string()) for column in rows.filter(mask).columns], ",", null_handling="replace"
    )
    rejects = unreadable_rows(path.name, numbers.filter(mask), text, code="not_utf8", rule=NOT_UTF8)
    return rows.filter(pc.invert(mask)), numbers.filter(pc.invert(mask)), rejects


def _restore_utf8(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, np.ndarray]:
    """Decode the few values that are not plain ASCII; the replacement sign marks what was no UTF-8."""
    plain = pc.and_not(pc.string_is_ascii(column), pc.match_substring(column, "\x00"))
    odd = pc.invert(pc.fill_null(plain, fill_value=True))
    restored = [_decode(value) for value in column.filter(odd).to_pylist()]
    values = pc.replace_with_mask(
        column.combine_chunks(), odd.combine_chunks(), pa.array([t for t, _ in restored], pa.string())
    )
    broken = odd.to_numpy().copy()
    broken[broken] = [is_broken for _, is_broken in restored]
    return pa.chunked_array([values]), broken


def _decode(latin1: str) -> tuple[str, bool]:
    data = latin1.encode("latin-1")
    try:
        return data.decode("utf-8"), "\x00" in latin1
    except UnicodeDecodeError:
        return data.decode("utf-8", errors="replace"), True


def _as_text(rows: pa.Table) -> pa.Table:
    return rows.cast(pa.schema([(name, pa.string()) for name in rows.column_names]))


def _unreadable(path: Path, code: str, rule: str, value: str | None = None) -> UnreadableFileError:
    return UnreadableFileError(_problem(path, code, rule, value=value))


def _problem(
    path: Path,
    code: str,
    rule: str,
    *,
    row: int | None = None,
    column: str | None = None,
    value: str | None = None,
) -> Problem:
    return Problem(code=code, file=path.name, rule=rule, row=row, column=column, value=value)
