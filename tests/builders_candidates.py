"""Rows for candidates: a number, a category and a flag, with gaps, and a label that depends on them."""

import numpy as np

from training.candidates.rows import Columns, TrainingRows

COLUMNS = Columns(n_codes=(0, 6, 0), monotone=(1, 0, 0))


def rows(n: int = 600, *, seed: int = 0, ordered: bool = True, signal: bool = True) -> TrainingRows:
    """Return rows of `COLUMNS`; code 5 is never there, and every third row is of another lead."""
    random = np.random.default_rng(seed)
    size, industry = random.uniform(0, 10, n), random.integers(0, 5, n).astype(np.float64)
    flag = random.integers(0, 2, n).astype(np.float64)
    size[::17], industry[::23] = np.nan, np.nan
    chance = 0.1 + signal * (0.05 * np.nan_to_num(size) + 0.3 * (industry == 2))
    return TrainingRows(
        matrix=np.column_stack([size, industry, flag]),
        label=(random.random(n) < chance).astype(np.int8),
        weight=random.uniform(0.5, 2.0, n),
        lead_index=np.arange(n, dtype=np.int64) // 3,
        position=np.arange(n, dtype=np.int64) if ordered else None,
    )
