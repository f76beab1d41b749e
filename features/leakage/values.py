"""What a column says about each lead when the lead is new: filled or not, which level, which number.

Decides what counts as filled and what was known then; what that means is decided by the checks.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.leakage.cases import Cases
from features.tables import CanonicalTables
from features.times import DAY_US, instant_us

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

PLACEHOLDERS = pa.array(
    [
        "", "-", "--", "?", ".", "n/a", "na", "none", "null", "nan", "nil", "unknown", "not set",
        "not specified", "unspecified", "not selected", "select", "please select", "(blank)", "(none)",
        "unbekannt", "keine angabe", "k.a.", "k. a.", "nicht angegeben", "nicht gesetzt", "nicht ausgewählt",
        "auswählen", "bitte wählen", "bitte auswählen", "(leer)", "leer",
    ]
)  # fmt: skip
"""What forms and exports write where nobody has written anything; in lower case, without blanks around."""

MOST_PLAIN_LEVELS = 50
"""A number with no more different values than this may be a code, so each value is a level of its own."""
BINS = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Values:
    """One column over the looked-at leads, each array of shape (n,).

    filled : bool, somebody wrote something: neither null nor a placeholder.
    code : int64 from 0, the level; 0 is null, a placeholder is a level like any other.
    number : float64, NaN for null; None for text and yes/no columns. A time is its age in days when the lead
        was new, and NaN when it lay ahead then, because no model sees it.
    levels : the text of the codes from 1 on; None for numbers, whose codes are ranges.
    """

    name: str
    filled: BoolArray
    code: IntArray
    number: FloatArray | None
    levels: tuple[str, ...] | None


def read_values(tables: CanonicalTables, name: str, cases: Cases) -> Values:
    """Return what one attribute said about each lead when it was new.

    Changes that were recorded later are taken back; a lead whose first recorded value came later had none.
    Without recorded changes the value of the lead's row is taken, as training takes it.
    """
    column = _when_new(tables, name, cases)
    if pa.types.is_timestamp(column.type):
        return _times(name, column, cases)
    if pa.types.is_string(column.type) or pa.types.is_boolean(column.type):
        return _levels(name, column)
    return _numbers(name, np.array(pc.fill_null(column, math.nan), dtype=np.float64))


def level_codes(column: pa.Array | pa.ChunkedArray) -> tuple[IntArray, pa.Array]:
    """Return the codes of a column's values, int64 (n,), 0 for null, and the values of codes from 1 on."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = whole.dictionary_encode()
    return np.array(pc.fill_null(encoded.indices, -1), dtype=np.int64) + 1, encoded.dictionary


def _levels(name: str, column: pa.Array) -> Values:
    code, values = level_codes(column)
    texts = values.cast(pa.string())
    plain = pc.utf8_lower(pc.utf8_trim_whitespace(texts))
    is_written = np.append(False, ~np.array(pc.is_in(plain, value_set=PLACEHOLDERS), dtype=np.bool_))
    return Values(name=name, filled=is_written[code], code=code, number=None, levels=tuple(texts.to_pylist()))


def _numbers(name: str, number: FloatArray) -> Values:
    filled = ~np.isnan(number)
    return Values(name=name, filled=filled, code=range_codes(number, filled), number=number, levels=None)


def _times(name: str, column: pa.Array, cases: Cases) -> Values:
    filled = np.array(column.is_valid(), dtype=np.bool_)
    at_us = np.array(pc.fill_null(column.cast(pa.int64()), 0), dtype=np.int64)
    number = np.full(len(filled), math.nan)
    seen = filled & (at_us <= cases.created_us)
    number[seen] = (cases.created_us[seen] - at_us[seen]) / DAY_US
    return Values(name=name, filled=filled, code=range_codes(number, seen), number=number, levels=None)


def range_codes(number: FloatArray, filled: BoolArray) -> IntArray:
    """Return a level for each number, int64 (n,), 0 where it is not filled.

    Its own level where there are few different numbers, else one of 20 ranges of equal size.
    """
    code = np.zeros(len(number), dtype=np.int64)
    different = np.unique(number[filled])
    if len(different) > MOST_PLAIN_LEVELS:
        different = np.unique(np.quantile(number[filled], np.arange(BINS) / BINS))
    code[filled] = np.searchsorted(different, number[filled], side="right")
    return code


def _when_new(tables: CanonicalTables, name: str, cases: Cases) -> pa.Array:
    """Return the column of the looked-at leads as it was known when each was created."""
    column = tables.leads.column(name).combine_chunks()
    changes = tables.attribute_changes.filter(pc.equal(tables.attribute_changes.column("attribute"), name))
    if not changes.num_rows or cases.known_until_us is None:
        return column.take(pa.array(cases.row))
    lead_ids = tables.leads.column("lead_id").combine_chunks()
    lead = np.asarray(pc.index_in(changes.column("lead_id"), value_set=lead_ids), dtype=np.int64)
    changed_us = np.asarray(changes.column("changed_at").cast(pa.int64()), dtype=np.int64)
    created_us = np.full(len(column), -1, dtype=np.int64)
    created_us[cases.row] = cases.created_us
    place = np.arange(len(column), dtype=np.int64)
    place[lead] = -1
    known = np.flatnonzero(changed_us <= created_us[lead])
    place[lead[known]] = len(column) + known  # rows are in order of time, so the last one known stays
    everything = pa.concat_arrays([column, _typed(changes.column("value"), column.type)])
    chosen = place[cases.row]
    return everything.take(pa.array(chosen, mask=chosen < 0))


def _typed(texts: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    """Return recorded texts as values of the column's type; null where one cannot be read."""
    read = {pa.types.is_boolean: _flag, pa.types.is_floating: _number, pa.types.is_timestamp: instant_us}
    for is_kind, reader in read.items():
        if is_kind(kind):
            return pa.array([reader(text) for text in texts.to_pylist()], type=kind)
    return texts.combine_chunks().cast(kind)


def _flag(text: str | None) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get((text or "").lower())


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
