"""What a column looks like without any outcome: constant, a name instead of a description, said twice.

Nothing here is an error: such columns help little and betray nothing, except a copy of a column that is left
out.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.leakage.findings import Finding, make_finding
from features.leakage.statistics import shared_information
from features.leakage.values import level_codes, range_codes

IntArray = npt.NDArray[np.int64]

ID_LIKE_SHARE, ID_LIKE_LEVELS = 0.5, 50
"""Text that is mostly different, with more than a few values, names the lead instead of describing it."""
ID_LIKE_NUMBERS, NUMBERS_PER_LEAD = 0.95, 10
"""Whole numbers of which nearly every lead has its own, and which lie densely (a running number: not more
than ten to a lead) or have the same number of digits (a code). Amounts of money differ as well, but in their
digits too."""
SAME_INFORMATION = 0.98
LEAST_DIFFERENT = 20
"""Two columns are compared when at least this many leads have another value than most: below that they agree
by being alike."""
MOST_COMPARED = 5_000
"""Of so many leads every pair of columns is compared; more would cost time and change nothing."""


def shape_findings(name: str, column: pa.ChunkedArray) -> Iterator[Finding]:
    """Yield what one column looks like over the looked-at leads."""
    distinct, leads = pc.count_distinct(column, mode="all").as_py(), len(column)
    if distinct <= 1:
        level = str(column[0].as_py()) if leads and column[0].is_valid else None
        if level is None:
            yield make_finding("constant", "note", name, {"leads": leads}, phrase="empty")
        else:
            yield make_finding("constant", "note", name, {"level": level, "leads": leads})
    elif is_id_like(column):
        filled = leads - column.null_count
        facts = {"distinct": int(pc.count_distinct(column).as_py()), "filled": filled}
        yield make_finding("id-like", "warning" if pa.types.is_string(column.type) else "note", name, facts)


def is_id_like(column: pa.ChunkedArray) -> bool:
    """Whether values name leads: text that is mostly different, whole numbers like a code or a count."""
    distinct, filled = pc.count_distinct(column).as_py(), len(column) - column.null_count
    if distinct <= ID_LIKE_LEVELS:
        return False
    if pa.types.is_string(column.type):
        return bool(distinct > ID_LIKE_SHARE * filled)
    is_number = pa.types.is_floating(column.type)
    return is_number and distinct >= ID_LIKE_NUMBERS * filled and _is_like_a_code(column.drop_null())


def _is_like_a_code(numbers: pa.ChunkedArray) -> bool:
    """Whether numbers are whole, and dense or of one length."""
    values = np.asarray(numbers, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    if not np.array_equal(values, np.floor(values)):
        return False
    same_length = low >= 1.0 and len(f"{low:.0f}") == len(f"{high:.0f}")
    return same_length or high - low < NUMBERS_PER_LEAD * len(values)


def duplicate_findings(leads: pa.Table, columns: Sequence[str], denied: frozenset[str]) -> Iterator[Finding]:
    """Yield `near-duplicate` for every column that says the same as an earlier or a denied one.

    `columns` are compared with each other and with `denied`, over at most 5,000 leads spread evenly.
    """
    step = max(1, -(-leads.num_rows // MOST_COMPARED))
    some = leads.take(pa.array(np.arange(0, leads.num_rows, step)))
    codes = {name: code for name in columns if (code := _comparable(some.column(name))) is not None}
    found: set[str] = set()
    for first, second in combinations(codes, 2):
        kept, said = (second, first) if second in denied else (first, second)
        if said in denied or said in found:
            continue
        agreement = shared_information(codes[first], codes[second])
        if agreement >= SAME_INFORMATION:
            found.add(said)
            yield _duplicate(said, kept, agreement, is_denied=kept in denied)


def _duplicate(column: str, other: str, agreement: float, *, is_denied: bool) -> Finding:
    code = "near-duplicate"
    facts: dict[str, str | float] = {"other": other, "agreement": agreement}
    if is_denied:
        return make_finding(code, "warning", column, facts, phrase=f"{code}-of-denied")
    return make_finding(code, "note", column, facts)


def _comparable(column: pa.ChunkedArray) -> IntArray | None:
    """Return the codes of a column that varies enough to be compared and names no lead; else None."""
    if is_id_like(column):
        return None
    code = _codes(column)
    return code if len(code) - np.bincount(code, minlength=1).max(initial=0) >= LEAST_DIFFERENT else None


def _codes(column: pa.ChunkedArray) -> IntArray:
    """Return a column's codes; numbers and times by ranges, for two of which all differ always agree."""
    if pa.types.is_string(column.type) or pa.types.is_boolean(column.type):
        return level_codes(column)[0]
    plain = column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
    filled = np.array(column.is_valid(), dtype=np.bool_)
    return range_codes(np.array(pc.fill_null(plain, 0), dtype=np.float64), filled)
