"""How sure a share is, however often one looks: a confidence sequence for wins among cases.

Looking every day and stopping when it pleases makes an ordinary 95 % interval wrong far more often than in
5 % of all periods. A confidence sequence holds at every look at once. Decides nothing about goals.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from sla.errors import AgreementError

ALPHA = 0.05
JEFFREYS = 0.5
"""Both parameters of the mixing beta distribution: no share is favoured."""

BISECTIONS = 60
"""Halvings of [0, 1] until nothing is left to halve in a double."""


@dataclass(frozen=True, slots=True)
class Share:
    """`won` of `cases`: whole numbers, 0 <= won <= cases."""

    won: int
    cases: int

    def __post_init__(self) -> None:
        if not 0 <= self.won <= self.cases:
            raise AgreementError(f"a share must have 0 <= won <= cases; got {self.won} of {self.cases}")

    @property
    def rate(self) -> float | None:
        """The share as a number from 0 to 1; None without cases."""
        return self.won / self.cases if self.cases else None


@dataclass(frozen=True, slots=True)
class Interval:
    """Everything from `low` to `high`, both included."""

    low: float
    high: float


def confidence_sequence(share: Share, *, alpha: float = ALPHA) -> Interval:
    """Return the shares that the cases seen so far do not rule out, at any look.

    With probability 1 - alpha the true share lies in the intervals of all looks at once, whatever the rule by
    which one stops looking: those p at which the beta-binomial mixture martingale
    B(a + won, b + lost) / B(a, b) / (p^won (1 - p)^lost) stays below 1 / alpha (Robbins 1970, "Statistical
    methods related to the law of the iterated logarithm"; Ville's inequality), a = b = 1/2. Without cases
    everything from 0 to 1.
    """
    lost = share.cases - share.won
    peak = share.won / share.cases if share.cases else JEFFREYS
    mixed = _log_beta(JEFFREYS + share.won, JEFFREYS + lost) - _log_beta(JEFFREYS, JEFFREYS)
    bound = mixed - math.log(1.0 / alpha)

    def is_possible(p: float) -> bool:
        return _times_log(share.won, p) + _times_log(lost, 1.0 - p) > bound

    return Interval(
        low=0.0 if is_possible(0.0) else _edge(is_possible, inside=peak, outside=0.0),
        high=1.0 if is_possible(1.0) else _edge(is_possible, inside=peak, outside=1.0),
    )


def _edge(is_possible: Callable[[float], bool], *, inside: float, outside: float) -> float:
    """Return the first share outside of what is possible, to the last bit: the likelihood has one peak."""
    for _ in range(BISECTIONS):
        middle = (inside + outside) / 2.0
        if is_possible(middle):
            inside = middle
        else:
            outside = middle
    return outside


def _times_log(count: int, share: float) -> float:
    """Return count · log(share); nothing seen says nothing, even of the impossible."""
    if count == 0:
        return 0.0
    return count * math.log(share) if share > 0.0 else -math.inf


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
