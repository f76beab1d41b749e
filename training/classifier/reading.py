"""What comes with a data frame: order, groups, budget; and the error that names what is wrong with them."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import InputError
from training.outcomes import IntArray


class LabelsError(InputError, ValueError):
    """Wrong input of the classifier; a ValueError, as scikit-learn's callers expect."""


def read_order(order: npt.ArrayLike | None, n_rows: int) -> IntArray | None:
    """Return the rank of each row, (n,), equal for equal times; None when rows have no order."""
    if order is None:
        return None
    column = _column("order", order, n_rows)
    try:
        different, places = np.unique(column.to_numpy(), return_inverse=True)
    except TypeError as error:
        raise LabelsError(
            f"order must hold times or ranks of one kind that can be sorted; {error}"
        ) from error
    if len(different) < 2:
        raise LabelsError(
            f"order must tell older rows from newer ones; all rows have {different[0]}; "
            "leave it out when rows have no order"
        )
    return places.astype(np.int64)


def read_groups(groups: npt.ArrayLike | None, n_rows: int) -> IntArray:
    """Return a number per group, (n,); without groups every row is its own."""
    if groups is None:
        return np.arange(n_rows, dtype=np.int64)
    return pd.factorize(_column("groups", groups, n_rows))[0].astype(np.int64)


def check_budget(budget_seconds: Any) -> None:
    """Refuse a budget that is no time."""
    is_number = isinstance(budget_seconds, int | float) and not isinstance(budget_seconds, bool)
    if not is_number or math.isnan(budget_seconds) or budget_seconds < 0.0:
        raise LabelsError(f"budget_seconds must be a number of seconds, at least 0; got {budget_seconds!r}")


def _column(name: str, values: npt.ArrayLike, n_rows: int) -> "pd.Series[Any]":
    column = pd.Series(values).reset_index(drop=True)
    if len(column) != n_rows:
        raise LabelsError(f"{name} must have a value for each of the {n_rows} rows of X; got {len(column)}")
    if column.isna().any():
        raise LabelsError(f"{name} must have a value in every row; {int(column.isna().sum())} are missing")
    return column
