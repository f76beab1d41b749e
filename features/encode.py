"""Readable values <-> the numbers of the model's matrix, column by column.

Decides the codes of categories, booleans and missing values; the order of columns is the feature set's.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.arrow_numpy import to_arrow, to_text
from features.definitions import Feature, FeatureKind, FeatureSet
from features.errors import InputError

Float64Array = npt.NDArray[np.float64]

NEVER_MISSING_KINDS = frozenset(
    {
        FeatureKind.COUNT,
        FeatureKind.DISTINCT_ASSETS,
        FeatureKind.ACTIVE_DAYS,
        FeatureKind.ATTRIBUTE_CHANGES,
    }
)
"""What is counted: whole numbers, 0 without anything to count."""

OTHER = "(other)"
"""The readable form of code 0: a level that was rare or unseen when the features were chosen."""


def encode_table(feature_set: FeatureSet, table: pa.Table | Mapping[str, object]) -> Float64Array:
    """Return the model's matrix, float64 (n_rows, n_features), of a readable feature table.

    `table` holds one column per feature name: text for categories, booleans, numbers; null or NaN is missing.
    Columns that are no feature are ignored. InputError names all columns that are absent, and the first whose
    values have the wrong type.
    """
    columns = (
        dict(zip(table.column_names, table.columns, strict=True)) if isinstance(table, pa.Table) else table
    )
    absent = [name for name in feature_set.names if name not in columns]
    if absent:
        raise InputError(f"a feature table must have every column of the model; missing: {', '.join(absent)}")
    encoded = [encode_column(feature, _as_array(columns[feature.name])) for feature in feature_set.features]
    return np.column_stack(encoded) if encoded else np.empty((0, 0))


def encode_column(feature: Feature, column: pa.Array) -> Float64Array:
    """Return the numbers of one column, float64 (n,); null, empty text and infinite numbers are NaN."""
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if feature.is_category:
        return _encode_category(feature, column)
    is_boolean = pa.types.is_boolean(column.type)
    if is_boolean != (feature.kind is FeatureKind.ATTRIBUTE_BOOLEAN) and not _holds_flags(feature, column):
        raise _wrong_type(feature, column, "boolean" if not is_boolean else "number")
    if not is_boolean and not _is_number(column.type):
        raise _wrong_type(feature, column, "number")
    values = _to_float(column.cast(pa.int8()) if is_boolean else column)
    values[~np.isfinite(values)] = np.nan
    return values


def _holds_flags(feature: Feature, column: pa.Array) -> bool:
    """Tell whether numbers stand for booleans: what is left of a boolean column with gaps in a data frame."""
    if feature.kind is not FeatureKind.ATTRIBUTE_BOOLEAN or not _is_number(column.type):
        return False
    values = _to_float(column)
    return bool(np.isin(values[~np.isnan(values)], (0.0, 1.0)).all())


def _encode_category(feature: Feature, column: pa.Array) -> Float64Array:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise _wrong_type(feature, column, "text")
    codes = pc.index_in(column, value_set=pa.array(feature.levels, type=column.type))
    values = _to_float(pc.add(pc.fill_null(codes, -1), 1))
    empty = pc.fill_null(pc.equal(column, ""), fill_value=True)
    values[empty.to_numpy(zero_copy_only=False)] = np.nan
    return values


def decode_table(feature_set: FeatureSet, matrix: Float64Array) -> pa.Table:
    """Return the readable form of a matrix (n_rows, n_features): one column per feature, null for missing."""
    columns = [_decode_column(feature, matrix[:, i]) for i, feature in enumerate(feature_set.features)]
    return pa.table(columns, names=list(feature_set.names))


def _decode_column(feature: Feature, values: Float64Array) -> pa.Array:
    if feature.kind in NEVER_MISSING_KINDS:
        return to_arrow(values.astype(np.int32))
    missing = np.isnan(values)
    if feature.is_category:
        words = to_text([OTHER, *feature.levels])
        return words.take(to_arrow(np.where(missing, 0, values).astype(np.int64), missing))
    return to_arrow(values == 1.0 if feature.kind is FeatureKind.ATTRIBUTE_BOOLEAN else values, missing)


def _as_array(column: object) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        return column.combine_chunks()
    return column if isinstance(column, pa.Array) else pa.array(column, from_pandas=True)


def _to_float(column: pa.Array) -> Float64Array:
    """Return a fresh float64 array; null becomes NaN."""
    return np.array(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def _is_number(kind: pa.DataType) -> bool:
    return any(check(kind) for check in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal))


def _wrong_type(feature: Feature, column: pa.Array, wanted: str) -> InputError:
    return InputError(f"column {feature.name!r} must hold {wanted} values; got {column.type}")
