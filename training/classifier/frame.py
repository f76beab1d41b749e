"""A data frame as the recipe's matrix: which columns are categories, their codes, and what is refused.

Text, categories and booleans become codes; numbers stay; gaps stay gaps. Codes are frozen at fit, and a value
not seen then is the code of the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.candidates.rows import Columns
from training.classifier.reading import LabelsError
from training.points import FloatArray

MOST_LEVELS = 255
"""Categories of a column that keep a code of their own, the most frequent ones; the others share code 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column as it was at fit.

    ``levels`` are those of a category in the order of their codes from 1 on; None for numbers.
    """

    name: object
    levels: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameCodes:
    """What the columns of a frame mean, learnt once."""

    columns: tuple[Column, ...]

    @property
    def described(self) -> Columns:
        """The columns as candidates see them."""
        return Columns(
            n_codes=tuple(0 if each.levels is None else len(each.levels) + 1 for each in self.columns),
            monotone=(0,) * len(self.columns),
        )

    def encode(self, frame: pd.DataFrame) -> FloatArray:
        """Return the matrix of a frame with the columns of the fit, (n, n_columns)."""
        values = [
            _numbers(frame.iloc[:, place])
            if each.levels is None
            else _codes(frame.iloc[:, place], each.levels)
            for place, each in enumerate(self.columns)
        ]
        return np.column_stack(values)


def learn_codes(frame: pd.DataFrame) -> FrameCodes:
    """Return the meaning of each column of a checked frame."""
    return FrameCodes(
        columns=tuple(_learn_column(name, frame.iloc[:, place]) for place, name in enumerate(frame.columns))
    )


def check_columns(frame: pd.DataFrame) -> None:
    """Refuse columns that cannot be used, all at once."""
    problems = tuple(_problems(frame))
    if problems:
        raise LabelsError("; ".join(problems))


def check_numbers(frame: pd.DataFrame) -> None:
    """Refuse infinite numbers, naming the columns."""
    infinite = [
        repr(name)
        for place, name in enumerate(frame.columns)
        if not _is_category(frame.iloc[:, place]) and np.isinf(_numbers(frame.iloc[:, place])).any()
    ]
    if infinite:
        raise LabelsError(
            f"X must hold finite numbers, text, booleans or gaps; infinity in column {', '.join(infinite)}"
        )


def _problems(frame: pd.DataFrame) -> Iterator[str]:
    if frame.shape[1] == 0:
        yield "X must have at least one column; got none"
    names = [repr(name) for name in frame.columns[frame.columns.duplicated()].unique()]
    if names:
        yield f"X must have different column names; more than once: {', '.join(names)}"
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        kinds = {"M": "times", "m": "durations", "c": "complex numbers"}
        if column.dtype.kind in kinds:
            yield (f"column {name!r} must hold numbers, text or booleans; got {kinds[column.dtype.kind]}")


def _learn_column(name: object, column: "pd.Series[Any]") -> Column:
    if not _is_category(column):
        return Column(name=name, levels=None)
    counts = _texts(column).value_counts(sort=False)
    ordered = counts.sort_index().sort_values(ascending=False, kind="stable")
    return Column(name=name, levels=tuple(ordered.index[:MOST_LEVELS]))


def _is_category(column: "pd.Series[Any]") -> bool:
    """Tell whether a column is no number: text, categories, booleans, or a mixture."""
    return not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype)


def _texts(column: "pd.Series[Any]") -> "pd.Series[str]":
    """Return the values that are there as stripped text; what is empty is missing."""
    texts = column[column.notna()].astype(object).map(lambda value: str(value).strip())
    return texts[texts != ""]


def _codes(column: "pd.Series[Any]", levels: tuple[str, ...]) -> FloatArray:
    texts = _texts(column.reset_index(drop=True))
    code = {level: number for number, level in enumerate(levels, start=1)}
    values = np.full(len(column), np.nan)
    values[texts.index.to_numpy()] = [code.get(text, 0) for text in texts]
    return values


def _numbers(column: "pd.Series[Any]") -> npt.NDArray[np.float64]:
    return column.to_numpy(dtype=np.float64, na_value=np.nan)
