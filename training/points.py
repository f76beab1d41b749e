"""The one translation between log-odds, probabilities and points; it does not cut, round or word anything.

Even odds are 50 points and 5 points more double the odds (DESIGN section 1).
"""

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

EVEN_ODDS_POINTS = 50.0
POINTS_PER_DOUBLING = 5.0
POINTS_PER_LOG_ODDS = POINTS_PER_DOUBLING / math.log(2.0)


def log_odds_to_points(log_odds: FloatArray) -> FloatArray:
    """Return unrounded, uncut points of natural log-odds, same shape."""
    return EVEN_ODDS_POINTS + POINTS_PER_LOG_ODDS * log_odds


def points_to_log_odds(points: FloatArray) -> FloatArray:
    """Return the natural log-odds of unrounded, uncut points, same shape."""
    return (points - EVEN_ODDS_POINTS) / POINTS_PER_LOG_ODDS


def log_odds_to_probability(log_odds: FloatArray) -> FloatArray:
    """Return probabilities of natural log-odds, same shape; neither tail overflows."""
    small = np.exp(-np.abs(log_odds))
    return np.where(log_odds >= 0.0, 1.0, small) / (1.0 + small)


def probability_to_log_odds(probability: FloatArray) -> FloatArray:
    """Return natural log-odds of probabilities, same shape; 0 and 1 become -inf and inf."""
    with np.errstate(divide="ignore"):
        return np.log(probability) - np.log1p(-np.asarray(probability))


def probability_to_points(probability: FloatArray) -> FloatArray:
    """Return ``50 + 5 log2(p / (1 - p))``, same shape; 0 and 1 become -inf and inf."""
    return log_odds_to_points(probability_to_log_odds(probability))
