"""What a canonical CSV file may look like, and what becomes of bytes that are no such file."""

import csv
import gzip
import io
import resource
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.sources.csv_file import LONGEST_HEADER_BYTES, LONGEST_ROW_BYTES, read_csv_table
from features.sources.reading import UnreadableFileError

HEADER = b"lead_id,name\n"


def read(
    folder: Path, content: bytes
) -> tuple[list[dict[str, str | None]], list[int], list[tuple[int, str]]]:
    """Return the rows, their numbers, and (row, code) of what could not be read."""
    (folder / "leads.csv").write_bytes(content)
    raw = read_csv_table(folder / "leads.csv", "leads")
    unreadable = [(each["row"], each["code"]) for each in raw.unreadable.to_pylist()]
    return raw.data.to_pylist(), raw.row_numbers.to_pylist(), unreadable


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        pytest.param(b"lead_id,name\nL1,Ann\n", [("L1", "Ann")], id="plain"),
        pytest.param(
            b"\xef\xbb\xbflead_id,name\r\nL1,Ann\r\n", [("L1", "Ann")], id="byte-order-mark-and-crlf"
        ),
        pytest.param(b"lead_id;name\nL1;a,b\n", [("L1", "a,b")], id="semicolon"),
        pytest.param(b"lead_id\tname\nL1\tAnn", [("L1", "Ann")], id="tab-and-no-last-line-end"),
        pytest.param(b'"lead_id" , "name"\nL1,Ann\n', None, id="blanks-before-quotes-are-part-of-the-name"),
        pytest.param(
            b'lead_id,name\nL1,"say ""hi""\nthere"\n', [("L1", 'say "hi"\nthere')], id="quotes-and-lines"
        ),
        pytest.param(
            b'lead_id,name\nL1,5" pipe\nL2,x\n', [("L1", '5" pipe'), ("L2", "x")], id="an-inch-sign"
        ),
        pytest.param(b'lead_id,name\nL1,""\nL2,\n', [("L1", None), ("L2", None)], id="empty-is-null"),
        pytest.param(b"lead_id,name\nL1,NULL\nL2,nan\n", [("L1", "NULL"), ("L2", "nan")], id="no-other-null"),
        pytest.param(
            b"\n\nlead_id,name\n\nL1,Ann\n\nL2,Bo\n", [("L1", "Ann"), ("L2", "Bo")], id="empty-lines"
        ),
        pytest.param("lead_id,name\nL1,Jörg Ægir 日本\n".encode(), [("L1", "Jörg Ægir 日本")], id="utf-8"),
        pytest.param(b"lead_id,name\n", [], id="header-only"),
        pytest.param(b"lead_id,name", [], id="header-without-line-end"),
    ],
)
def test_readable(tmp_path: Path, content: bytes, rows: list[tuple[str, str | None]] | None) -> None:
    """Delimiters, quotes, line ends and byte-order marks as spreadsheets and CRMs write them."""
    found, numbers, unreadable = read(tmp_path, content)
    if rows is not None:
        assert [tuple(row.values()) for row in found] == rows
        assert numbers == list(range(1, len(rows) + 1))
    assert unreadable == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "empty_file", id="empty"),
        pytest.param(b"\n \n", "empty_file", id="blank"),
        pytest.param("lead_id,name\nL1,x\n".encode("utf-16"), "not_utf8", id="utf-16"),
        pytest.param(b"lead_id,,name\n", "unnamed_column", id="column-without-name"),
        pytest.param(b"lead_id,name,name\n", "repeated_column", id="column-twice"),
        pytest.param(b"lead_id,\xff\n", "not_utf8", id="header-not-utf-8"),
        pytest.param(b"x" * 200_000 + b"\n", "long_row", id="name-without-end"),
        pytest.param(gzip.compress(b"lead_id\nL1\n"), "compressed", id="gzip"),
        pytest.param(b'lead_id,name\nL1,"Ann\nL2,Bo\n', "unclosed_quote", id="quote-never-closed"),
        pytest.param(
            b'lead_id,name\nL1,x\n"L2,Bo\nL3,x\n', "unclosed_quote", id="quote-never-closed-wrong-width"
        ),
    ],
)
def test_unreadable_file(tmp_path: Path, content: bytes, code: str) -> None:
    """A file that cannot be read as a whole is refused with one clear problem."""
    with pytest.raises(UnreadableFileError, match="cannot be read") as refused:
        read(tmp_path, content)
    assert [problem.code for problem in refused.value.found] == [code]


def test_a_header_of_very_many_columns(tmp_path: Path) -> None:
    """A header longer than any one value may be is split all the same."""
    names = ["lead_id", *(f"column_{number}" for number in range(20_000))]
    rows, _, _ = read(tmp_path, f"{','.join(names)}\n{','.join(['1'] * len(names))}\n".encode())
    assert list(rows[0]) == names


def test_unreadable_rows_keep_the_numbers_of_the_others(tmp_path: Path) -> None:
    """Rows of the wrong width or not in UTF-8 are set aside; row numbers still count from the header."""
    content = HEADER + b"L1,a\nL2,b,c\nL3\nL4,\xfcber\nL5,\xc3\xbcber\nL6,a\x00b\n"
    rows, numbers, unreadable = read(tmp_path, content)
    assert [(row["lead_id"], row["name"]) for row in rows] == [("L1", "a"), ("L5", "über")]
    assert numbers == [1, 5]
    assert sorted(unreadable) == [(2, "wrong_width"), (3, "wrong_width"), (4, "not_utf8"), (6, "not_utf8")]


def test_a_row_without_end_needs_no_memory(tmp_path: Path) -> None:
    """A line of two gigabytes is one problem; the reader never holds more than a few blocks of it."""
    path = tmp_path / "leads.csv"
    with path.open("wb") as file:
        file.write(HEADER + b"L1,Ann\nL2," + b"x" * LONGEST_ROW_BYTES)
        file.truncate(2_000_000_000)  # a hole: two gigabytes that need no disk
    before_kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnreadableFileError, match="cannot be read") as refused:
        read_csv_table(path, "leads")
    grown_bytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kilobytes) * 1024
    assert [problem.code for problem in refused.value.found] == ["long_row"]
    assert grown_bytes < 20 * LONGEST_ROW_BYTES


def test_a_quote_that_swallows_megabytes(tmp_path: Path) -> None:
    """A value that runs on over millions of lines is refused, and the report says after which row."""
    (tmp_path / "leads.csv").write_bytes(
        HEADER + b'L0,x\nL1,"' + b"Ann\nL2,Bo" * (2 * LONGEST_ROW_BYTES // 9)
    )
    with pytest.raises(UnreadableFileError, match="cannot be read") as refused:
        read_csv_table(tmp_path / "leads.csv", "leads")
    assert [problem.code for problem in refused.value.found] == ["long_row"]
    assert "or its quote is never closed" in refused.value.found[0].rule


def test_a_header_without_end(tmp_path: Path) -> None:
    """A first line of a megabyte is no header."""
    with pytest.raises(UnreadableFileError, match="cannot be read") as refused:
        read(tmp_path, b"lead_id," + b"x" * LONGEST_HEADER_BYTES)
    assert [problem.code for problem in refused.value.found] == ["long_row"]


VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=12)


@given(rows=st.lists(st.tuples(VALUES, VALUES), max_size=8), delimiter=st.sampled_from(",;\t|"))
def test_what_a_writer_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str
) -> None:
    """Whatever the standard library's writer writes comes back, the empty text as null."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("lead_id", "name"), *rows])
    found, _, unreadable = read(tmp_path_factory.getbasetemp(), text.getvalue().encode())
    assert [tuple(row.values()) for row in found] == [(a or None, b or None) for a, b in rows]
    assert unreadable == []


PIECES = [
    b",",
    b";",
    b'"',
    b'""',
    b"\n",
    b"\r\n",
    b"\r",
    b"L1",
    b" ",
    b"\x00",
    b"\xff",
    b"\xc3",
    b"\xbc",
    b"\xef\xbb\xbf",
]
PIECEMEAL = st.lists(st.sampled_from(PIECES), max_size=20).map(b"".join)


@settings(max_examples=100)
@given(header=st.sampled_from([b"", HEADER]), rest=st.binary(max_size=60) | PIECEMEAL)
def test_no_bytes_break_the_reader(
    tmp_path_factory: pytest.TempPathFactory, header: bytes, rest: bytes
) -> None:
    """Any bytes are numbered rows, read or set aside, or an UnreadableFileError, never another error."""
    problems = None
    numbers: list[int] = []
    try:
        _, read_numbers, unreadable = read(tmp_path_factory.getbasetemp(), header + rest)
        numbers = read_numbers + [number for number, _ in unreadable]
    except UnreadableFileError as refused:
        problems = refused.found
    assert problems != ()
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
