"""How one column of an export becomes typed: times, numbers, text, and what an attribute column is.

Decides what is readable; whether an unreadable value costs the row is decided by `validation`.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from features.problems import shorten
from features.sql import query_tables, quote_text
from features.tables import TIME_TYPE

DATE = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
CLOCK = r"[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?"
ZONE = r" ?(?:UTC|Z|[+-](?:0\d|1[0-8])(?::?[0-5]\d)?)"
AWARE_TIME = f"^{DATE}{CLOCK}{ZONE}$"
NAIVE_TIME = f"^{DATE}(?:{CLOCK})?$"
ANY_TIME = f"^{DATE}(?:{CLOCK}(?:{ZONE})?)?$"
NUMBER = r"^-?(?:0|[1-9]\d*|0?\.\d+|(?:0|[1-9]\d*)\.\d+)(?:[eE][+-]?\d{1,3})?$"
"""A leading zero means a code (a postcode, a telephone number), not a number."""

EARLIEST_YEAR, LATEST_YEAR = 1900, 2200
READABLE_TIME = (
    f"must be an ISO 8601 time between {EARLIEST_YEAR} and {LATEST_YEAR}, such as 2026-11-23T09:00:00Z"
)
SAMPLE_ROWS = 1000

ALMOST = {
    "numbers": NUMBER,
    "times": ANY_TIME,
    "numbers with a decimal comma": r"^-?\d[\d.]*,\d+$",
    "dates that are not written as 2026-11-23": r"^\d{1,2}[./]\d{1,2}[./]\d{4}(?: [\d:]+)?$",
}
"""Text that is something else when nearly all of a column is written so, in the order of asking."""
MOSTLY = 0.9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ParsedColumn:
    """A typed column of n rows, and bool masks (n,) of the values that could not be used.

    `unreadable`: no value of this type. `naive`: a time without a zone where no zone is named.
    Both are null in `values`.
    """

    values: pa.ChunkedArray
    unreadable: pa.ChunkedArray
    naive: pa.ChunkedArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AttributeColumn:
    """An attribute column as float64, bool, string or timestamp; `unreadable` marks infinite numbers."""

    values: pa.ChunkedArray
    unreadable: pa.ChunkedArray
    note: str | None = None


def to_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the column as text; empty or blank text is null."""
    text = column if pa.types.is_string(column.type) else _cast_to_text(column)
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(text), ""), pa.scalar(None, pa.string()), text)


def _cast_to_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        return column.cast(pa.string())
    sql = "SELECT CAST(v AS VARCHAR) AS v FROM t"
    return query_tables(sql, t=pa.table({"v": column})).column("v").cast(pa.string())


def to_times(column: pa.ChunkedArray, naive_zone: str | None) -> ParsedColumn:
    """Read times as timestamp[us, UTC]; a naive time is read in `naive_zone`, a date as its first instant.

    An hour that occurs twice when clocks go back is read as its second occurrence, one that clocks skip
    as the hour after it (ICU's rule).
    """
    zone = naive_zone or "UTC"
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        parsed, is_naive = column.cast(TIME_TYPE, safe=False), _none_of(column)
    elif pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        parsed, is_naive = _localise(column, zone), pc.is_valid(column)
    else:
        text = to_text(column)
        parsed, is_naive = _parse_times(text, zone), _matches(text, NAIVE_TIME)
    values = _only_plausible(parsed)
    unreadable = pc.and_(pc.is_valid(to_text(column)), pc.is_null(values))
    if naive_zone is not None:
        return ParsedColumn(values=values, unreadable=unreadable, naive=_none_of(column))
    naive = pc.and_not(is_naive, unreadable)
    aware = pc.if_else(naive, pa.scalar(None, TIME_TYPE), values)
    return ParsedColumn(values=aware, unreadable=unreadable, naive=naive)


def _localise(column: pa.ChunkedArray, zone: str) -> pa.ChunkedArray:
    sql = f"SELECT v::TIMESTAMP AT TIME ZONE {quote_text(zone)} AS v FROM t"  # noqa: S608 - quoted above
    return query_tables(sql, t=pa.table({"v": column})).column("v").cast(TIME_TYPE)


def _parse_times(text: pa.ChunkedArray, zone: str) -> pa.ChunkedArray:
    compact = "regexp_replace(v, ' (UTC|Z|[+-])', '\\1')"
    sql = f"""
        SELECT CASE WHEN regexp_matches(v, {quote_text(AWARE_TIME)})
                    THEN TRY_CAST(replace({compact}, 'UTC', 'Z') AS TIMESTAMPTZ)
                    WHEN regexp_matches(v, {quote_text(NAIVE_TIME)})
                    THEN TRY_CAST(v AS TIMESTAMP) AT TIME ZONE {quote_text(zone)} END AS v
        FROM t"""  # noqa: S608 - constants, and a quoted zone
    return query_tables(sql, t=pa.table({"v": text})).column("v").cast(TIME_TYPE)


def _only_plausible(times: pa.ChunkedArray) -> pa.ChunkedArray:
    earliest, latest = (
        pa.scalar(datetime(year, 1, 1, tzinfo=UTC), TIME_TYPE) for year in (EARLIEST_YEAR, LATEST_YEAR)
    )
    plausible = pc.and_(pc.greater_equal(times, earliest), pc.less(times, latest))
    return pc.if_else(plausible, times, pa.scalar(None, TIME_TYPE))


def to_numbers(column: pa.ChunkedArray) -> ParsedColumn:
    """Read finite numbers as float64; NaN in a typed column means missing, in text it is unreadable."""
    if _is_number_type(column.type):
        numbers = column.cast(pa.float64(), safe=False)
        given = pc.fill_null(pc.invert(pc.is_nan(numbers)), fill_value=False)
    else:
        text = to_text(column)
        given = pc.is_valid(text)
        readable = pc.if_else(_matches(text, NUMBER), text, pa.scalar(None, pa.string()))
        numbers = readable.cast(pa.float64())
    values = pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))
    unreadable = pc.and_(given, pc.is_null(values))
    return ParsedColumn(values=values, unreadable=unreadable, naive=_none_of(column))


def to_ranks(column: pa.ChunkedArray) -> ParsedColumn:
    """Read whole numbers as int64."""
    numbers = to_numbers(column)
    whole = pc.and_(
        pc.equal(numbers.values, pc.floor(numbers.values)), pc.less(pc.abs(numbers.values), 2.0**53)
    )
    values = pc.if_else(whole, numbers.values, pa.scalar(None, pa.float64())).cast(pa.int64())
    broken = pc.and_(pc.is_valid(numbers.values), pc.is_null(values))
    return ParsedColumn(values=values, unreadable=pc.or_(numbers.unreadable, broken), naive=numbers.naive)


def to_plain_text(column: pa.ChunkedArray) -> ParsedColumn:
    """Read text; nothing is unreadable as text."""
    return ParsedColumn(values=to_text(column), unreadable=_none_of(column), naive=_none_of(column))


def to_ids(column: pa.ChunkedArray) -> ParsedColumn:
    """Read ids without the blanks around them, which one export pads with and the next one does not."""
    text = to_plain_text(column)
    return replace(text, values=pc.utf8_trim_whitespace(text.values))


def infer_attribute(
    name: str, column: pa.ChunkedArray, *, is_text: bool, naive_zone: str | None
) -> AttributeColumn:
    """Give an attribute column its type: by its declared type, or for text by what all its values are.

    All numbers -> float64; only true/false -> bool; all ISO times -> timestamp; else text. Yes/no stays text.
    """
    kind = _inferred_kind(to_text(column)) if is_text else _declared_kind(column.type)
    if kind == "number":
        numbers = to_numbers(column)
        return AttributeColumn(values=numbers.values, unreadable=numbers.unreadable)
    if kind == "boolean":
        booleans = column.cast(pa.bool_()) if pa.types.is_boolean(column.type) else _to_booleans(column)
        return AttributeColumn(values=booleans, unreadable=_none_of(column))
    if kind == "time":
        return _time_attribute(name, column, naive_zone)
    text = to_text(column)
    note = _note_on_text(name, text) if is_text else None
    return AttributeColumn(values=text, unreadable=_none_of(column), note=note)


def _note_on_text(name: str, text: pa.ChunkedArray) -> str | None:
    """Say when a few values, or another notation, keep a column of numbers or times from being one."""
    filled = text.drop_null()
    for what, pattern in ALMOST.items():
        fits = _matches(filled, pattern)
        n_fitting = pc.sum(fits).as_py() or 0
        if n_fitting > MOSTLY * len(filled):
            odd = filled.filter(pc.invert(fits) if n_fitting < len(filled) else fits)
            return (
                f"leads column {name!r} is kept as text: {n_fitting:,} of {len(filled):,} values are {what}; "
                f"look at {shorten(odd[0].as_py())!r}"
            )
    return None


def _time_attribute(name: str, column: pa.ChunkedArray, naive_zone: str | None) -> AttributeColumn:
    times = to_times(column, naive_zone)
    if pc.any(times.unreadable, min_count=0).as_py():
        odd = to_text(column).filter(times.unreadable)[0].as_py()
        note = f"leads column {name!r} is kept as text: {odd!r} {READABLE_TIME}"
        return AttributeColumn(values=to_text(column), unreadable=_none_of(column), note=note)
    if pc.any(times.naive, min_count=0).as_py():
        note = f"leads column {name!r} holds times without a zone and is kept as text: name crm.timezone"
        return AttributeColumn(values=to_text(column), unreadable=_none_of(column), note=note)
    return AttributeColumn(values=times.values, unreadable=_none_of(column))


def _declared_kind(kind: pa.DataType) -> str:
    if _is_number_type(kind):
        return "number"
    if pa.types.is_boolean(kind):
        return "boolean"
    return "time" if pa.types.is_timestamp(kind) or pa.types.is_date(kind) else "text"


def _inferred_kind(text: pa.ChunkedArray) -> str:
    filled = text.drop_null()
    if len(filled) == 0:
        return "text"
    if _all_match(filled, NUMBER) and not pc.any(to_numbers(filled).unreadable).as_py():
        return "number"
    if _all_match(filled, "^(?i:true|false)$"):
        return "boolean"
    return "time" if _all_match(filled, ANY_TIME) else "text"


def _all_match(filled: pa.ChunkedArray, pattern: str) -> bool:
    """Ask a sample first: only a column that passes it is read whole."""
    sample = filled.slice(0, SAMPLE_ROWS)
    return all(bool(pc.all(_matches(part, pattern), min_count=0).as_py()) for part in (sample, filled))


def _to_booleans(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.equal(pc.utf8_lower(to_text(column)), "true")


def _matches(text: pa.ChunkedArray, pattern: str) -> pa.ChunkedArray:
    return pc.fill_null(pc.match_substring_regex(text, pattern), fill_value=False)


def _is_number_type(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _none_of(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([pa.repeat(pa.scalar(value=False), len(column))])
