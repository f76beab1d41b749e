"""Points are log-odds in another unit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.points import (
    log_odds_to_points,
    log_odds_to_probability,
    points_to_log_odds,
    probability_to_log_odds,
    probability_to_points,
)


@pytest.mark.parametrize(
    ("probability", "points"),
    [
        pytest.param(0.5, 50.0, id="even-odds"),
        pytest.param(2 / 3, 55.0, id="double-odds"),
        pytest.param(1 / 3, 45.0, id="half-odds"),
        pytest.param(0.8, 60.0, id="four-to-one"),
        pytest.param(0.0, -np.inf, id="never"),
        pytest.param(1.0, np.inf, id="always"),
    ],
)
def test_five_points_double_the_odds(probability: float, points: float) -> None:
    """The scale of DESIGN section 1."""
    assert probability_to_points(np.array([probability]))[0] == pytest.approx(points, abs=1e-12)


@given(log_odds=st.floats(-30.0, 30.0))
def test_translations_undo_each_other(log_odds: float) -> None:
    """Log-odds survive points and probabilities."""
    given_odds = np.array([log_odds])
    np.testing.assert_allclose(points_to_log_odds(log_odds_to_points(given_odds)), given_odds, atol=1e-12)
    probability = log_odds_to_probability(given_odds)
    np.testing.assert_allclose(probability_to_log_odds(probability), given_odds, rtol=1e-12, atol=2e-3)
    np.testing.assert_allclose(probability, 1.0 - log_odds_to_probability(-given_odds), atol=1e-15)


def test_extreme_log_odds_do_not_overflow() -> None:
    """Far tails end at 0 and 1 without a warning."""
    found = log_odds_to_probability(np.array([-1e308, -800.0, 800.0, 1e308]))
    np.testing.assert_array_equal(found, [0.0, 0.0, 1.0, 1.0])
