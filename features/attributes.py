"""Attributes as they were known at an instant: the lead's own columns, overlaid by their changes.

Decides what was known when, and how a text of a change becomes a value. How a value becomes a number is
decided by `features.encode`, what an e-mail address or a persona says by `features.emails` and
`features.personas`.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.arrow_numpy import to_numpy
from features.change_log import ChangeLog
from features.definitions import EMAIL_KINDS, Feature, FeatureKind
from features.emails import email_class, email_country
from features.encode import encode_column
from features.errors import InputError
from features.kernel import NEVER, NOT_YET_KNOWN
from features.personas import LEAST_CONFIDENCE, PersonaRule, rule_holds
from features.tables import CanonicalTables
from features.times import DAY_US, EPOCH, MICROSECOND, instant_us

Int64Array = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]
FLAGS: Mapping[str, float] = {"true": 1.0, "1": 1.0, "false": 0.0, "0": 0.0}
MISSING_US = NEVER


class AttributesAsOf:
    """The attributes of the leads of some tables, to be asked at points (lead, as_of).

    A lead whose attribute has changes had the last one at or before as_of, and nothing before the first.
    """

    def __init__(self, tables: CanonicalTables, lead_index: Int64Array, as_of_us: Int64Array) -> None:
        self._tables = tables
        self._changes = ChangeLog(tables)
        self._lead_index = lead_index
        self._as_of_us = as_of_us

    def values(self, feature: Feature) -> Float64Array:
        """Return one attribute feature at every point, float64 (n_points,).

        A time becomes its age in days; one dated after as_of was not known then and is missing. InputError
        when the column holds another type than the feature was chosen for.
        """
        name = str(feature.attribute)
        column = self._lead_column(name)
        if feature.kind is FeatureKind.ATTRIBUTE_AGE_DAYS:
            return self._ages(name, column)
        if feature.kind in EMAIL_KINDS:
            read = email_reader(feature)
            return self._overlaid(
                name,
                encode_column(feature, _each_address(column, read)),
                lambda texts: encode_column(feature, _each_address(texts, read)),
            )
        return self._overlaid(
            name, encode_column(feature, column), lambda texts: _encode_changes(feature, texts)
        )

    def change_counts(self, attributes: frozenset[str], window_days: int) -> Float64Array:
        """Return how often any of the attributes changed in the window, float64 (n_points,)."""
        changes = self._changes.of(*sorted(attributes))
        counted = changes.count(self._lead_index, self._as_of_us, window_days * DAY_US)
        return counted.astype(np.float64)

    def personas(self, feature: Feature) -> Float64Array:
        """Return the code of the persona at every point, float64 (n_points,); NaN where none fits."""
        best = np.full(len(self._lead_index), np.nan)
        best_share = np.zeros(len(self._lead_index))
        for code, persona in enumerate(feature.personas, start=1):
            met = [self._holds(rule) for rule in persona.rules]
            share = np.sum(met, axis=0) / len(persona.rules)
            better = (share >= LEAST_CONFIDENCE) & (share > best_share)
            best[better], best_share[better] = code, share[better]
        return best

    def _holds(self, rule: PersonaRule) -> npt.NDArray[np.bool_]:
        column = self._lead_column(rule.attribute)
        is_missing = rule_holds(rule, None)
        own = _each_value(column, lambda value: rule_holds(rule, value), np.bool_, missing=is_missing)
        return self._overlaid(
            rule.attribute,
            own,
            lambda texts: _each_text(
                texts, lambda text: rule_holds(rule, typed_value(text, column.type)), np.bool_
            ),
            missing=is_missing,
        )

    def _ages(self, name: str, column: pa.Array) -> Float64Array:
        if not (pa.types.is_timestamp(column.type) or pa.types.is_null(column.type)):
            raise InputError(f"column {name!r} must hold times; got {column.type}")
        known_us = self._overlaid(
            name,
            instants_us(column),
            lambda texts: _each_text(texts, _instant_or_missing, np.int64),
            missing=MISSING_US,
        )
        return ages_days(known_us, self._as_of_us)

    def _lead_column(self, name: str) -> pa.Array:
        """Return what the leads say now; a column that these tables do not have is null throughout."""
        leads = self._tables.leads
        if name not in leads.column_names:
            return pa.nulls(leads.num_rows)
        return leads.column(name).combine_chunks()

    def _overlaid(
        self,
        name: str,
        of_leads: npt.NDArray[Any],
        read_changes: Callable[[pa.ChunkedArray], npt.NDArray[Any]],
        *,
        missing: float = np.nan,
    ) -> npt.NDArray[Any]:
        """Return the values (n_leads,) at the points, replaced where a lead has changes of the attribute."""
        values = of_leads[self._lead_index]
        changes = self._changes.of(name)
        if len(changes.changed_us):
            found = changes.last_known(self._lead_index, self._as_of_us)
            values[found >= 0] = read_changes(changes.texts)[found[found >= 0]]
            values[found == NOT_YET_KNOWN] = missing
        return values


def instants_us(column: pa.Array | pa.ChunkedArray) -> Int64Array:
    """Return a timestamp column as int64 microseconds UTC, MISSING_US for null."""
    if column.null_count:
        column = pc.fill_null(column.cast(pa.int64()), MISSING_US)
    return to_numpy(column).astype(np.int64)


def ages_days(known_us: Int64Array, as_of_us: Int64Array) -> Float64Array:
    """Return the days from each instant to as_of, float64 (n,); NaN for MISSING_US and after as_of."""
    known = (known_us != MISSING_US) & (known_us <= as_of_us)
    ages = np.full(known_us.shape, np.nan)
    ages[known] = (as_of_us[known] - known_us[known]) / DAY_US
    return ages


def email_reader(feature: Feature) -> Callable[[str], str]:
    """Return what an e-mail feature makes of an address: one of its levels, or another text."""
    if feature.kind is FeatureKind.EMAIL_COUNTRY:
        return email_country
    domains = frozenset(feature.free_mail_domains)
    return lambda text: email_class(text, domains)


def typed_value(text: str | None, kind: pa.DataType) -> object:
    """Return the text of a change in the type of its column; None when it is not readable as such."""
    if text is None or pa.types.is_string(kind) or pa.types.is_null(kind):
        return text
    if pa.types.is_boolean(kind):
        flag = FLAGS.get(text.lower())
        return None if flag is None else bool(flag)
    if pa.types.is_timestamp(kind):
        instant = instant_us(text)
        return None if instant is None else EPOCH + instant * MICROSECOND
    number = _number_or_missing(text)
    return None if math.isnan(number) else number


def _each_address(column: pa.Array | pa.ChunkedArray, read: Callable[[str], str]) -> pa.Array:
    """Return what is read from every distinct text, null for null and for empty text."""
    if pa.types.is_null(column.type):
        return column
    if not pa.types.is_string(column.type):
        column = column.cast(pa.string())
    chunk = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = chunk.dictionary_encode()
    of_distinct = [read(text) if text else None for text in encoded.dictionary.to_pylist()]
    return pa.array(of_distinct, pa.string()).take(encoded.indices)


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


def _each_value(
    column: pa.Array, read: Callable[[object], float], dtype: type[np.generic], *, missing: float
) -> npt.NDArray[Any]:
    """Read every distinct value of a column of any type once; (n,), `missing` for null."""
    if pa.types.is_null(column.type):
        return np.full(len(column), missing, dtype=dtype)
    encoded = column.dictionary_encode()
    distinct = np.array([*map(read, _python_values(encoded.dictionary)), missing], dtype=dtype)
    indices: Int64Array = pc.fill_null(encoded.indices, len(distinct) - 1).to_numpy(zero_copy_only=False)
    return distinct[indices]


def _python_values(values: pa.Array) -> list[object]:
    """Return values as Python objects; Arrow's own conversion of times would load pandas."""
    if pa.types.is_timestamp(values.type):
        return [EPOCH + us * MICROSECOND for us in values.cast(pa.int64()).to_pylist()]
    found: list[object] = values.to_pylist()
    return found


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
