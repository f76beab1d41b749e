"""Whether promised wins came: calibration and lift of leads whose horizon is over, one row per lead.

Three questions. The newest cohort is another one at each look, so a plain interval answers. All cohorts since
the training are looked at again and again while they grow, so their interval is always valid: it holds at all
looks together. Lift is compared, by a plain interval, with that of the leads that judged the model. What is
worth saying is decided in `look`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp, ndtri

from training.points import FloatArray, log_odds_to_probability, probability_to_log_odds

TOP_SHARE = 0.2
LEAST_VARIANCE = 5.0
"""Below five (about as many expected wins) the normal approximation of a plain interval says nothing."""

SHIFTS = np.linspace(-3.0, 3.0, 301)
MIXING_SPREAD = 0.5
"""The always-valid interval is tightest for a model that is off by about this in log-odds."""

_DISTANCE = np.square((SHIFTS[:, None] - SHIFTS) / MIXING_SPREAD) / -2.0
MIXING = _DISTANCE - logsumexp(_DISTANCE, axis=1, keepdims=True)
"""Row d holds the logarithms of the weights of shifts around d."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cohort:
    """Leads with what was promised when they were created and what came, each (n,)."""

    probability: FloatArray
    label: npt.NDArray[np.int8]

    @property
    def expected_wins(self) -> float:
        """The sum of the promised probabilities."""
        return float(self.probability.sum())

    @property
    def real_wins(self) -> int:
        """The wins that came."""
        return int(self.label.sum())

    @property
    def variance(self) -> FloatArray:
        """The variance of each outcome if the promise holds, (n,)."""
        return self.probability * (1.0 - self.probability)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A quotient with its interval; ``promised`` is what it is when nothing changed."""

    value: float
    low: float
    high: float
    promised: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TopLift:
    """How many times the average win rate the best-scored fifth has, and its standard error."""

    value: float
    error: float


def expected_to_real_now(cohort: Cohort, *, level: float) -> Ratio | None:
    """Return expected over real wins with a plain interval that misses with a probability of ``level``.

    Wins are a sum of independent Bernoulli outcomes, taken as normal; None for fewer than about five.
    """
    if cohort.variance.sum() < LEAST_VARIANCE:
        return None
    reach = float(ndtri(1.0 - level / 2.0) * np.sqrt(cohort.variance.sum()))
    wins = cohort.real_wins
    return Ratio(
        value=_over(cohort.expected_wins, wins),
        low=_over(cohort.expected_wins, wins + reach),
        high=_over(cohort.expected_wins, wins - reach),
        promised=1.0,
    )


def expected_to_real_always(cohort: Cohort, *, level: float) -> Ratio | None:
    """Return expected over real wins with an interval that holds at all looks together.

    For each shift d of all log-odds, the likelihood of shifts around d (normal, spread 0.5) over that of d is
    a martingale when d is true, so it ever exceeds 1 / level with a probability of at most ``level`` (Ville
    1939; the method of mixtures, Howard et al. 2021, doi 10.1214/20-AOS1991). Shifts not exceeded remain.
    """
    if cohort.variance.sum() < LEAST_VARIANCE:
        return None
    log_odds = probability_to_log_odds(np.clip(cohort.probability, 1e-9, 1.0 - 1e-9))
    likelihood = np.array([_log_likelihood(log_odds + shift, cohort.label) for shift in SHIFTS])
    evidence = logsumexp(MIXING + likelihood, axis=1) - likelihood
    remaining = SHIFTS[evidence < -np.log(level)]
    wins = [float(log_odds_to_probability(log_odds + shift).sum()) for shift in remaining[[0, -1]]]
    return Ratio(
        value=_over(cohort.expected_wins, cohort.real_wins),
        low=_over(cohort.expected_wins, wins[1]),
        high=_over(cohort.expected_wins, wins[0]),
        promised=1.0,
    )


def lift_of_top(cohort: Cohort) -> TopLift | None:
    """Return how many times the average the best-scored fifth was won; None for fewer than about five wins.

    Given the probabilities, wins of the top fifth minus their promised share of all wins have mean 0, however
    all probabilities are scaled together; the standard error is that of this difference.
    """
    if cohort.variance.sum() < LEAST_VARIANCE or cohort.real_wins == 0:
        return None
    n_top = max(1, round(TOP_SHARE * len(cohort.label)))
    top = np.zeros(len(cohort.label))
    top[np.argsort(-cohort.probability, kind="stable")[:n_top]] = 1.0
    share, per_top = n_top / len(cohort.label), float(top @ cohort.probability) / cohort.expected_wins
    spread = float(np.sqrt((cohort.variance * np.square(top - per_top)).sum())) / cohort.expected_wins
    won = float(top @ cohort.label) / cohort.real_wins
    return TopLift(value=won / share, error=spread / share)


def compare_lift(now: TopLift, then: TopLift, *, level: float) -> Ratio:
    """Return today's lift with a plain interval that allows for the errors of both.

    ``promised`` is the lift when the model was judged: a model whose scores promise more than it can keep was
    let through by people and gates, and is no news.
    """
    reach = float(ndtri(1.0 - level)) * float(np.hypot(now.error, then.error))
    return Ratio(value=now.value, low=now.value - reach, high=now.value + reach, promised=then.value)


def _log_likelihood(log_odds: FloatArray, label: npt.NDArray[np.int8]) -> float:
    return float((label * log_odds - np.logaddexp(0.0, log_odds)).sum())


def _over(expected: float, wins: float) -> float:
    """Return a quotient that stays finite: a win is at least a hundredth of one."""
    return expected / max(wins, 0.01)
