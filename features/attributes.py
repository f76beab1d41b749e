"""Attributes as of an instant: the last known change, else what the lead's row says.

Decides when an attribute was known; how its value becomes a number is decided by `features.encode`.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.definitions import Feature, FeatureKind
from features.encode import encode_column
from features.errors import InputError
from features.kernel import NEVER, NO_CODE, NOT_YET_KNOWN, last_known_change
from features.log import lead_codes, lead_offsets
from features.tables import CHANGES, CanonicalTables, sort_canonically
from features.times import DAY_US, instant_us

Int64Array = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]
FLAGS: Mapping[str, float] = {"true": 1.0, "1": 1.0, "false": 0.0, "0": 0.0}
MISSING_US = NEVER


def attribute_values(
    feature: Feature, tables: CanonicalTables, lead_index: Int64Array, as_of_us: Int64Array
) -> Float64Array:
    """Return one attribute at every point, float64 (n_points,).

    A lead whose attribute has changes had the last one at or before as_of, and nothing before the first. A
    time becomes its age in days; one dated after as_of was not known then and is missing. InputError when the
    column holds another type than the feature was chosen for.
    """
    column = _lead_column(feature, tables)
    changes = _changes_of(feature, tables)
    if feature.kind is FeatureKind.ATTRIBUTE_AGE_DAYS:
        known_us = instants_us(column)[lead_index]
        changed_us = _each_text(changes.column("value"), _instant_or_missing, np.int64)
        _overlay(known_us, changed_us, changes, tables, lead_index, as_of_us, missing=MISSING_US)
        return ages_days(known_us, as_of_us)
    values = encode_column(feature, column)[lead_index]
    changed = _encode_changes(feature, changes.column("value"))
    _overlay(values, changed, changes, tables, lead_index, as_of_us, missing=np.nan)
    return values


def instants_us(column: pa.Array | pa.ChunkedArray) -> Int64Array:
    """Return a timestamp column as int64 microseconds UTC, MISSING_US for null."""
    return np.array(pc.fill_null(column.cast(pa.int64()), MISSING_US).to_numpy(zero_copy_only=False))


def ages_days(known_us: Int64Array, as_of_us: Int64Array) -> Float64Array:
    """Return the days from each instant to as_of, float64 (n,); NaN for MISSING_US and after as_of."""
    known = (known_us != MISSING_US) & (known_us <= as_of_us)
    ages = np.full(known_us.shape, np.nan)
    ages[known] = (as_of_us[known] - known_us[known]) / DAY_US
    return ages


def _lead_column(feature: Feature, tables: CanonicalTables) -> pa.Array:
    """Return what the leads say now; a column that this export does not have is null throughout."""
    if feature.attribute not in tables.leads.column_names:
        return pa.nulls(tables.leads.num_rows)
    column = tables.leads.column(feature.attribute).combine_chunks()
    wants_times = feature.kind is FeatureKind.ATTRIBUTE_AGE_DAYS
    if wants_times and not (pa.types.is_timestamp(column.type) or pa.types.is_null(column.type)):
        raise InputError(f"column {feature.attribute!r} must hold times; got {column.type}")
    return column


def _changes_of(feature: Feature, tables: CanonicalTables) -> pa.Table:
    """Return the changes of one attribute of known leads, in canonical order."""
    changes = tables.attribute_changes
    changes = sort_canonically(
        CHANGES, changes.filter(pc.equal(changes.column("attribute"), feature.attribute))
    )
    return changes.filter(pa.array(lead_codes(changes.column("lead_id"), tables) != NO_CODE))


def _overlay(
    values: npt.NDArray[Any],
    changed: npt.NDArray[Any],
    changes: pa.Table,
    tables: CanonicalTables,
    lead_index: Int64Array,
    as_of_us: Int64Array,
    *,
    missing: float,
) -> None:
    """Replace, in place, the values of points whose lead has changes of the attribute."""
    if not changes.num_rows:
        return
    lead = lead_codes(changes.column("lead_id"), tables)
    order = np.argsort(lead, kind="stable")
    offsets = lead_offsets(lead[order], tables.leads.num_rows)
    changed_us = instants_us(changes.column("changed_at"))[order]
    found = last_known_change(changed_us, offsets, lead_index, as_of_us)
    values[found >= 0] = changed[order][found[found >= 0]]
    values[found == NOT_YET_KNOWN] = missing


def _encode_changes(feature: Feature, texts: pa.ChunkedArray) -> Float64Array:
    """Return the numbers of changed values, which are recorded as text; unreadable ones are NaN."""
    if feature.kind is FeatureKind.ATTRIBUTE_CATEGORY:
        return encode_column(feature, texts.combine_chunks())
    read = _flag_or_missing if feature.kind is FeatureKind.ATTRIBUTE_BOOLEAN else _number_or_missing
    return _each_text(texts, read, np.float64)


def _each_text(
    texts: pa.ChunkedArray, read: Callable[[str | None], float], dtype: type[np.generic]
) -> npt.NDArray[Any]:
    """Read every distinct text once."""
    encoded = texts.combine_chunks().dictionary_encode(null_encoding="encode")
    distinct = np.array([read(text) for text in encoded.dictionary.to_pylist()], dtype=dtype)
    indices: Int64Array = encoded.indices.to_numpy()
    return distinct[indices]


def _number_or_missing(text: str | None) -> float:
    try:
        value = float(text or "nan")
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _flag_or_missing(text: str | None) -> float:
    return FLAGS.get((text or "").lower(), math.nan)


def _instant_or_missing(text: str | None) -> int:
    instant = instant_us(text)
    return MISSING_US if instant is None else instant
