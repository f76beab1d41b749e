"""The joint goal of both teams: a share that shall rise, registered before it is measured.

Decides how much a share has changed against the baseline, whether the goal is reached, and how many cases are
needed to tell. Looking every day is allowed: the interval holds at every look. Where the numbers come from is
the caller's business.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from statistics import NormalDist

from sla.always_valid import ALPHA, JEFFREYS, Interval, Share, confidence_sequence
from sla.errors import BrokenRule, filled_only, refuse_broken
from sla.texts import Text

LONGEST_PERIOD_DAYS = 1100
MOST_CASES = 10_000_000
"""More cases than any team closes: a goal that needs more cannot be told at all."""


class Metric(StrEnum):
    """What a joint goal may be about."""

    CLOSE_RATE = "close_rate"
    """Won deals among the deals closed in the period."""

    LEAD_CONVERSION = "lead_conversion"
    """Leads won within the horizon among those created in the period whose horizon is over."""


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days from `first` to `last`, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        refuse_broken("period", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        days = (self.last - self.first).days + 1
        if not 1 <= days <= LONGEST_PERIOD_DAYS:
            rule = (
                f"must not be before first ({self.first}) nor more than {LONGEST_PERIOD_DAYS} days after it"
            )
            yield BrokenRule("last", rule, self.last)

    @property
    def after(self) -> date:
        """The first day that no longer belongs to it."""
        return self.last + timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What both teams want to reach together, and what they get for it.

    The target is a change of the metric against the baseline, either `target_relative` (0.05: five percent
    more) or `target_points` (2.0: two percentage points more); `power` is the chance to see the change when
    it is really there.
    """

    de: str
    en: str
    metric: Metric
    baseline: Period
    period: Period
    target_relative: float | None = None
    target_points: float | None = None
    power: float = 0.8
    reward_de: str
    reward_en: str

    def __post_init__(self) -> None:
        refuse_broken("goal", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        yield from filled_only(self, ("de", "en", "reward_de", "reward_en"))
        targets = (self.target_relative, self.target_points)
        if targets.count(None) != 1:
            given = sum(target is not None for target in targets)
            yield BrokenRule("target_relative", "or target_points must be given, one of the two", given)
        if self.target_relative is not None and not 0.0 < self.target_relative <= 10.0:
            yield BrokenRule("target_relative", "must lie above 0 and be at most 10", self.target_relative)
        if self.target_points is not None and not 0.0 < self.target_points < 100.0:
            yield BrokenRule("target_points", "must lie above 0 and below 100", self.target_points)
        if not 0.5 <= self.power <= 0.99:
            yield BrokenRule("power", "must lie from 0.5 to 0.99", self.power)
        if self.period.first <= self.baseline.last:
            rule = f"must begin after the baseline has ended ({self.baseline.last})"
            yield BrokenRule("period", rule, self.period.first, against="baseline")

    @property
    def label(self) -> Text:
        """The goal in words."""
        return Text(en=self.en, de=self.de)

    @property
    def reward(self) -> Text:
        """What both teams get when it is reached."""
        return Text(en=self.reward_en, de=self.reward_de)

    def target_rate(self, baseline: float) -> float:
        """Return the share to reach, at most 1, given the baseline's share."""
        if self.target_relative is not None:
            return min(1.0, baseline * (1.0 + self.target_relative))
        return min(1.0, baseline + (self.target_points or 0.0) / 100.0)


class GoalStatus(StrEnum):
    """How a goal stands: a stable code."""

    NOT_STARTED = "not_started"
    NO_BASELINE = "no_baseline"
    CANNOT_BE_TOLD_YET = "cannot_be_told_yet"
    ON_TRACK = "on_track"
    AHEAD = "ahead"
    BEHIND = "behind"
    REACHED = "reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalProgress:
    """How a goal stands on one day.

    `change` is the difference of the shares, period minus baseline, with an interval that holds at every
    look; `target_change` the difference that is wanted. `cases_needed` are the cases of the period at which a
    change of this size will be told from chance with the agreed power; None when it cannot be told from this
    baseline with any number of cases.
    """

    status: GoalStatus
    baseline: Share
    period: Share
    change: float | None
    change_interval: Interval
    target_change: float | None
    cases_needed: int | None
    is_over: bool


def measure_goal(goal: Goal, baseline: Share, period: Share, *, today: date) -> GoalProgress:
    """Say how a goal stands at the end of `today`.

    The baseline and the period each get a confidence sequence at half the error (Bonferroni), so that the
    interval of their difference is wrong in at most 5 % of all goals, at whatever day one looks.
    """
    interval = _difference(baseline, period)
    was, now = baseline.rate, period.rate
    target = None if was is None else goal.target_rate(was) - was
    change = None if was is None or now is None else now - was
    is_over = today > goal.period.last
    return GoalProgress(
        status=_status(goal, change, interval, target, today=today, is_over=is_over),
        baseline=baseline,
        period=period,
        change=change,
        change_interval=interval,
        target_change=target,
        cases_needed=None if was is None else cases_needed(goal, baseline),
        is_over=is_over,
    )


def _difference(baseline: Share, period: Share) -> Interval:
    before, after = (confidence_sequence(share, alpha=ALPHA / 2.0) for share in (baseline, period))
    return Interval(low=after.low - before.high, high=after.high - before.low)


def _status(
    goal: Goal,
    change: float | None,
    interval: Interval,
    target: float | None,
    *,
    today: date,
    is_over: bool,
) -> GoalStatus:
    """Read the status off: the first row whose condition holds, and nothing is claimed that may be chance."""
    if today < goal.period.first:
        return GoalStatus.NOT_STARTED
    if target is None:
        return GoalStatus.NO_BASELINE
    if change is None:
        return GoalStatus.CANNOT_BE_TOLD_YET
    is_there, is_real = change >= target, interval.low > 0.0
    rows = (
        (interval.low >= target, GoalStatus.REACHED),
        (interval.high < target, GoalStatus.BEHIND),
        (is_there and is_real, GoalStatus.REACHED if is_over else GoalStatus.AHEAD),
        (is_there and not is_over, GoalStatus.ON_TRACK),
        (is_over and not is_there, GoalStatus.BEHIND),
    )
    return next((status for holds, status in rows if holds), GoalStatus.CANNOT_BE_TOLD_YET)


def cases_needed(goal: Goal, baseline: Share) -> int | None:
    """Return how many cases of the period tell the wanted change from chance with the agreed power.

    The least n at which target - z·sd/√n lies a whole interval above the baseline's upper limit, where the
    interval of n cases is that of `confidence_sequence` in its normal approximation. None when no number of
    cases is enough, because the baseline itself is not known well enough.
    """
    rate = baseline.rate
    if rate is None:
        return None
    target = goal.target_rate(rate)
    room = target - confidence_sequence(baseline, alpha=ALPHA / 2.0).high
    spread = math.sqrt(max(target * (1.0 - target), 1e-12))
    power_z = NormalDist().inv_cdf(goal.power)

    def is_enough(cases: int) -> bool:
        return spread * (_radius_z(cases, spread) + power_z) / math.sqrt(cases) <= room

    if not is_enough(MOST_CASES):
        return None
    low, high = 0, MOST_CASES
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def _radius_z(cases: int, spread: float) -> float:
    """Return half the width of the confidence sequence in standard errors, for a share not near 0 or 1.

    The mixture's log-likelihood ratio exceeds log(1/alpha) where z² / 2 = log(1/alpha) + log of the prior
    width over the posterior width (Laplace's approximation of the beta integral).
    """
    normaliser = math.lgamma(JEFFREYS) * 2.0 - math.lgamma(2.0 * JEFFREYS)
    prior_density = (spread * spread) ** (JEFFREYS - 1.0) / math.exp(normaliser)
    posterior_width = spread * math.sqrt(2.0 * math.pi / cases)
    gain = -math.log(prior_density * posterior_width)
    return math.sqrt(2.0 * (math.log(2.0 / ALPHA) + max(gain, 0.0)))
