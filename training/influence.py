"""What moves the scores of a model: the mean size of each family's share of the points, over real rows.

The families and shares are those of the reasons of a single lead, so this picture and the answers agree.
"""

from dataclasses import dataclass

import numpy as np

from features.words.reasons import feature_label
from training.artifact import LoadedModel
from training.points import FloatArray

MOST_ROWS = 500
"""Enough for a picture: the mean of a share is known to a twentieth of its own spread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """The mean absolute share of one family in the points, in the words of its loudest feature."""

    family: str
    feature: str
    label_en: str
    label_de: str
    points: float


def influences_of(model: LoadedModel, matrix: FloatArray) -> tuple[Influence, ...]:
    """Return the families by how far they move the points of feature rows (n, n_features), furthest first.

    At most `MOST_ROWS` rows spread evenly over the matrix are explained.
    """
    if len(matrix) == 0:
        return ()
    rows = np.unique(np.linspace(0, len(matrix) - 1, min(len(matrix), MOST_ROWS)).astype(np.int64))
    shares = model.explain(matrix[rows])
    loudness = np.abs(shares).mean(axis=0)
    influences = [
        _influence(model, family, members, float(np.abs(shares[:, members].sum(axis=1)).mean()), loudness)
        for family, members in model.families
    ]
    return tuple(sorted((each for each in influences if each.points > 0.0), key=lambda each: -each.points))


def _influence(
    model: LoadedModel, family: str, members: tuple[int, ...], points: float, loudness: FloatArray
) -> Influence:
    feature = model.feature_set.features[max(members, key=lambda index: loudness[index])]
    return Influence(
        family=family,
        feature=feature.name,
        label_en=feature_label(feature, "en"),
        label_de=feature_label(feature, "de"),
        points=points,
    )
