"""The clauses about what both sides promise per period, and how much work sales can do.

Each checks its own meaning when it is built; a policy may leave each out, and then nothing is promised. How a
promise stands is decided in `sla.pledges`, how full sales is in `sla.load`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sla.clauses import scored_stage_only, whole_number_only
from sla.errors import BrokenRule, refuse_broken
from sla.stages import Stage

MOST_LEADS = 1_000_000
MOST_HOURS = 100_000.0


class PledgePeriod(StrEnum):
    """The stretch of the calendar a pledge is made for: weeks begin on Monday, quarters in January."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


WEEKS_PER: tuple[tuple[PledgePeriod, float], ...] = (
    (PledgePeriod.WEEK, 1.0),
    (PledgePeriod.MONTH, 365.25 / 12 / 7),
    (PledgePeriod.QUARTER, 365.25 / 4 / 7),
)
"""How many weeks a period has on average."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketingPledge:
    """What marketing delivers per period: so many leads that reach `stage`, and the wins to expect of them.

    `expected_wins` is held against the sum of their probabilities on arrival; None: nothing is agreed.
    """

    stage: Stage
    leads: int
    expected_wins: float | None = None

    def __post_init__(self) -> None:
        refuse_broken("marketing", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        yield from scored_stage_only(self.stage)
        yield from whole_number_only("leads", self.leads, 1, MOST_LEADS)
        if self.expected_wins is not None and not 0.0 < self.expected_wins <= self.leads:
            rule = f"must lie above 0 and be at most leads ({self.leads})"
            yield BrokenRule("expected_wins", rule, self.expected_wins, against="leads")


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesPledge:
    """What sales does with the SQLs of a period, each as a share of them (above 0, at most 1).

    `answered_in_time`: answered within the agreed response time. `least_attempts`: tried at least as often as
    agreed, unless reached before. `followed_up`: answered at all, nobody is forgotten.
    """

    answered_in_time: float
    least_attempts: float = 1.0
    followed_up: float = 1.0

    def __post_init__(self) -> None:
        refuse_broken("sales", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        for name in ("answered_in_time", "least_attempts", "followed_up"):
            share = getattr(self, name)
            if not 0.0 < share <= 1.0:
                yield BrokenRule(name, "must be a share above 0 and at most 1", share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pledges:
    """What both sides promise per period; either alone is no agreement."""

    period: PledgePeriod
    marketing: MarketingPledge
    sales: SalesPledge


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityRule:
    """How much work sales can do: hours of the whole team in a normal week, and what a lead takes.

    `hours_per_sql` is the work on one SQL besides the attempts to reach it, each of `hours_per_attempt`.
    """

    hours_per_week: float
    hours_per_sql: float
    hours_per_attempt: float

    def __post_init__(self) -> None:
        refuse_broken("capacity", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        for name in ("hours_per_week", "hours_per_sql", "hours_per_attempt"):
            hours = getattr(self, name)
            if not 0.0 < hours <= MOST_HOURS:
                yield BrokenRule(name, f"must lie above 0 and be at most {MOST_HOURS:g}", hours)
