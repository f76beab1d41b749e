"""Whether two results are the same numbers: a time counts only if they are.

`python -m experiments.benchmarks.features.equality EXPECTED FOUND KEYS…` prints what differs, or nothing.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import typer
from pyarrow import dataset

from experiments.benchmarks.features.chosen import chosen_features
from features.definitions import Feature, FeatureKind
from features.tables import TIME_TYPE
from features.times import DAY_US

TOLERANCE = 1e-6
"""Relative and absolute, for decayed sums only: LeadPact adds fixed-point numbers, the peers floats."""


def differences(expected: Path, found: Path, keys: Sequence[str]) -> Iterator[str]:
    """Yield one sentence per feature whose values are not the expected ones in every row."""
    order_expected, order_found = _order(expected, keys), _order(found, keys)
    for key in keys:
        if not _column(expected, key, order_expected).equals(_column(found, key, order_found)):
            yield f"{key}: other rows ({len(order_expected):,} expected, {len(order_found):,} found)"
            return
    for feature in chosen_features().features:
        one = _column(expected, feature.name, order_expected)
        two = _column(found, feature.name, order_found)
        if n_wrong := int(np.sum(_is_other(feature, one, two))):
            yield f"{feature.name}: {n_wrong:,} of {len(one):,} rows differ"


def _order(folder: Path, keys: Sequence[str]) -> pa.Array:
    rows = dataset.dataset(folder).to_table(columns=list(keys))
    return pc.sort_indices(rows, sort_keys=[(key, "ascending") for key in keys])


def _column(folder: Path, name: str, order: pa.Array) -> pa.Array:
    column = dataset.dataset(folder).to_table(columns=[name]).column(name).combine_chunks()
    if pa.types.is_dictionary(column.type) or pa.types.is_large_string(column.type):
        column = column.cast(pa.string())
    if pa.types.is_timestamp(column.type):
        column = column.cast(TIME_TYPE)
    return column.take(order)


def _is_other(feature: Feature, one: pa.Array, two: pa.Array) -> npt.NDArray[np.bool_]:
    if feature.kind is FeatureKind.FIRST_TOUCH_KIND:
        is_same = pc.fill_null(pc.equal(one, two), pc.and_(pc.is_null(one), pc.is_null(two)))
        return ~np.asarray(is_same)
    first, second = _floats(one), _floats(two)
    if feature.unit == "days" and feature.kind is not FeatureKind.ACTIVE_DAYS:
        # polars divides by multiplying with the reciprocal: equal means equal to the microsecond
        first, second = np.rint(first * DAY_US), np.rint(second * DAY_US)
    tolerance = TOLERANCE if feature.kind is FeatureKind.ENGAGEMENT else 0.0
    return ~np.isclose(first, second, rtol=tolerance, atol=tolerance, equal_nan=True)


def _floats(column: pa.Array) -> npt.NDArray[np.float64]:
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def main(
    expected: Annotated[Path, typer.Argument()],
    found: Annotated[Path, typer.Argument()],
    keys: Annotated[list[str], typer.Argument()],
) -> None:
    """Print what differs between two results."""
    for difference in differences(expected, found, keys):
        typer.echo(difference)


if __name__ == "__main__":
    typer.run(main)
