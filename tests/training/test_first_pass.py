"""The quick model that tells open leads of an age apart."""

import numpy as np

from training.first_pass import first_pass, told_apart
from training.labels import TeachingLabels, WeightedRows


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


def labels_of(chance: np.ndarray, answered: np.ndarray) -> TeachingLabels:
    """Return labels of snapshots of one age that weigh alike."""
    n = len(chance)
    return TeachingLabels(
        chance=chance, answered=answered, weight=np.ones(n), landmark=np.zeros(n, dtype=np.int64)
    )


def test_open_leads_are_told_apart_by_what_answered_ones_show() -> None:
    """Open leads have the chance of their age at first; then the likelier ones have more, in sum the same."""
    random = np.random.default_rng(1)
    matrix = random.normal(size=(4000, 1))
    truth = np.where(matrix[:, 0] > 0, 0.5, 0.1)
    answered = random.random(4000) < 0.5
    chance = np.where(answered, random.random(4000) < truth, 0.3)
    found = told_apart(matrix, labels_of(chance, answered), categorical=(), seed=0)
    np.testing.assert_array_equal(found.chance[answered], chance[answered])
    likelier = ~answered & (matrix[:, 0] > 0)
    assert found.chance[likelier].mean() > 0.42
    assert np.isclose(found.chance[~answered].mean(), 0.3, atol=1e-4)


def test_nothing_to_tell_apart_stays_as_it_is() -> None:
    """Without open leads, or with one class, no model is asked."""
    matrix = np.zeros((30, 1))
    everyone = np.ones(30, dtype=np.bool_)
    for labels in (labels_of(np.tile([0.0, 1.0], 15), everyone), labels_of(np.zeros(30), everyone)):
        assert told_apart(matrix, labels, categorical=(), seed=0) is labels
