"""The quick model that tells open leads of an age apart."""

import numpy as np

from training.first_pass import first_pass
from training.labels import WeightedRows


def test_it_learns_what_there_is_and_the_same_each_time() -> None:
    """A number and a category both count, weights are heeded, and a seed gives one model."""
    random = np.random.default_rng(0)
    matrix = np.column_stack([random.normal(size=4000), random.integers(0, 3, 4000)]).astype(np.float64)
    chance = 0.1 + 0.3 * (matrix[:, 0] > 0) + 0.4 * (matrix[:, 1] == 2)
    won = random.random(4000) < chance
    spoilt = np.concatenate([won, ~won]).astype(np.int8)
    rows = WeightedRows(
        position=np.tile(np.arange(4000), 2), label=spoilt, weight=np.repeat([1.0, 0.0], 4000)
    )
    found, again = (first_pass(matrix, rows, categorical=(1,), seed=4)(matrix) for _ in range(2))
    np.testing.assert_array_equal(found, again)
    assert np.abs(found - chance).mean() < 0.05
