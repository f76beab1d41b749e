"""What other thresholds would have done to leads whose outcome is known: volumes, wins, load, who would move.

Decides by counting, not by a model: probabilities must come from a time the model was not trained on, each
lead's horizon must be over. Sorted once, every count is a difference of two prefix sums. Thresholds are the
general ones; overrides, disqualifiers and dwell times are the same before and after and are left out.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil, floor, sqrt
from statistics import NormalDist

from sla.clauses_pledges import WEEKS_PER
from sla.errors import AgreementError, BrokenRule, refuse_broken
from sla.policy import Policy
from sla.stages import Stage

LEVEL = 0.95
"""How sure the intervals are."""

KEPT_WINS_SHARE = 0.9
"""A suggested MQL threshold lets marketing keep at least this share of the wins."""

TINY = 1e-9
"""What a product of hours and weeks may be off before it is rounded to whole leads."""

LEAST_EFFORT, MOST_EFFORT = 0.001, 1_000_000_000
"""Hours, volumes and money lie here, so that no product of them leaves the numbers."""

STEPS_OF_THRESHOLD = 10_000
"""Suggested thresholds have four decimals: 12.34 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdPair:
    """The general enter thresholds of a policy; MQL lies below SQL."""

    mql: float
    sql: float

    def __post_init__(self) -> None:
        refuse_broken("thresholds", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        for name in ("mql", "sql"):
            if not 0.0 < getattr(self, name) < 1.0:
                yield BrokenRule(name, "must be a probability above 0 and below 1", getattr(self, name))
        if self.mql >= self.sql:
            yield BrokenRule("mql", f"must lie below sql ({self.sql})", self.mql)

    def stage_of(self, probability: float) -> Stage:
        """Return the stage a probability enters."""
        if probability >= self.sql:
            return Stage.SQL
        return Stage.MQL if probability >= self.mql else Stage.LEAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What working an SQL costs, and what both sides can or must: None where nothing is agreed.

    `hours_per_sql` is seller time, `capacity_hours` what sellers have per week, `least_sqls` how many SQLs
    marketing promises per week; `value_per_win` and `cost_per_hour` are in one currency.
    """

    hours_per_sql: float = 1.0
    capacity_hours: float | None = None
    least_sqls: float | None = None
    value_per_win: float | None = None
    cost_per_hour: float | None = None

    def __post_init__(self) -> None:
        refuse_broken("effort", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        for name in ("hours_per_sql", "capacity_hours", "least_sqls", "value_per_win", "cost_per_hour"):
            value = getattr(self, name)
            if value is not None and not LEAST_EFFORT <= value <= MOST_EFFORT:
                yield BrokenRule(name, f"must lie from {LEAST_EFFORT} to {MOST_EFFORT:,}", value)
        if (self.value_per_win is None) is not (self.cost_per_hour is None):
            yield BrokenRule("value_per_win", "must come with cost_per_hour", self.value_per_win)


def agreed_effort(policy: Policy | None, asked: Mapping[str, float]) -> Effort:
    """Return the effort that is asked about; what is left out is what the policy agrees, where it does.

    An SQL takes its own work and the agreed least of attempts; a pledge of SQLs is what marketing promises.
    """
    agreed: dict[str, float] = {}
    if policy is not None and policy.capacity is not None:
        rule = policy.capacity
        agreed["hours_per_sql"] = rule.hours_per_sql + policy.attempts.least * rule.hours_per_attempt
        agreed["capacity_hours"] = rule.hours_per_week
    if policy is not None and policy.pledges is not None and policy.pledges.marketing.stage is Stage.SQL:
        agreed["least_sqls"] = policy.pledges.marketing.leads / dict(WEEKS_PER)[policy.pledges.period]
    return Effort(**{**agreed, **asked})


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share of leads or wins with its Wilson interval (Wilson 1927, JASA 22:209)."""

    part: int
    whole: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCount:
    """What one threshold takes in: everything at or above it.

    `precision` is wins among these leads, `wins_kept` these wins among all; None where there is no whole.
    """

    stage: Stage
    threshold: float
    leads: int
    leads_per_week: float
    wins: int
    wins_missed: int
    precision: Share | None
    wins_kept: Share | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Leads that would be in another stage; `places` are their places in the period, likeliest first."""

    before: Stage
    after: Stage
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The SQL thresholds that keep both promises: from sales' most load up to marketing's least volume.

    Ends are probabilities that occurred, None where a side has no limit; infeasible: no threshold keeps both.
    """

    lowest: float | None
    highest: float | None
    feasible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """What a pair of thresholds would have done in a period."""

    leads: int
    weeks: float
    wins: int
    mql: StageCount
    sql: StageCount
    seller_hours_per_week: float
    capacity_share: float | None
    moves: tuple[Move, ...]
    band: Band


class PastPeriod:
    """Past leads, sorted by probability once: (n_leads,) probabilities, whether each was won, and the weeks.

    Raises AgreementError for no leads, sequences of two lengths, no time, or a probability outside [0, 1].
    """

    def __init__(self, probabilities: Sequence[float], won: Sequence[bool], *, weeks: float) -> None:
        if not probabilities or len(probabilities) != len(won):
            raise AgreementError(
                f"a period needs an outcome for each of at least one lead; got {len(probabilities)} "
                f"probabilities and {len(won)} outcomes"
            )
        self.order = sorted(range(len(probabilities)), key=probabilities.__getitem__, reverse=True)
        self.weeks = weeks
        self._negated = [-probabilities[place] for place in self.order]
        self._wins = [0, *accumulate(int(won[place]) for place in self.order)]
        if not (-self._negated[-1] >= 0.0 and -self._negated[0] <= 1.0 and weeks > 0.0):
            raise AgreementError("a period needs probabilities from 0 to 1 and more than no time")

    @property
    def leads(self) -> int:
        """How many leads there are."""
        return len(self.order)

    @property
    def wins(self) -> int:
        """How many of them were won."""
        return self._wins[-1]

    def count_at(self, threshold: float) -> int:
        """Return how many leads have at least this probability."""
        return bisect_right(self._negated, -threshold)

    def wins_in(self, count: int) -> int:
        """Return how many of the likeliest `count` leads were won."""
        return self._wins[count]

    def probability_at(self, place: int) -> float:
        """Return the probability of the lead at a place of the order, 0 the likeliest."""
        return -self._negated[place]

    def threshold_taking(self, most: int) -> float | None:
        """Return the least probability that occurred and takes in at most so many leads; None without one."""
        count = min(most, self.leads)
        if 0 < count < self.leads and self._negated[count - 1] == self._negated[count]:
            # Equal leads come together or not at all.
            count = bisect_left(self._negated, self._negated[count])
        return self.probability_at(count - 1) if count > 0 else None

    def threshold_keeping(self, wins: int) -> float:
        """Return the largest probability that occurred and keeps at least so many wins."""
        return self.probability_at(max(bisect_left(self._wins, wins), 1) - 1)


def what_if(
    period: PastPeriod, pair: ThresholdPair, *, effort: Effort, current: ThresholdPair | None = None
) -> WhatIf:
    """Return what the pair would have done in the period; `current` says against which pair leads move."""
    sql = _stage_count(period, Stage.SQL, pair.sql)
    hours = sql.leads_per_week * effort.hours_per_sql
    return WhatIf(
        leads=period.leads,
        weeks=period.weeks,
        wins=period.wins,
        mql=_stage_count(period, Stage.MQL, pair.mql),
        sql=sql,
        seller_hours_per_week=hours,
        capacity_share=None if effort.capacity_hours is None else hours / effort.capacity_hours,
        moves=() if current is None else tuple(_moves(period, current, pair)),
        band=feasible_band(period, effort),
    )


def feasible_band(period: PastPeriod, effort: Effort) -> Band:
    """Return the SQL thresholds that give marketing's least and keep within sales' most."""
    lowest, highest = _lowest(period, effort), _highest(period, effort)
    is_empty = lowest is None and _most_sqls(period, effort) is not None
    is_short = highest is None and effort.least_sqls is not None
    crosses = lowest is not None and highest is not None and lowest > highest
    return Band(lowest=lowest, highest=highest, feasible=not (is_empty or is_short or crosses))


def suggest(period: PastPeriod, effort: Effort) -> ThresholdPair | None:
    """Return a pair that uses the capacity, or pays for the work; None when no pair can.

    SQL: the lowest threshold within the capacity, not below the chance at which a win pays for the hours
    (`cost_per_hour * hours_per_sql / value_per_win`). MQL: the highest below it that keeps nine wins in ten.
    Raises AgreementError when neither a capacity nor a value per win is given.
    """
    if effort.capacity_hours is None and effort.value_per_win is None:
        raise AgreementError("a suggestion needs a capacity in hours or a value per win")
    lowest = _lowest(period, effort)
    if lowest is None and effort.capacity_hours is not None:
        return None
    sql = ceil(max(lowest or 0.0, _break_even(effort)) * STEPS_OF_THRESHOLD)
    kept = period.threshold_keeping(ceil(KEPT_WINS_SHARE * period.wins))
    mql = min(floor(kept * STEPS_OF_THRESHOLD), sql - 1)
    if not 0 < mql < sql < STEPS_OF_THRESHOLD:
        return None
    return ThresholdPair(mql=mql / STEPS_OF_THRESHOLD, sql=sql / STEPS_OF_THRESHOLD)


def wilson(part: int, whole: int) -> Share | None:
    """Return a share with its Wilson score interval at `LEVEL`; None of nothing."""
    if whole == 0:
        return None
    z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
    share, scale = part / whole, 1 + z * z / whole
    middle = (share + z * z / (2 * whole)) / scale
    half = z / scale * sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    return Share(
        part=part, whole=whole, share=share, low=max(0.0, middle - half), high=min(1.0, middle + half)
    )


def _stage_count(period: PastPeriod, stage: Stage, threshold: float) -> StageCount:
    leads = period.count_at(threshold)
    wins = period.wins_in(leads)
    return StageCount(
        stage=stage,
        threshold=threshold,
        leads=leads,
        leads_per_week=leads / period.weeks,
        wins=wins,
        wins_missed=period.wins - wins,
        precision=wilson(wins, leads),
        wins_kept=wilson(wins, period.wins),
    )


def _moves(period: PastPeriod, current: ThresholdPair, pair: ThresholdPair) -> Iterator[Move]:
    """Yield the stretches of the order in which the stage differs; between two cuts all are alike."""
    cuts = {period.count_at(limit) for limit in (current.mql, current.sql, pair.mql, pair.sql)}
    for start, end in pairwise(sorted({0, period.leads, *cuts})):
        probability = period.probability_at(start)
        before, after = current.stage_of(probability), pair.stage_of(probability)
        if before is not after:
            yield Move(before=before, after=after, places=tuple(period.order[start:end]))


def _most_sqls(period: PastPeriod, effort: Effort) -> int | None:
    """Return how many leads of the period sales can work."""
    if effort.capacity_hours is None:
        return None
    return min(period.leads, floor(effort.capacity_hours / effort.hours_per_sql * period.weeks + TINY))


def _lowest(period: PastPeriod, effort: Effort) -> float | None:
    most = _most_sqls(period, effort)
    return None if most is None else period.threshold_taking(most)


def _highest(period: PastPeriod, effort: Effort) -> float | None:
    """Return the largest probability that still gives marketing's least; None when the period has too few."""
    if effort.least_sqls is None:
        return None
    least = ceil(effort.least_sqls * period.weeks - TINY)
    return period.probability_at(max(least, 1) - 1) if least <= period.leads else None


def _break_even(effort: Effort) -> float:
    if effort.value_per_win is None or effort.cost_per_hour is None:
        return 0.0
    return effort.cost_per_hour * effort.hours_per_sql / effort.value_per_win
