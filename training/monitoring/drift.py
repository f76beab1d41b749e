"""Whether two samples differ by more than chance and their usual ups and downs: PSI with critical values.

The population stability index is a sum over cells of (p - q) ln(p / q). Without drift PSI / (1/n + 1/m) is
chi-square with one degree of freedom less than cells (Yurdakul 2018, "Statistical properties of the
population stability index"), so what counts as large depends on both sample sizes, never on a fixed 0.2.
Half a lead is added to each cell and cells with fewer than five expected leads are pooled: then the rate of
false alarms at a level of 1 in 10,000 stays within 2.2 times that; without, it is a hundred times as high.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import gammainccinv
from scipy.stats import hypergeom

from training.outcomes import IntArray
from training.points import FloatArray

FEWEST_PER_CELL = 5
HALF_A_LEAD = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """PSI of two samples, its degrees of freedom, and what PSI / freedom is by chance alone: 1/n + 1/m."""

    psi: float
    freedom: int
    chance: float

    def critical(self, level: float, *, between: float = 0.0, periods: int = 1) -> float:
        """Return the PSI that is exceeded without drift with a probability of ``level``.

        ``between`` is the usual variance between periods (`reference.between_periods`), ``periods`` how many
        the reference spans: their mean has such a variance too.
        """
        quantile = 2.0 * float(gammainccinv(self.freedom / 2.0, level))
        return quantile * (self.chance + between * (1.0 + 1.0 / max(periods, 1)))


def compare_counts(new: IntArray, old: IntArray) -> Difference | None:
    """Return how two samples over the same cells (n_cells,) differ; None when they can tell nothing."""
    n_new, n_old = int(new.sum()), int(old.sum())
    if min(n_new, n_old) == 0:
        return None
    place = _pool(new + old, min(n_new, n_old))
    n_cells = int(place.max()) + 1
    if n_cells < 2:
        return None
    p, q = (_shares(np.bincount(place, each, minlength=n_cells)) for each in (new, old))
    return Difference(
        psi=float(((p - q) * np.log(p / q)).sum()),
        freedom=n_cells - 1,
        chance=1.0 / n_new + 1.0 / n_old,
    )


def between_periods(counts: Sequence[IntArray]) -> float:
    """Return the variance of shares between periods beyond chance, in units of PSI per degree of freedom.

    Each period is compared with the others together. By chance alone PSI / df is 1/n + 1/m on average; what
    is above that is moved by seasons, campaigns and the like, which come again (a method of moments, as
    Williams 1982 does for extra-binomial variation). Never below 0; 0 with fewer than two periods.
    """
    total, n_periods = np.sum(counts, axis=0), len(counts)
    if n_periods < 2:
        return 0.0
    excess = []
    for each in counts:
        found = compare_counts(each, total - each)
        if found is not None:
            excess.append((found.psi / found.freedom - found.chance) / (1.0 + 1.0 / (n_periods - 1)))
    return max(0.0, float(np.mean(excess))) if excess else 0.0


def unknown_chance(unknown: int, of: int, unknown_before: int, of_before: int) -> float:
    """Return how likely so many unknown values, or more, are when nothing changed (Fisher's exact test)."""
    return float(hypergeom.sf(unknown - 1, of + of_before, unknown + unknown_before, of))


def _pool(both: IntArray, smaller: int) -> IntArray:
    """Return for each cell its place after pooling, (n_cells,): rare cells share the first place.

    A cell is rare when the smaller sample is expected to hold fewer than five leads of it. When all rare ones
    together are still rare, the smallest of the others joins them.
    """
    expected = both / both.sum() * smaller
    rare = expected < FEWEST_PER_CELL
    if 0.0 < expected[rare].sum() < FEWEST_PER_CELL and not rare.all():
        rare |= expected == expected[~rare].min()
    first_other = int(expected[rare].sum() > 0.0)
    return np.where(rare, 0, np.cumsum(~rare) - 1 + first_other)


def _shares(counts: npt.NDArray[np.integer[Any]]) -> FloatArray:
    smoothed = counts + HALF_A_LEAD
    return np.asarray(smoothed / smoothed.sum())
