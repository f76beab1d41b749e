"""Small vectorised draws that every part of the simulator uses. No knowledge of leads."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Texts = npt.NDArray[np.str_]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def draw_index(rng: np.random.Generator, weights: Floats) -> Integers:
    """Draw one column index per row of `weights` (n, k); rows need not sum to 1."""
    cumulative = np.cumsum(weights, axis=1)
    thresholds = rng.random(len(weights)) * cumulative[:, -1]
    return np.asarray((thresholds[:, None] >= cumulative).sum(axis=1), dtype=np.int64)


def draw_text(rng: np.random.Generator, shares: Mapping[str, float], size: int) -> Texts:
    """Draw `size` names with the given shares (they need not sum to 1); "" stands for a missing value."""
    weights = np.array(list(shares.values()))
    return np.asarray(rng.choice(np.array(list(shares)), size=size, p=weights / weights.sum()))


def draw_text_by(
    rng: np.random.Generator, groups: Texts, shares_of: Mapping[str, Mapping[str, float]]
) -> Texts:
    """Draw one name per row with the shares of the row's group."""
    drawn = np.full(len(groups), "", dtype="U40")
    for group, shares in shares_of.items():
        rows = np.flatnonzero(groups == group)
        drawn[rows] = draw_text(rng, shares, len(rows))
    return drawn


def look_up(values: Texts, table: Mapping[str, float]) -> Floats:
    """Replace each name by its number in `table`; a name that is not in it is a KeyError."""
    names, positions = np.unique(values, return_inverse=True)
    return np.array([table[str(name)] for name in names])[positions]


def logistic(log_odds: Floats) -> Floats:
    """Turn log-odds into probabilities."""
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))
