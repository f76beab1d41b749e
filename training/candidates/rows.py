"""What every candidate is given: rows with known labels, and what the columns of their matrix are.

Where rows come from (snapshots of a CRM, a data frame) and what is judged on what is decided elsewhere.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.definitions import FeatureSet
from training.outcomes import IntArray
from training.points import FloatArray

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What each column of a matrix is: a category's codes or numbers, and an agreed direction.

    ``n_codes`` is how many codes a category has (0 … n_codes - 1), 0 for numbers. ``monotone`` is 1 where
    more may only help, -1 where more may only harm, 0 where nothing is agreed.
    """

    n_codes: tuple[int, ...]
    monotone: tuple[int, ...]

    @property
    def categorical_indices(self) -> tuple[int, ...]:
        """Columns that hold codes."""
        return tuple(index for index, n_codes in enumerate(self.n_codes) if n_codes)


def columns_of(feature_set: FeatureSet) -> Columns:
    """Return what the columns of a feature set are."""
    return Columns(
        n_codes=tuple(len(each.levels) + 1 if each.is_category else 0 for each in feature_set.features),
        monotone=tuple(feature.monotone for feature in feature_set.features),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingRows:
    """Rows with known labels, in any order.

    Attributes
    ----------
    matrix : (n, n_columns), finite numbers or NaN; categories as whole numbers from 0.
    label : (n,) 0 or 1.
    weight : (n,) above 0.
    lead_index : (n,) which lead (or other group) a row belongs to: never on both sides of a fold.
    position : (n,) when a row was seen, in any unit that sorts; None when rows have no order in time.
    """

    matrix: FloatArray
    label: npt.NDArray[np.int8]
    weight: FloatArray
    lead_index: IntArray
    position: IntArray | None = None

    def where(self, chosen: BoolArray | IntArray) -> "TrainingRows":
        """Return the chosen rows."""
        return TrainingRows(
            matrix=self.matrix[chosen],
            label=self.label[chosen],
            weight=self.weight[chosen],
            lead_index=self.lead_index[chosen],
            position=None if self.position is None else self.position[chosen],
        )

    @property
    def has_both_classes(self) -> bool:
        """Whether there is anything to tell apart."""
        return bool(len(self.label)) and bool(self.label.min() < self.label.max())


def recency_weights(rows: TrainingRows, half_life: float | None) -> FloatArray:
    """Return the rows' weights (n,), halved for every `half_life` of all rows that are newer.

    The age of a row is the share of rows that are newer, not a time: an export of ten years and one of ten
    weeks are treated alike. Without a half-life or an order the weights are the rows' own.
    """
    if half_life is None or rows.position is None:
        return rows.weight
    newest_first = np.sort(rows.position)
    newer = 1.0 - np.searchsorted(newest_first, rows.position, side="right") / len(newest_first)
    weight: FloatArray = rows.weight * 0.5 ** (newer / half_life)
    return weight
