"""The interval of a score: inductive Venn-Abers probabilities over a grid of margins.

Vovk and Petej 2014, "Venn-Abers predictors": p0 and p1 at a margin are what isotonic regression says there
after one more case of that margin, lost or won, has joined the calibration rows. Which margins a table keeps
is decided here, how it is read in calibration.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.calibration import MAX_INTERVAL_STEPS

FloatArray = npt.NDArray[np.float64]

NEW_CASE_WEIGHT = 1.0


@dataclass(frozen=True, slots=True)
class _Block:
    """Pooled neighbours of an isotonic fit: their wins and their weight."""

    won: float
    weight: float

    @property
    def rate(self) -> float:
        return self.won / self.weight

    def __add__(self, other: "_Block") -> "_Block":
        return _Block(self.won + other.won, self.weight + other.weight)


def venn_abers_table(
    margin: FloatArray, label: FloatArray, weight: FloatArray
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """Return (margins, p0, p1) at up to 512 different margins of the rows, ascending.

    Parameters
    ----------
    margin, label, weight : (n,) each; labels 0.0 or 1.0, weights above 0. The new case weighs one lead.
    """
    unique, group = np.unique(margin, return_inverse=True)
    groups = [
        _Block(won, total)
        for won, total in zip(
            np.bincount(group, weight * label).tolist(), np.bincount(group, weight).tolist(), strict=True
        )
    ]
    grid = _grid(unique.size)
    before = _pooled_before(groups, grid, rising=True)
    after = _pooled_before(groups[::-1], [len(groups) - 1 - place for place in grid], rising=False)
    low, high = [], []
    for place in grid:
        left, right = before[place], after[len(groups) - 1 - place]
        low.append(_rate_with_new_case(left, groups[place] + _Block(0.0, NEW_CASE_WEIGHT), right))
        high.append(
            _rate_with_new_case(left, groups[place] + _Block(NEW_CASE_WEIGHT, NEW_CASE_WEIGHT), right)
        )
    return tuple(unique[grid].tolist()), _monotone(low), _monotone(high)


def _grid(n_margins: int) -> list[int]:
    """Return the places of the margins kept: all, or evenly spread ones with both ends."""
    places = np.linspace(0, n_margins - 1, min(n_margins, MAX_INTERVAL_STEPS))
    return [int(place) for place in np.unique(np.round(places))]


def _pooled_before(
    groups: Sequence[_Block], places: Sequence[int], *, rising: bool
) -> dict[int, tuple[_Block, ...]]:
    """Return for each place the isotonic blocks of the groups before it (pooling adjacent violators)."""
    wanted = frozenset(places)
    blocks: list[_Block] = []
    found = {}
    for place, group in enumerate(groups):
        if place in wanted:
            found[place] = tuple(blocks)
        pooled = group
        while blocks and (blocks[-1].rate >= pooled.rate if rising else blocks[-1].rate <= pooled.rate):
            pooled = blocks.pop() + pooled
        blocks.append(pooled)
    return found


def _rate_with_new_case(left: Sequence[_Block], own: _Block, right: Sequence[_Block]) -> float:
    """Pool a changed group with its isotonic neighbours (nearest last) until nothing is violated."""
    n_left, n_right = len(left), len(right)
    while True:
        if n_left and left[n_left - 1].rate >= own.rate:
            n_left -= 1
            own = left[n_left] + own
        elif n_right and right[n_right - 1].rate <= own.rate:
            n_right -= 1
            own = own + right[n_right]
        else:
            return own.rate


def _monotone(rates: Sequence[float]) -> tuple[float, ...]:
    """Remove what rounding left of descents, and of 0 and 1 overstepped; exact rates ascend."""
    return tuple(np.clip(np.maximum.accumulate(rates), 0.0, 1.0).tolist())
