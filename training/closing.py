"""How likely a lead that is open at one age is to be won by another, as all leads of the history tell.

Winning and losing compete; every lead counts for as long as it was followed, so young leads speak for young
ages and old leads for old ages, and nobody has to be followed for a whole horizon. What is asked of the curve
is decided by `training.labels`.
"""

from dataclasses import dataclass

import numpy as np

from training.outcomes import BoolArray, IntArray
from training.points import FloatArray

LEAST_OPEN = 20
"""Ages at which fewer leads were still followed are not read off the curve but extrapolated."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClosingCurve:
    """Share still open and share won by age, steps at ``age_us`` (n_ages,), and the rates that follow.

    ``open_share`` and ``won_share`` (n_ages + 1,) begin with age 0. After ``last_age_us`` leads close at
    constant rates per microsecond: those of the last horizon of ages before it.
    """

    age_us: IntArray
    open_share: FloatArray
    won_share: FloatArray
    last_age_us: int
    won_rate: float
    lost_rate: float

    def win_chance(self, from_age_us: IntArray, to_age_us: IntArray) -> FloatArray:
        """P(won in (from, to] | open at from), (n,); 0 where the interval is empty."""
        still_open, won_before = self._shares(from_age_us)
        _, won_until = self._shares(np.maximum(from_age_us, to_age_us))
        chance = (won_until - won_before) / np.where(still_open > 0.0, still_open, 1.0)
        return np.clip(np.where(still_open > 0.0, chance, 0.0), 0.0, 1.0)

    def _shares(self, age_us: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the share still open and the share won by each age, each (n,)."""
        step = np.searchsorted(self.age_us, age_us, side="right")
        beyond_us = np.maximum(age_us - self.last_age_us, 0).astype(np.float64)
        closing_rate = self.won_rate + self.lost_rate
        stays = np.exp(-closing_rate * beyond_us)
        won_of_closing = self.won_rate / closing_rate if closing_rate > 0.0 else 0.0
        still_open = self.open_share[step]
        return still_open * stays, self.won_share[step] + still_open * won_of_closing * (1.0 - stays)


def closing_curve(followed_us: IntArray, won: BoolArray, lost: BoolArray, *, horizon_us: int) -> ClosingCurve:
    """Return the curve of leads followed from age 0 until they closed or were last seen, each (n_leads,).

    The Aalen-Johansen estimator for two competing ends (Aalen and Johansen 1978, "An empirical transition
    matrix for non-homogeneous Markov chains based on censored observations"): a lead that closes and one last
    seen at the same age were both open just before. `won` and `lost` exclude each other.
    """
    order = np.argsort(followed_us, kind="stable")
    age_us, first = np.unique(followed_us[order], return_index=True)
    at_risk = len(followed_us) - first
    wins, losses = (_per_age(ended[order], first) for ended in (won, lost))
    readable = at_risk >= LEAST_OPEN
    last_age_us = int(age_us[readable][-1]) if readable.any() else 0
    won_rate, lost_rate = _last_rates(followed_us, (won, lost), last_age_us, horizon_us)
    open_share = np.cumprod(1.0 - (wins + losses)[readable] / at_risk[readable])
    before = np.concatenate([[1.0], open_share])
    won_share = np.cumsum(before[:-1] * wins[readable] / at_risk[readable])
    return ClosingCurve(
        age_us=age_us[readable],
        open_share=before,
        won_share=np.concatenate([[0.0], won_share]),
        last_age_us=last_age_us,
        won_rate=won_rate,
        lost_rate=lost_rate,
    )


def _per_age(ended: BoolArray, first: IntArray) -> FloatArray:
    """Sum what is sorted by age over the rows of each age."""
    return np.add.reduceat(ended.astype(np.float64), first) if len(first) else np.zeros(0)


def _last_rates(
    followed_us: IntArray, ends: tuple[BoolArray, BoolArray], last_age_us: int, horizon_us: int
) -> tuple[float, float]:
    """Return ends per microsecond of follow-up over the last horizon of readable ages, or their second half.

    Without a readable age all follow-up counts.
    """
    start_us = max(last_age_us - horizon_us, last_age_us // 2)
    end_us = last_age_us if last_age_us > 0 else int(followed_us.max(initial=0))
    exposure_us = float((np.clip(followed_us, start_us, end_us) - start_us).sum())
    within = (followed_us > start_us) & (followed_us <= end_us)
    won_rate, lost_rate = (float((ended & within).sum()) / max(exposure_us, 1.0) for ended in ends)
    return won_rate, lost_rate
