"""How a column is cut for an additive model: where numbers are cut, which categories stand alone.

A cut column gives every value a bin; missing is a bin of its own, the last. What a bin is worth is decided in
`additive.py`, how it is written as a tree in `tree_writer.py`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.points import FloatArray

Codes = npt.NDArray[np.int64]

LEAST_PER_LEVEL = 5
"""Rows a category needs to stand alone; the rarer ones share a bin with those never seen."""
MOST_LEVELS = 255
LINE_BINS, EVEN_BINS, OUTER_BINS = 96, 32, 16
"""Steps of a straight line: most that hold equally many rows, equally wide ones, and those on each side of
what was seen."""
SPREAD_LIMIT = 8.0
"""A line is followed no further than this many standard deviations from the mean."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NumberCut:
    """Ascending edges (k,): a value is in the bin of the first edge it does not exceed; bin k+1 is missing.

    ``line`` (k + 1,) is what a straight line says in each bin, in standard deviations from the mean; None
    when bins are free.
    """

    edges: FloatArray
    line: FloatArray | None = None

    @property
    def n_bins(self) -> int:
        """Bins, the missing one included."""
        return len(self.edges) + 2

    def bins(self, values: FloatArray) -> Codes:
        """Return the bin of each value, (n,)."""
        codes = np.searchsorted(self.edges, values, side="left").astype(np.int64)
        return np.where(np.isnan(values), len(self.edges) + 1, codes)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CategoryCut:
    """Bin i < k is the category ``levels[i]``, bin k all other codes below ``n_codes``, bin k + 1 missing.

    A code that no column can have (``n_codes`` or more) counts as missing.
    """

    levels: Codes
    n_codes: int

    @property
    def n_bins(self) -> int:
        """Bins, those of the others and of the missing included."""
        return len(self.levels) + 2

    def bins(self, values: FloatArray) -> Codes:
        """Return the bin of each code, (n,)."""
        place = np.searchsorted(self.levels, values)
        found = np.minimum(place, max(len(self.levels) - 1, 0))
        known = self.levels[found] == values if len(self.levels) else np.zeros(len(values), dtype=np.bool_)
        codes = np.where(known, found, len(self.levels))
        missing = ~(values < self.n_codes)
        return np.where(missing, len(self.levels) + 1, codes).astype(np.int64)

    @property
    def other_codes(self) -> tuple[int, ...]:
        """The codes that share the bin of the others."""
        alone = set(self.levels.tolist())
        return tuple(code for code in range(self.n_codes) if code not in alone)


Cut = NumberCut | CategoryCut


def cut_steps(values: FloatArray, *, most_bins: int) -> NumberCut:
    """Return a cut into at most `most_bins` bins that hold about equally many rows.

    Edges lie between values that were seen, never on one: a value that loses its last digit on the way (many
    JSON writers keep 15) stays in its bin.
    """
    known = values[~np.isnan(values)]
    different = np.unique(known)
    if len(different) <= most_bins:
        return NumberCut(edges=_between(different))
    quantiles = np.unique(np.quantile(known, np.arange(1, most_bins) / most_bins, method="lower"))
    below = np.searchsorted(different, quantiles[quantiles < different[-1]])
    return NumberCut(edges=_between(different)[below])


def cut_line(values: FloatArray) -> NumberCut:
    """Return a straight line in small steps, which goes on beyond the values seen.

    Where a column moves on after the training time (a price index, an interest rate), a line goes on and free
    bins stop; it is cut off at some distance, because nothing seen supports it there.
    """
    known = values[~np.isnan(values)]
    if len(known) == 0 or known.min() == known.max():
        return NumberCut(edges=np.empty(0), line=np.zeros(1))
    mean, spread = float(known.mean()), float(known.std())
    reach = known.max() - known.min()
    low = max(known.min() - reach, mean - SPREAD_LIMIT * spread)
    high = min(known.max() + reach, mean + SPREAD_LIMIT * spread)
    outer = (np.linspace(low, known.min(), OUTER_BINS), np.linspace(known.max(), high, OUTER_BINS))
    grid = np.unique(np.concatenate([*outer, _inside(known)]))
    grid = grid[(grid >= low) & (grid <= high)]
    return NumberCut(edges=_between(grid), line=(grid - mean) / spread)


def _inside(known: FloatArray) -> FloatArray:
    """Return where a line is evaluated within what was seen: at every value, or close enough to each."""
    different = np.unique(known)
    if len(different) <= LINE_BINS:
        return different
    even = np.linspace(different[0], different[-1], EVEN_BINS + 1)
    quantiles = np.quantile(known, np.linspace(0.0, 1.0, LINE_BINS + 1))
    return np.concatenate([even, quantiles])


def cut_levels(values: FloatArray, *, n_codes: int) -> CategoryCut:
    """Return the categories with rows enough, at most `MOST_LEVELS`; equal counts keep the order of codes."""
    levels, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    common = np.flatnonzero(counts >= LEAST_PER_LEVEL)
    kept = common[np.argsort(-counts[common], kind="stable")[:MOST_LEVELS]]
    return CategoryCut(levels=np.sort(levels[kept]).astype(np.int64), n_codes=n_codes)


def _between(ascending: FloatArray) -> FloatArray:
    """Return the middles of neighbours, (n - 1,), each at least the lower and below the upper one."""
    lower, upper = ascending[:-1], ascending[1:]
    middle = lower + (upper - lower) / 2.0
    return np.where(middle < upper, middle, lower)
